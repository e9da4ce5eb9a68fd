"""An IMAP server on loopback (RFC 9051, as much as a client that reads a mailbox needs)."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass
class Box:
    """The mails by their number, which of them were read, and how the server behaves."""

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    user: str = "replies@ops.example.com"
    password: str = "s3cret"
    drops_at: str = ""
    """The command at which it closes the connection."""
    commands: list[str] = field(default_factory=list)

    def deliver(self, raw: bytes) -> int:
        number = max(self.mails, default=0) + 1
        self.mails[number] = raw
        return number

    @property
    def unseen(self) -> list[int]:
        return [number for number in sorted(self.mails) if number not in self.seen]


class _Conversation(socketserver.StreamRequestHandler):
    box: Box

    def handle(self) -> None:
        self._say("* OK ready")
        for line in iter(self.rfile.readline, b""):
            tag, _space, rest = line.decode("utf-8", "replace").strip().partition(" ")
            name, _space, asked = rest.partition(" ")
            name = name.upper()
            if name == "UID":
                name, _space, asked = asked.partition(" ")
                name = f"UID {name.upper()}"
            self.box.commands.append(name)
            if name == self.box.drops_at:
                return
            answer = _COMMANDS.get(name)
            self._say(f"{tag} {answer(self, asked) if answer else 'BAD unknown command'}")
            if name == "LOGOUT":
                return

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def _capability(self, _asked: str) -> str:
        self._say("* CAPABILITY IMAP4rev1")
        return "OK done"

    def _login(self, asked: str) -> str:
        given = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', asked)]
        return "OK in" if given == [self.box.user, self.box.password] else "NO wrong password"

    def _select(self, _asked: str) -> str:
        self._say(f"* {len(self.box.mails)} EXISTS")
        self._say("* OK [UIDVALIDITY 1] valid")
        return "OK [READ-WRITE] selected"

    def _search(self, asked: str) -> str:
        found = self.box.unseen if "UNSEEN" in asked.upper() else sorted(self.box.mails)
        self._say(" ".join(["* SEARCH", *map(str, found)]))
        return "OK done"

    def _fetch(self, asked: str) -> str:
        number = int(asked.split()[0])
        raw = self.box.mails.get(number)
        if raw is not None:
            self.wfile.write(f"* {number} FETCH (UID {number} BODY[] {{{len(raw)}}}\r\n".encode() + raw)
            self._say(")")
        return "OK done"

    def _store(self, asked: str) -> str:
        numbers, _how, flags = asked.split(" ", 2)
        if "\\Seen" in flags:
            self.box.seen |= {int(one) for one in numbers.split(",")}
        return "OK done"

    def _done(self, _asked: str) -> str:
        return "OK done"

    def _logout(self, _asked: str) -> str:
        self._say("* BYE")
        return "OK bye"


_COMMANDS: dict[str, Callable[[_Conversation, str], str]] = {
    "CAPABILITY": _Conversation._capability,
    "LOGIN": _Conversation._login,
    "SELECT": _Conversation._select,
    "UID SEARCH": _Conversation._search,
    "UID FETCH": _Conversation._fetch,
    "UID STORE": _Conversation._store,
    "EXPUNGE": _Conversation._done,
    "NOOP": _Conversation._done,
    "CLOSE": _Conversation._done,
    "LOGOUT": _Conversation._logout,
}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def running_imap() -> Iterator[tuple[Box, str]]:
    """The mailbox and its address, as `IMAP_URL` names it."""
    box = Box()
    handler = type("Conversation", (_Conversation,), {"box": box})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        port = server.server_address[1]
        try:
            yield box, f"imap://{quote(box.user, safe='')}:{box.password}@127.0.0.1:{port}/INBOX"
        finally:
            server.shutdown()
            thread.join(timeout=5)
