"""An HTTP server over loopback that keeps what it is sent and answers as a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes


Answer = tuple[int, Mapping[str, str]]


@dataclass
class Receiver:
    """`answer` decides what a request gets; while `held` is set, a request waits until `let_go` is."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    answer: Callable[[Request], Answer] = lambda request: (200, {})
    held: bool = False
    let_go: threading.Event = field(default_factory=threading.Event)

    def answers(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.answer = lambda request: (status, headers or {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, as those of real services do
    server: _Server

    def setup(self) -> None:
        self.server.receiver.connections += 1
        super().setup()

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.path, dict(self.headers.items()), body)
        receiver.requests.append(request)
        if receiver.held:
            receiver.let_go.wait(20)
        status, headers = receiver.answer(request)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_unused: Any) -> None:
        """Quiet."""


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    server = _Server(("127.0.0.1", 0), _Handler)
    receiver = server.receiver = Receiver(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        server.server_close()
