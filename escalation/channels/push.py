"""Web push: encrypted for one browser (RFC 8291), signed as us (VAPID, RFC 8292), over connections that stay.

A person's message goes to every device they signed up. It has gone out when one push service took it; a
device that is gone (404, 410) is taken off the list, and who has none left is reached another way, at once.
"""

from __future__ import annotations

import json
import logging
import os
import time
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from py_vapid import Vapid02  # type: ignore[import-untyped]
from py_vapid.utils import b64urlencode  # type: ignore[import-untyped]
from pywebpush import WebPusher, WebPushException  # type: ignore[import-untyped]

from escalation.channels.base import Failed, PermanentFailure, Receipt, TemporaryFailure, Unsure
from escalation.models import Delivery, PushDevice, Rank
from opsdesk.outbound import Provider

logger = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(6.0, connect=4.0)
"""Seconds for one device; five of them fit into `LONGEST_SEND`."""

TTL = {Rank.SAFETY: 3600, Rank.URGENT: 3600, Rank.QUIET: 12 * 3600}
"""Seconds for which the push service keeps a message for a device that is off. What is urgent is said again
by then; news of an hour ago is no alarm."""

TOKEN_SECONDS = 12 * 3600
"""How long our signature is good; a service takes at most 24 h (RFC 8292)."""

GONE = (404, 410)
"""The person took the permission back, or the browser is no more."""

LONGEST_BODY = 1500
"""Characters: a push service takes 4,096 bytes, encrypted."""


class WebPush:
    """A sender for `vapid://`."""

    def __init__(self, provider: Provider) -> None:
        self._name = provider.name
        self._client: httpx.Client | None = None
        self._tokens: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()

    def send(self, delivery: Delivery) -> Receipt:
        """To every device of the person. Raises PermanentFailure when none is left."""
        devices = list(PushDevice.objects.filter(person=delivery.notification.person_id))
        said, taken, failures = payload(delivery), "", list[Failed]()
        for device in devices:
            try:
                taken = self._send(device, said, delivery) or taken or f"device-{device.pk}"
            except Failed as failure:
                failures.append(failure)
        if taken:
            return Receipt(self._name, taken[:120])
        raise next(
            (one for one in failures if not one.is_permanent),
            failures[0] if failures else PermanentFailure("No device takes pushes any more."),
        )

    def _send(self, device: PushDevice, said: bytes, delivery: Delivery) -> str:
        """The service's name for the message. Raises Failed; a device that is gone is taken off the list."""
        assert self._client is not None  # used as a context
        try:
            answer = self._client.post(
                device.endpoint,
                content=_encrypted(device, said),
                headers=self._headers(device.endpoint, delivery),
            )
        except httpx.HTTPError as error:
            raise Unsure(f"The push service cannot be reached: {type(error).__name__}.") from error
        if answer.status_code in GONE:
            PushDevice.objects.filter(pk=device.pk, endpoint=device.endpoint).delete()
            raise PermanentFailure("The device takes no pushes any more.")
        if answer.is_success:
            PushDevice.objects.filter(pk=device.pk).update(last_used_at=timezone.now())
            return answer.headers.get("Location", "").rsplit("/", 1)[-1]
        raise _refused(answer)

    def _headers(self, endpoint: str, delivery: Delivery) -> dict[str, str]:
        rank = Rank(delivery.rank)
        return {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL[rank]),
            "Urgency": "high" if rank <= Rank.URGENT else "normal",
            "Topic": tag(delivery),
            **self._signature(endpoint),
        }

    def _signature(self, endpoint: str) -> dict[str, str]:
        """One for all messages of a batch to the same service."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._tokens:
            claims = {"aud": origin, "sub": _contact(), "exp": int(time.time()) + TOKEN_SECONDS}
            self._tokens[origin] = key().sign(claims)
        return self._tokens[origin]


def payload(delivery: Delivery) -> bytes:
    """What the service worker shows: words, where a tap leads, and what it takes the place of."""
    *_words, link = delivery.text.split() or [""]
    with override(delivery.language):
        said = {
            "title": delivery.subject,
            "body": delivery.text.removesuffix(link).strip()[:LONGEST_BODY],
            "url": link,
            "tag": tag(delivery),
            "lang": delivery.language,
            "stays": delivery.rank <= Rank.URGENT,
            "action": _("I’ve seen it") if delivery.notification.wants_answer else _("Read more"),
        }
    return json.dumps(said).encode()


def tag(delivery: Delivery) -> str:
    """The newest about an incident takes the place of the one before, on the screen and on its way."""
    incident = delivery.notification.incident
    return f"incident-{incident.number}" if incident else f"notice-{delivery.notification_id}"


def _encrypted(device: PushDevice, said: bytes) -> bytes:
    keys = {"p256dh": device.p256dh, "auth": device.auth}
    try:
        pusher: Any = WebPusher({"endpoint": device.endpoint, "keys": keys})
        return bytes(pusher.encode(said)["body"])
    except (WebPushException, ValueError) as error:
        raise PermanentFailure("The device’s keys cannot be used.") from error


def _refused(answer: httpx.Response) -> Failed:
    if answer.status_code == 429 or answer.status_code >= 500:
        kind = TemporaryFailure if answer.status_code == 429 else Unsure
        failure = kind(f"The push service is busy ({answer.status_code}).")
        failure.retry_after = retry_after(answer.headers.get("Retry-After", ""))
        return failure
    return PermanentFailure(f"The push service refuses it ({answer.status_code}).")


def retry_after(value: str, now: datetime | None = None) -> float | None:
    """Seconds from a `Retry-After` header: a number, or a date; None when there is none that can be read."""
    if value.strip().isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - (now or timezone.now())).total_seconds(), 0.0)


# --- who we are ---


def _contact() -> str:
    """Whom a push service may write to about our messages."""
    return f"mailto:{parseaddr(settings.EMAIL_FROM)[1]}"


def public_key() -> str:
    """Our public key as a browser wants it when it signs up (`applicationServerKey`), base64url."""
    point = key().public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return str(b64urlencode(point))


def key() -> Any:
    """Our signing key: from the settings, else the one beside the data, made by whoever asks first."""
    return _key(settings.VAPID_PRIVATE_KEY or _own_key(Path(settings.OPSDESK_HOME) / "vapid_key"))


@lru_cache(maxsize=4)
def _key(text: str) -> Any:
    return Vapid02.from_string(text)


@lru_cache(maxsize=4)
def _own_key(path: Path) -> str:
    """Losing it ends every subscription, so it is kept with the data and only its owner can read it."""
    if not path.exists():
        number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        draft = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(str(b64urlencode(number.to_bytes(32, "big"))))
        try:
            os.link(draft, path)  # whole or not at all, and never over the key of somebody who was quicker
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
