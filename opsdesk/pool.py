"""Runs the WSGI application in a lasting pool of threads under an ASGI server.

Django under ASGI opens a database connection per request; threads that last keep theirs (docs/adr/0003). One
hop to a thread and one back per request: the body is read before a thread is taken, so a slow tablet holds
none, and an ordinary answer is handed back whole.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any
from urllib.parse import unquote_to_bytes

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

IN_MEMORY = 1 << 20  # bytes of a request body kept in memory; more goes to a temporary file
PATIENCE = 4  # times the limit that is read and dropped before the connection is cut
AT_ONCE = 1 << 18  # bytes of an answer sent in one piece; more is streamed, waiting for the client
SEND_LIMIT = 60.0  # seconds a thread waits for a client that does not take its answer


class TooLarge(Exception):
    """The body is larger than any request may be."""


class ThreadPool:
    """A WSGI application as an ASGI one. ``body_limit`` bytes of a body are read before Django sees it."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]], *, threads: int, body_limit: int):
        self.wsgi = wsgi
        self.body_limit = body_limit
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="django")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
            try:
                if not await self.read(receive, body):
                    return  # the client is gone
            except TooLarge:
                await self.refuse(send)
                return
            body.seek(0)
            loop = asyncio.get_running_loop()
            answer = _Answer(send, loop)
            environ = environ_of(scope, body)
            messages = await loop.run_in_executor(self.threads, answer.run, self.wsgi, environ)
        for message in messages:
            await send(message)

    async def read(self, receive: Receive, body: IO[bytes]) -> bool:
        """Spool the whole body; False when the client left meanwhile.

        One that is too large is read and dropped, as far as patience goes: most clients read an answer only
        when they have sent everything, and would see a broken connection instead of the 413.
        """
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return False
            chunk = message.get("body", b"")
            size, more = size + len(chunk), message.get("more_body", False)
            if size > self.body_limit * PATIENCE:
                raise TooLarge
            if size <= self.body_limit:
                body.write(chunk)
        if size > self.body_limit:
            raise TooLarge
        return True

    async def refuse(self, send: Send) -> None:
        text = b'{"code": "too_large", "message": "That is too much at once."}'
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": text})


class _Answer:
    """One answer on its way from the thread back to the event loop."""

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop):
        self.send, self.loop = send, loop
        self.waiting: list[Message] = []

    def run(self, wsgi: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> list[Message]:
        """Call the application in this thread; returns what is left to send, at most ``AT_ONCE`` bytes."""
        chunks = wsgi(environ, self.start)
        try:
            body = bytearray()
            for chunk in chunks:
                body += chunk
                if len(body) >= AT_ONCE:
                    self.flush(bytes(body))
                    body.clear()
            return [*self.waiting, {"type": "http.response.body", "body": bytes(body)}]
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()  # Django's request_finished: gives stale database connections back

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.waiting = [{"type": "http.response.start", "status": int(status[:3]), "headers": raw}]

    def flush(self, body: bytes) -> None:
        messages = [*self.waiting, {"type": "http.response.body", "body": body, "more_body": True}]
        self.waiting = []
        for message in messages:
            sending = asyncio.run_coroutine_threadsafe(_as_coroutine(self.send, message), self.loop)
            sending.result(SEND_LIMIT)


async def _as_coroutine(send: Send, message: Message) -> None:
    await send(message)


def environ_of(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an ASGI request."""
    raw_path = scope.get("raw_path")
    path = unquote_to_bytes(raw_path) if raw_path else scope["path"].encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": _Silent(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    host, port = scope.get("server") or ("localhost", 80)
    environ["SERVER_NAME"], environ["SERVER_PORT"] = str(host), str(port or 0)
    if scope.get("client"):
        environ["REMOTE_ADDR"] = str(scope["client"][0])
    _add_headers(environ, scope["headers"])
    if "CONTENT_LENGTH" not in environ:  # a chunked body, now that it is here, has a length
        environ["CONTENT_LENGTH"] = str(body.seek(0, 2))
        body.seek(0)
    return environ


def _add_headers(environ: dict[str, Any], headers: Iterable[tuple[bytes, bytes]]) -> None:
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            continue  # X_Forwarded_For must not pass for X-Forwarded-For
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            key = f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value


class _Silent:
    """``wsgi.errors``: Django logs by itself."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None
