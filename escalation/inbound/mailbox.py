"""Reads the mailbox that answers go to, for plants that no provider can call. `IMAP_URL` names it.

A mail is marked as read after it was taken; one that is fetched twice acts once all the same.
"""

from __future__ import annotations

import imaplib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.db import DatabaseError
from imap_tools import AND, BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError

from escalation.inbound.mail import take_mail

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds that the server may take for one answer."""

MOST = 50
"""Mails of one turn; the rest waits for the next."""

REST = 60.0
"""Seconds for which a server that failed is left alone."""

_rests_until = 0.0


class MailboxDown(Exception):
    """The mailbox cannot be read now; the text says why, without the password."""


def poll(now: datetime | None = None) -> int:
    """Take what is unread, and return how many mails there were. Quiet while the server rests from a failure.

    Raises DatabaseError; the mail that met it stays unread.
    """
    global _rests_until
    if not settings.IMAP_URL or time.monotonic() < _rests_until:
        return 0
    try:
        return read_all(settings.IMAP_URL, now)
    except MailboxDown as down:
        _rests_until = time.monotonic() + REST
        logger.warning("%s", down)
        return 0


def read_all(url: str, now: datetime | None = None) -> int:
    """Take what is unread in the mailbox. Raises MailboxDown, DatabaseError."""
    taken = 0
    with _opened(url) as box:
        for uid in box.uids(AND(seen=False))[:MOST]:
            raw = _fetched(box, uid)
            try:
                take_mail(raw=raw, provider="imap", now=now)
            except DatabaseError:
                raise
            except Exception:
                logger.exception("Mail %s could not be taken; it is left alone.", uid)
            box.flag(uid, [MailMessageFlags.SEEN], True)
            taken += 1
    return taken


@contextmanager
def _opened(url: str) -> Iterator[BaseMailBox]:
    asked = urlsplit(url)
    host = asked.hostname or "localhost"
    try:
        with _connected(asked.scheme, host, asked.port, parse_qs(asked.query)) as box:
            folder = unquote(asked.path.strip("/")) or "INBOX"
            box.login(unquote(asked.username or ""), unquote(asked.password or ""), initial_folder=folder)
            yield box
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise MailboxDown(f"The mailbox at {host} cannot be read: {type(error).__name__}.") from error


def _connected(scheme: str, host: str, port: int | None, asked: dict[str, list[str]]) -> BaseMailBox:
    if scheme == "imaps":
        return MailBox(host, port or 993, timeout=TIMEOUT)
    if asked.get("tls", ["0"])[0] not in ("0", ""):
        return MailBoxStartTls(host, port or 143, timeout=TIMEOUT)
    return MailBoxUnencrypted(host, port or 143, timeout=TIMEOUT)


def _fetched(box: BaseMailBox, uid: str) -> bytes:
    """The mail as it is on the server, without marking it as read."""
    _status, data = box.client.uid("FETCH", uid, "(BODY.PEEK[])")
    return next((bytes(part[1]) for part in data if isinstance(part, tuple)), b"")
