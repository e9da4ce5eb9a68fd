"""A mail as it came, read without trusting it: whatever is broken in it counts as missing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parseaddr
from html.parser import HTMLParser

LARGEST = 30 * 1024 * 1024
"""Bytes of a mail that are read: a few photos. What is beyond is cut off."""

MOST_PARTS = 100
SMALL_PICTURE = 20 * 1024
"""Bytes below which a picture inside the text is a signature's logo, not a photo."""

LONGEST_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says. `sender` is its address in small letters; headers have small names."""

    reference: str
    sender: str = ""
    to: str = ""
    subject: str = ""
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    is_report: bool = False
    report: dict[str, str] = field(default_factory=dict)
    """Of a report about a mail of ours: `action`, `status`, `diagnostic-code`, `original`."""

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


def read(raw: bytes) -> Letter:
    """The mail. Never raises: what cannot be read at all is an empty one."""
    raw = raw[:LARGEST]
    unknown = f"sha256-{hashlib.sha256(raw).hexdigest()}"
    try:
        whole = message_from_bytes(raw, policy=policy.compat32)
        headers = _headers(whole)
        parts = list(_parts(whole))
        return Letter(
            reference=headers.get("message-id", "").strip()[:200] or unknown,
            sender=parseaddr(headers.get("from", ""))[1].casefold(),
            to=", ".join(address for _name, address in getaddresses([headers.get("to", "")]))[:254],
            subject=headers.get("subject", ""),
            text=_text(parts),
            headers=headers,
            pictures=tuple(_pictures(parts)),
            is_report=whole.get_content_type() == "multipart/report",
            report=_report(parts),
        )
    except (Exception, RecursionError):  # the mail library has many ways to fail on what is no mail
        return Letter(reference=unknown)


def _headers(whole: Message) -> dict[str, str]:
    """By small name; of several with one name all, one after the other."""
    found: dict[str, str] = {}
    for name, value in whole.items():
        key = name.lower()
        said = _decoded(str(value))
        found[key] = f"{found[key]} {said}" if key in found else said
    return found


def _decoded(value: str) -> str:
    try:
        text = str(make_header(decode_header(value)))
    except (ValueError, LookupError, UnicodeError, TypeError):
        text = value
    return " ".join(text.split())[:4000]


def _parts(whole: Message) -> Iterator[Message]:
    for count, part in enumerate(whole.walk()):
        if count >= MOST_PARTS:
            return
        yield part


def _bytes(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        return b""
    return content if isinstance(content, bytes) else b""


def _words(part: Message) -> str:
    content = _bytes(part)[:LONGEST_TEXT]
    charset = str(part.get_content_charset("utf-8") or "utf-8")
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError, TypeError):
        return content.decode("utf-8", "replace")


def _text(parts: list[Message]) -> str:
    """The first plain part that is no attachment, else the first HTML part without its tags."""
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                words = _words(part)
                return without_tags(words) if kind == "text/html" else words
    return ""


def _pictures(parts: list[Message]) -> Iterator[Picture]:
    for part in parts:
        if part.get_content_maintype() != "image":
            continue
        content = _bytes(part)
        is_inside = part.get_content_disposition() != "attachment"
        if content and not (is_inside and len(content) < SMALL_PICTURE):
            yield Picture(str(part.get_filename() or "photo")[:100], content)


def _report(parts: list[Message]) -> dict[str, str]:
    """The fields of a delivery report (RFC 3464) and the id of the mail that it is about."""
    found: dict[str, str] = {}
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in _inside(part):
                found |= {name.lower(): _decoded(str(value)) for name, value in block.items()}
        elif kind == "text/rfc822-headers":
            original = message_from_bytes(_bytes(part)[:LONGEST_TEXT], policy=policy.compat32)
            found["original"] = str(original.get("message-id", ""))
        elif kind == "message/rfc822":
            for inner in _inside(part):
                found["original"] = str(inner.get("message-id", ""))
    return found


def _inside(part: Message) -> list[Message]:
    payload: object = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


_SPACE = re.compile(r"\s+")


class _Plain(HTMLParser):
    """The words of an HTML mail, with an end of line after each block; quotes are marked with >."""

    BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "blockquote", "table"})
    HIDDEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._hidden = 0
        self._quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self.HIDDEN
        if tag in self.BLOCKS:
            self._quoted += tag == "blockquote"
            self.said.append("\n> " if self._quoted else "\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(self._hidden - (tag in self.HIDDEN), 0)
        if tag in self.BLOCKS:
            self._quoted = max(self._quoted - (tag == "blockquote"), 0)
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(_SPACE.sub(" ", data))


def without_tags(html: str) -> str:
    reader = _Plain()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError, RecursionError):
        pass
    lines = (line.strip() for line in "".join(reader.said).split("\n"))
    return "\n".join(line for line in lines if line and line != ">")
