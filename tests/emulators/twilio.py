"""A gateway on loopback that speaks Twilio's REST API, as far as OpsDesk uses it.

In tests `with running_twilio() as twilio:` runs it in a thread. `python -m tests.emulators.twilio <port>` is
a process of its own, for benchmarks, and prints how many messages it took when it ends.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

ACCOUNT, TOKEN, NUMBER = "AC00000000000000000000000000000001", "a-very-secret-token", "+15550109999"

REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Call:
    """A form post that the gateway makes to us, with its signature."""

    url: str
    fields: dict[str, str]
    signature: str

    def post(self, to: str = "") -> int:
        """Really post it (`to` instead of the address that was given); the HTTP status."""
        body = urlencode(self.fields).encode()
        request = urllib.request.Request(to or self.url, body, {"X-Twilio-Signature": self.signature})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)


@dataclass
class Emulator:
    """What was handed over, and how the gateway behaves until it is told otherwise."""

    base: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    refuse: dict[str, int] = field(default_factory=dict)
    """Number → error code it is refused with at once: 21610, 21211 …"""
    ends: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Number → how the message to it ends when it is asked for: ("undelivered", 30003)."""
    end: tuple[str, int] = ("sent", 0)
    """How all others end; ("sent", 0) is silence, ("delivered", 0) a phone that is on."""
    busy: int = 0
    """So many of the next requests are answered 429, with `retry_after` seconds."""
    retry_after: str = "2"
    down: bool = False
    """Everything is answered 503."""
    hangs: bool = False
    """Half-open: requests are read and never answered."""
    seconds: float = 0.0
    """Before each answer."""
    connections: int = 0
    most_at_once: int = 0
    requests: list[str] = field(default_factory=list)
    keeps: bool = True
    """Whether messages are kept; a benchmark only counts them."""
    taken: int = 0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _at_once: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**9)))

    @property
    def address(self) -> str:
        """For SMS_URL."""
        host = self.base.removeprefix("http://")
        return f"twilio+http://{ACCOUNT}:{TOKEN}@{host}?from={quote(NUMBER)}"

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What was handed over to be texted, oldest first."""
        return [one for one in self.messages if one["direction"] == "outbound-api"]

    def texts_to(self, number: str) -> list[str]:
        return [one["body"] for one in self.sent if one["to"] == number]

    # --- what it does by itself ---

    def text(self, sender: str, body: str, *, to: str = NUMBER) -> dict[str, Any]:
        """Somebody texts us: it is in the list from now on."""
        return self._add(sender, to, body, direction="inbound", status="received")

    def inbound_call(self, message: dict[str, Any], url: str) -> Call:
        """How the gateway would post a message that somebody sent."""
        fields = {
            "MessageSid": message["sid"],
            "AccountSid": ACCOUNT,
            "From": message["from"],
            "To": message["to"],
            "Body": message["body"],
        }
        return signed(url, fields)

    def receipt_call(self, sid: str, status: str, code: int = 0, *, url: str = "") -> Call:
        """How the gateway would post a receipt; from now on the message also stands so in its list."""
        message = next(one for one in self.messages if one["sid"] == sid)
        message["status"], message["error_code"] = status, code or None
        fields = {"MessageSid": sid, "MessageStatus": status, "AccountSid": ACCOUNT, "To": message["to"]}
        fields |= {"ErrorCode": str(code)} if code else {}
        return signed(url or message["callback"], fields)

    # --- answering ---

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        headers = {k.lower(): v.strip() for k, _c, v in (line.partition(":") for line in lines[1:])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _version = lines[0].split(" ")
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self.hangs:
                await asyncio.sleep(3600)
            if self.seconds:
                await asyncio.sleep(self.seconds)
            status, said, more = self.answer(method, target, headers, body.decode())
        finally:
            self._at_once -= 1
        text = json.dumps(said).encode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in more.items())
        start = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
        writer.write(f"{start}{extra}Content-Length: {len(text)}\r\n\r\n".encode() + text)
        await writer.drain()
        return True

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        if self.keeps:
            self.requests.append(f"{method} {target}")
        given = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if headers.get("authorization") != f"Basic {given}":
            return 401, {"code": 20003, "message": "Authenticate"}, {}
        if self.down:
            return 503, {"message": "down"}, {}
        if self.busy > 0:
            self.busy -= 1
            return 429, {"code": 20429, "message": "Too Many Requests"}, {"Retry-After": self.retry_after}
        url = urlsplit(target)
        rest = url.path.removeprefix(f"/2010-04-01/Accounts/{ACCOUNT}")
        if rest == ".json":
            return 200, {"sid": ACCOUNT, "status": "active"}, {}
        if rest == "/Messages.json":
            if method == "POST":
                return self._take(dict(parse_qsl(body)))
            return 200, self._page(url.path, dict(parse_qsl(url.query))), {}
        sid = rest.removeprefix("/Messages/").removesuffix(".json")
        found = next((one for one in self.messages if one["sid"] == sid), None)
        if found is None:
            return 404, {"code": 20404, "message": "Not found"}, {}
        return 200, self._shown(found), {}

    def _take(self, form: dict[str, str]) -> tuple[int, dict[str, Any], dict[str, str]]:
        code = self.refuse.get(form["To"])
        if code:
            return 400, {"code": code, "message": f"Error {code}", "status": 400}, {}
        message = self._add(form["From"], form["To"], form["Body"], direction="outbound-api", status="queued")
        message["callback"] = form.get("StatusCallback", "")
        return 201, self._shown(message) | {"status": "queued"}, {}

    def _add(self, sender: str, to: str, body: str, **what: str) -> dict[str, Any]:
        self.taken += 1
        message: dict[str, Any] = {
            "sid": f"SM{next(self._numbers):032d}",
            "from": sender,
            "to": to,
            "body": body,
            "error_code": None,
            "date_sent": format_datetime(self.clock()),
            "callback": "",
            **what,
        }
        if self.keeps:
            self.messages.append(message)
        return message

    def _shown(self, message: dict[str, Any]) -> dict[str, Any]:
        """As the API shows it: on its way until it has ended."""
        if message["direction"] == "outbound-api" and message["status"] in ("queued", "sent"):
            status, code = self.ends.get(message["to"], self.end)
            message["status"], message["error_code"] = status, code or None
        return {name: value for name, value in message.items() if name != "callback"}

    def _page(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        wanted = [
            one
            for one in reversed(self.messages)
            if asked.get("From") in (None, one["from"]) and asked.get("To") in (None, one["to"])
        ]
        size, page = int(asked.get("PageSize", 50)), int(asked.get("Page", 0))
        shown = [self._shown(one) for one in wanted[page * size : (page + 1) * size]]
        more = len(wanted) > (page + 1) * size
        following = f"{path}?{urlencode(asked | {'Page': page + 1})}" if more else None
        return {"messages": shown, "next_page_uri": following}


def signed(url: str, fields: dict[str, str]) -> Call:
    """As the gateway signs its posts."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    mac = hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    return Call(url, fields, base64.b64encode(mac).decode())


@contextmanager
def running_twilio() -> Iterator[Emulator]:
    """The emulator in a thread of this process, on a free port of loopback."""
    emulator, loop, ready = Emulator(), asyncio.new_event_loop(), threading.Event()

    async def start() -> None:
        server = await asyncio.start_server(emulator.serve, "127.0.0.1", 0)
        emulator.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        with suppress(RuntimeError):
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=work, name="twilio", daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield emulator
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _main(port: int, *, hangs: bool) -> None:
    emulator, stop = Emulator(keeps=False, hangs=hangs), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.start_server(emulator.serve, "127.0.0.1", port)
    print("ready", flush=True)
    await stop.wait()
    server.close()
    print(emulator.taken, flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), hangs="--hangs" in sys.argv))
