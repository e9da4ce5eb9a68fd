"""The web server's application: Django in threads, and room for asynchronous endpoints beside it."""

from __future__ import annotations

from django.conf import settings

from opsdesk import environment
from opsdesk.pool import Asgi, Receive, Scope, Send, ThreadPool
from opsdesk.wsgi import application as wsgi

pages = ThreadPool(
    wsgi,
    threads=environment.number("WEB_THREADS", 8, low=1, high=64),
    body_limit=settings.UPLOAD_LIMIT + 65_536,
)
live: dict[str, Asgi] = {}  # address prefix, such as /live/, to an asynchronous application


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    elif scope["type"] == "http":
        await _app_for(scope["path"])(scope, receive, send)


def _app_for(path: str) -> Asgi:
    return next((app for prefix, app in live.items() if path.startswith(prefix)), pages)
