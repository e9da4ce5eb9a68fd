"""An SMTP server over loopback that speaks the real protocol and does what a test tells it to."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

logging.getLogger("mail.log").setLevel(logging.WARNING)


class Sink:
    """Keeps what it is given. `refuse` maps an address to an answer such as "550 No such user".

    `seconds` pass before a message is answered, `seconds_before` before it is taken at all.
    """

    def __init__(self) -> None:
        self.raw: list[tuple[str, bytes]] = []
        self.refuse: dict[str, str] = {}
        self.answer = "250 OK"
        self.seconds = 0.0
        self.seconds_before = 0.0
        self.connections = 0
        self.lock = threading.Lock()

    async def handle_EHLO(  # noqa: N802 - names of the protocol
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: list[str]
    ) -> str:
        if self.seconds_before:
            await asyncio.sleep(self.seconds_before)
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.seconds:
            time.sleep(self.seconds)
        if self.answer.startswith("250"):
            with self.lock:
                self.raw.append((envelope.rcpt_tos[0], bytes(envelope.content)))
        return self.answer

    @property
    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for _to, raw in self.raw]  # type: ignore[misc]

    @property
    def to(self) -> list[str]:
        return [to for to, _raw in self.raw]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_sink() -> Iterator[tuple[Sink, str]]:
    """The sink and its `smtp://` address."""
    sink, port = Sink(), free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield sink, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()
