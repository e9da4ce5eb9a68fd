"""A provider that takes every message and brings none: what its receipts say of it.

One number that cannot be reached says nothing of the provider; five different ones in a row do (ADR 150).
What it takes proves nothing then: it is back when a message has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from escalation import health
from escalation.channels import Failed, PermanentFailure, Provider, providers_of
from escalation.channels.twilio.client import by_code
from escalation.models import Delivery, DeliveryState
from escalation.outbox import provider_news

LOOKED_BACK = timedelta(days=1)
AT_MOST = 200
"""Messages that are looked at, newest first."""

SPEAKS_WITHIN = timedelta(minutes=10)
"""A message that has no receipt for so long was not refused: it ends the row. Some countries confirm none."""

LOOKED_AT = ("state", "sent_at", "delivered_at", "failed_at", "address", "error")


def arrived(delivery: Delivery, now: datetime) -> None:
    """A receipt says that it is there: its provider works."""
    provider = _provider_of(delivery)
    if provider is not None and health.arrived(delivery.channel, provider.name, now):
        provider_news.say(delivery.channel, provider, is_down=False, error="", now=now)


def lost(delivery: Delivery, failure: Failed, now: datetime) -> None:
    """A receipt says no: for a number that takes no texts, or for this one or the provider."""
    provider = _provider_of(delivery)
    if provider is None or isinstance(failure, PermanentFailure):
        return
    if len(_numbers_in_a_row(delivery.channel, provider.name, now)) < health.DOWN_AFTER:
        return
    why, sent_at = str(failure), delivery.sent_at or now
    if health.brings_nothing(delivery.channel, provider.name, why, now, sent_at=sent_at):
        provider_news.say(delivery.channel, provider, is_down=True, brings_nothing=True, error=why, now=now)


def _provider_of(delivery: Delivery) -> Provider | None:
    """As it is set up now; None when it no longer is."""
    return next((one for one in providers_of(delivery.channel) if one.name == delivery.provider), None)


def _numbers_in_a_row(channel: str, provider: str, now: datetime) -> set[str]:
    """Of whom the last receipts said no, back to the last that said yes or did not come in time."""
    found: set[str] = set()
    for _at, _sent_at, state, number, error in sorted(_said(channel, provider, now), reverse=True):
        if state != DeliveryState.FAILED:
            break
        if not _is_the_numbers(error):
            found.add(number)
    return found


def _said(channel: str, provider: str, now: datetime) -> Iterator[tuple[datetime, datetime, str, str, str]]:
    """What is known of the messages it took lately: when, sent when, state, number, error."""
    taken = Delivery.objects.filter(channel=channel, provider=provider, sent_at__gt=now - LOOKED_BACK)
    for one in taken.order_by("-sent_at").only(*LOOKED_AT)[:AT_MOST]:
        sent_at = one.sent_at or now
        at = one.failed_at or one.delivered_at or sent_at + SPEAKS_WITHIN
        if at <= now:
            yield at, sent_at, one.state, one.address, one.error


def _is_the_numbers(error: str) -> bool:
    """Whether a receipt, as it was written down, was about the number: it takes no texts, or wants none."""
    code, _colon, _rest = error.partition(":")
    return code.isdigit() and isinstance(by_code(int(code), ""), PermanentFailure)
