"""A mail server that can misbehave and writes down what it took: `python -m chaos.sink <port> <record>`.

It reads one command a line from standard input and answers "done": `take`; `slow <seconds>` between having a
message and saying so; `hang`, everything stops in the middle; `refuse`, nobody listens any more.
Each message taken is one line of JSON in the record before the sender hears of it: {at, id, token, to}.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE | re.IGNORECASE)
TOKEN = re.compile(rb"/a/([2-9A-Z]{10})\b")
"""The signed link in a message about an incident: it names one notification."""

SOFT_BREAK = b"=\r\n"
"""What quoted-printable puts into a long line."""

GONE = "421 4.3.2 Going away"


class Sink:
    """The server's manners, and its record."""

    def __init__(self, record: Path) -> None:
        self.record = record.open("a", buffering=1)
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.slow = 0.0

    async def _through(self) -> str | None:
        """None when the command may go on; after a hang the sender is sent away."""
        if self.flowing.is_set():
            return None
        await self.flowing.wait()
        return GONE

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        gone = await self._through()
        return [gone] if gone else responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if gone := await self._through():
            return gone
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if gone := await self._through():
            return gone
        assert isinstance(envelope.content, bytes)
        self.write_down(envelope.content, envelope.rcpt_tos)
        if self.slow:
            await asyncio.sleep(self.slow)
        return "250 OK"

    def write_down(self, content: bytes, to: list[str]) -> None:
        plain = content.replace(SOFT_BREAK, b"")
        name, token = MESSAGE_ID.search(plain), TOKEN.search(plain)
        taken = {
            "at": time.time(),
            "id": name[1].decode() if name else "",
            "token": token[1].decode() if token else "",
            "to": to[0],
        }
        self.record.write(json.dumps(taken) + "\n")


class Server:
    """Listens, or does not."""

    def __init__(self, port: int, sink: Sink) -> None:
        self.port, self.sink = port, sink
        self.listening: asyncio.Server | None = None
        self.lines: set[SMTP] = set()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()

        def line() -> SMTP:
            made = SMTP(self.sink, loop=loop, hostname="localhost")
            self.lines.add(made)
            return made

        self.listening = await loop.create_server(line, "127.0.0.1", self.port)

    def close(self) -> None:
        """Refuse whoever comes, and hang up on who is there."""
        if self.listening is not None:
            self.listening.close()
        for line in self.lines:
            if isinstance(line.transport, asyncio.Transport):
                line.transport.abort()
        self.lines.clear()
        self.listening = None

    async def obey(self, command: str) -> None:
        name, _space, value = command.partition(" ")
        if name in ("take", "slow"):
            self.sink.slow = float(value or 0)
            self.sink.flowing.set()
            if self.listening is None:
                await self.open()
        elif name == "hang":
            self.sink.flowing.clear()
        elif name == "refuse":
            self.close()
            self.sink.flowing.set()


async def serve(port: int, record: Path) -> None:
    server = Server(port, Sink(record))
    await server.open()
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    while line := await commands.readline():
        await server.obey(line.decode().strip())
        print("done", flush=True)
    server.close()


if __name__ == "__main__":
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
