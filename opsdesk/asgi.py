"""The web server's application: Django in threads, and room for asynchronous endpoints beside it."""

from __future__ import annotations

import gc

from django.conf import settings
from django.urls import reverse

from opsdesk import environment
from opsdesk.pool import Asgi, Receive, Scope, Send, ThreadPool
from opsdesk.wsgi import application as wsgi

pages = ThreadPool(
    wsgi,
    threads=environment.number("WEB_THREADS", 8, low=1, high=64),
    body_limit=settings.UPLOAD_LIMIT + 65_536,
)
live: dict[str, Asgi] = {}  # address prefix, such as /live/, to an asynchronous application


def settle_down() -> None:
    """What is loaded at the start stays: the garbage collector need not walk through it under a page.

    A page makes some ten thousand objects that go by themselves; at Python's thresholds every twelfth
    dashboard waited 0.1 s for a walk through everything there is.
    """
    reverse("login")  # reads all pages
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


settle_down()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    elif scope["type"] == "http":
        await _app_for(scope["path"])(scope, receive, send)


def _app_for(path: str) -> Asgi:
    return next((app for prefix, app in live.items() if path.startswith(prefix)), pages)
