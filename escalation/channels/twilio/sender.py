"""Hands texts over to a Twilio-compatible gateway, several at once over the same connections."""

from __future__ import annotations

from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings

from escalation.channels.base import PermanentFailure, Receipt
from escalation.channels.twilio.client import AT_ONCE, client_of
from escalation.models import Delivery
from opsdesk.outbound import Provider

CALLBACK = "/sms/twilio/status"


class Twilio:
    """A sender for `twilio://SID:TOKEN@api-host?from=%2B1…`; `twilio+http://` for an emulator."""

    at_once = AT_ONCE

    def __init__(self, provider: Provider):
        self._name = provider.name
        self._client = client_of(provider.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None  # the connections stay open for the next turn

    def send(self, delivery: Delivery) -> Receipt:
        if not delivery.address:
            raise PermanentFailure("No number.")
        sid = self._client.send(to=delivery.address, text=delivery.text, callback=callback())
        return Receipt(self._name, sid)

    def probe(self) -> None:
        """Ask for our account. Raises Failed."""
        self._client.probe()


def callback() -> str:
    """Where receipts are sent to; nothing when this machine has no public address: then they are fetched."""
    url = urlsplit(settings.BASE_URL)
    host = url.hostname or ""
    is_public = url.scheme == "https" and "." in host and not host.startswith("127.")
    return f"{settings.BASE_URL}{CALLBACK}" if is_public else ""
