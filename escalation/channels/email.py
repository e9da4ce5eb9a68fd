"""Email over SMTP: one connection for a batch, messages built once, conversations that stay together."""

from __future__ import annotations

import binascii
import smtplib
import ssl
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.conf import settings
from django.utils import timezone

from escalation.channels.base import (
    ChannelDown,
    PermanentFailure,
    Receipt,
    RefusedHere,
    TemporaryFailure,
)
from escalation.channels.mail_token import token
from escalation.models import Delivery, Notification, Reason
from opsdesk.outbound import Provider

TIMEOUT = 10.0
"""Seconds that the server may take for one answer; a message takes four of them."""


class Smtp:
    """A sender for `smtp://user:password@host:587?tls=1`, or `smtps://` for TLS from the first byte."""

    def __init__(self, provider: Provider):
        self._name = provider.name
        self._url = urlsplit(provider.url)
        self._host = self._url.hostname or "localhost"
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        self._server = self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def send(self, delivery: Delivery) -> Receipt:
        """Hand one message over. A connection that the server has closed is opened again once."""
        if not is_address(delivery.address):
            raise PermanentFailure("No usable email address.")
        message = build(delivery)
        try:
            return self._hand_over(delivery, message)
        except (smtplib.SMTPServerDisconnected, ConnectionError):
            self._leave()
            self._server = self._connect()
        try:
            return self._hand_over(delivery, message)
        except (smtplib.SMTPServerDisconnected, ConnectionError) as error:
            raise ChannelDown(f"{self._host} closes the connection.") from error

    def probe(self) -> None:
        """Ask the server that has taken our connection for a sign. Raises Failed."""
        assert self._server is not None
        try:
            code, _text = self._server.noop()
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelDown(f"{self._host} does not answer.") from error
        if code >= 400:
            raise ChannelDown(f"{self._host} is not available.")

    def _hand_over(self, delivery: Delivery, message: bytes) -> Receipt:
        assert self._server is not None
        sender = reply_address(delivery) or _parsed(settings.EMAIL_FROM)[1]
        try:
            self._server.sendmail(sender, [delivery.address], message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[delivery.address]
            raise _refusal(code, text) from error
        except smtplib.SMTPResponseException as error:
            if error.smtp_code == 421:
                raise ChannelDown(f"{self._host} is not available.") from error
            # not of this reader: another server may know the sender, or mind the words less
            failure = _refusal(error.smtp_code, error.smtp_error)
            raise RefusedHere(str(failure)) if failure.is_permanent else failure from error
        except (TimeoutError, smtplib.SMTPServerDisconnected) as error:
            # smtplib says "disconnected" for both: only a silent server must not be given the message again.
            if not isinstance(error, TimeoutError) and not isinstance(error.__context__, TimeoutError):
                raise
            self._leave()
            raise ChannelDown(f"{self._host} does not answer.") from error
        return Receipt(self._name, message_id(delivery))

    def _connect(self) -> smtplib.SMTP:
        try:
            return _connected(self._url, self._host)
        except smtplib.SMTPAuthenticationError as error:
            # its words may repeat what it was told
            raise ChannelDown(f"{self._host} refuses our login ({error.smtp_code}).") from None
        except (OSError, smtplib.SMTPException) as error:
            reason = getattr(error, "smtp_error", None) or error
            raise ChannelDown(f"{self._host} cannot be used: {_words(reason)}") from error

    def _leave(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _connected(url: SplitResult, host: str) -> smtplib.SMTP:
    server: smtplib.SMTP
    if url.scheme == "smtps":
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT)
        if parse_qs(url.query).get("tls", ["0"])[0] not in ("0", ""):
            server.starttls(context=ssl.create_default_context())
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))
    return server


def _refusal(code: int, text: object) -> TemporaryFailure | PermanentFailure:
    sentence = f"{code} {_words(text)}"
    return PermanentFailure(sentence) if code >= 500 else TemporaryFailure(sentence)


def _words(text: object) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return " ".join(said.split())[:200]


def is_address(text: str) -> bool:
    """Something with one @ that cannot smuggle a second header or recipient in."""
    return text.count("@") == 1 and text.isascii() and not any(c.isspace() or c in "<>,;" for c in text)


# --- the message itself: written by hand, as the standard library's writer takes 3 ms for each ---


def build(delivery: Delivery) -> bytes:
    """The whole message with CRLF line ends: plain text and HTML with the same words."""
    root = f"<{_thread(delivery.notification)}@{_domain()}>"
    back = reply_address(delivery)
    boundary = f"=_opsdesk_{delivery.pk}_{delivery.notification_id}"
    head = (
        f"From: {_sender()}",
        f"To: {delivery.address}",
        f"Subject: {_encoded(delivery.subject)}",
        f"Date: {format_datetime(timezone.now())}",
        f"Message-ID: {message_id(delivery)}",
        f"In-Reply-To: {root}",
        f"References: {root}",
        *([f"Reply-To: {back}"] if back else []),
        f"List-Id: OpsDesk <alerts.{_domain()}>",
        f"List-Unsubscribe: <{settings.BASE_URL}/profile/>",
        "Precedence: bulk",
        f"Auto-Submitted: {_made_by(delivery.notification)}",
        "X-Auto-Response-Suppress: All",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    )
    parts = [_part(boundary, "plain", delivery.text)]
    if delivery.html:
        parts.append(_part(boundary, "html", delivery.html))
    text = "\n".join(head).encode("ascii") + b"\n\n" + b"".join(parts) + f"--{boundary}--\n".encode()
    return text.replace(b"\n", b"\r\n")


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = (
        f"--{boundary}\nContent-Type: text/{kind}; charset=utf-8\n"
        "Content-Transfer-Encoding: quoted-printable\n\n"
    )
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return head.encode("ascii") + binascii.b2a_qp(plain.encode("utf-8")) + b"\n"


def message_id(delivery: Delivery) -> str:
    """The same for every attempt, so that a mailbox shows a message that went out twice once."""
    return f"<delivery-{token(delivery.pk)}@{_domain()}>"


def reply_address(delivery: Delivery) -> str:
    """Where answers and bounces go: the mailbox that is read, marked with the message; empty without one."""
    name, _at, host = settings.EMAIL_REPLY_TO.partition("@")
    return f"{name}+{token(delivery.pk)}@{host}" if host else ""


def _encoded(text: str) -> str:
    line = " ".join(text.split())
    return line if line.isascii() and len(line) < 900 else Header(line, "utf-8", maxlinelen=75).encode()


def _sender() -> str:
    return _formatted(settings.EMAIL_FROM)


@lru_cache(maxsize=8)
def _formatted(sender: str) -> str:
    return formataddr(_parsed(sender))


@lru_cache(maxsize=8)
def _parsed(sender: str) -> tuple[str, str]:
    """Name and address. Taking it apart costs as much as writing the whole head of a message."""
    return parseaddr(sender)


def _domain() -> str:
    return _parsed(settings.EMAIL_FROM)[1].partition("@")[2] or "localhost"


def own_address() -> str:
    """The address that our mails come from, in small letters."""
    return _parsed(settings.EMAIL_FROM)[1].casefold()


def _made_by(notification: Notification) -> str:
    """RFC 3834: whether it was sent by itself, or because of a mail that came in."""
    return "auto-replied" if notification.reason == Reason.REPLY else "auto-generated"


def _thread(notification: Notification) -> str:
    """All emails about one incident are one thread, also what came of answers; others stand alone."""
    incident = notification.incident
    number = incident.number if incident else notification.data.get("number")
    return f"notice-{notification.pk}" if number is None else f"incident-{number}"
