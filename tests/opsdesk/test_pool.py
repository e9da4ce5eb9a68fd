"""The bridge from ASGI to Django: bodies, answers, threads and their database connections."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from opsdesk.pool import AT_ONCE, Message, ThreadPool, environ_of

Start = Callable[..., Any]


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/incidents/ñ/",
        "raw_path": b"/incidents/%C3%B1/",
        "query_string": b"q=a%20b",
        "scheme": "https",
        "server": ("plant.example", 443),
        "client": ("10.0.0.7", 5000),
        "headers": [(b"host", b"plant.example"), (b"content-length", b"4")],
        **changes,
    }


def ask(
    app: Callable[..., Iterable[bytes]], *messages: Message, limit: int = 1000, **changes: Any
) -> list[Message]:
    """What the client receives when it sends these messages."""
    sent: list[Message] = []
    waiting = list(messages or [{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(ThreadPool(app, threads=1, body_limit=limit)(scope(**changes), receive, send))
    return sent


def body_of(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def echo(environ: dict[str, Any], start: Start) -> list[bytes]:
    start("201 Created", [("X-Path", environ["PATH_INFO"]), ("X-Length", environ["CONTENT_LENGTH"])])
    return [environ["wsgi.input"].read()]


def test_a_body_in_pieces_arrives_whole() -> None:
    sent = ask(
        echo,
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"cd", "more_body": False},
    )

    assert sent[0]["status"] == 201
    assert (b"x-path", "/incidents/ñ/".encode()) in sent[0]["headers"]
    assert body_of(sent) == b"abcd"


def test_a_body_without_a_length_gets_one() -> None:
    sent = ask(echo, {"type": "http.request", "body": b"abc"}, headers=[])

    assert (b"x-length", b"3") in sent[0]["headers"]
    assert body_of(sent) == b"abc"


def test_a_body_over_the_limit_is_413_and_never_reaches_django() -> None:
    reached: list[int] = []

    def app(environ: dict[str, Any], start: Start) -> list[bytes]:
        reached.append(1)
        return []

    pieces: list[Message] = [{"type": "http.request", "body": b"x" * 600, "more_body": True}] * 2
    sent = ask(app, *pieces, {"type": "http.request", "body": b"x", "more_body": False})

    assert sent[0]["status"] == 413
    assert b"too_large" in body_of(sent)
    assert not reached


def test_a_body_without_end_is_cut_off() -> None:
    def endless(environ: dict[str, Any], start: Start) -> list[bytes]:
        raise AssertionError

    sent = ask(endless, *[{"type": "http.request", "body": b"x" * 1000, "more_body": True}] * 100)

    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_client_that_leaves_while_sending_costs_no_thread() -> None:
    reached: list[int] = []

    def app(environ: dict[str, Any], start: Start) -> list[bytes]:
        reached.append(1)
        return []

    gone = ask(app, {"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"})

    assert gone == []
    assert not reached


def test_a_large_answer_is_streamed_in_pieces_and_complete() -> None:
    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return (b"x" * 50_000 for _ in range(20))

    sent = ask(app)

    assert len(body_of(sent)) == 1_000_000
    assert max(len(message.get("body", b"")) for message in sent) < AT_ONCE + 50_000
    assert [message["type"] for message in sent].count("http.response.start") == 1
    assert not sent[-1].get("more_body")


def test_the_answer_is_closed_even_when_it_breaks() -> None:
    closed: list[int] = []

    class Answer:
        def __iter__(self) -> Iterable[bytes]:
            raise ZeroDivisionError

        def close(self) -> None:
            closed.append(1)

    def app(environ: dict[str, Any], start: Start) -> Any:
        start("200 OK", [])
        return Answer()

    with pytest.raises(ZeroDivisionError):
        ask(app)
    assert closed == [1]


def test_requests_run_in_threads_that_last() -> None:
    threads: set[int] = set()

    def app(environ: dict[str, Any], start: Start) -> list[bytes]:
        threads.add(threading.get_ident())
        start("200 OK", [])
        return []

    pool = ThreadPool(app, threads=2, body_limit=10)

    async def many() -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            return None

        await asyncio.gather(*(pool(scope(), receive, send) for _ in range(40)))

    asyncio.run(many())

    assert 1 <= len(threads) <= 2
    assert threading.get_ident() not in threads


def test_headers_become_the_environment_and_cannot_pose_as_others() -> None:
    headers = [
        (b"host", b"plant.example"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"x_forwarded_proto", b"https"),
        (b"content-type", b"application/json"),
    ]

    class Nothing:
        def seek(self, *_: int) -> int:
            return 0

    environ = environ_of(scope(headers=headers), Nothing())  # type: ignore[arg-type]

    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert "HTTP_X_FORWARDED_PROTO" not in environ
    assert environ["CONTENT_TYPE"] == "application/json"
    assert environ["QUERY_STRING"] == "q=a%20b"
    assert environ["REMOTE_ADDR"] == "10.0.0.7"
    assert environ["wsgi.url_scheme"] == "https"
