"""Receipts: pushed to us or fetched, each recorded once, and what happens when one says no or does not come.

A receipt that is overdue sends the message by the next provider, and by the next channel or up when no
provider is left. It is still recorded when it comes later.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from escalation import watch
from escalation.channels import Failed, OptedOut, PermanentFailure, Provider, providers_of
from escalation.channels.twilio import client_of
from escalation.channels.twilio.client import Status, by_code
from escalation.channels.twilio.sender import callback
from escalation.inbound import opting_out
from escalation.models import Delivery, DeliveryState
from escalation.outbox import fallback, standing_in, together, undelivered
from escalation.outbox.needed import needs_another_way, now_of
from incidents.models import Incident
from plant.models import Channel

logger = logging.getLogger(__name__)

ARRIVED = frozenset({"delivered", "read"})
LOST = frozenset({"undelivered", "failed", "canceled"})

BATCH = 50

FETCHED_FOR = timedelta(hours=1)
"""How long after it was sent a message is looked for in the provider's list."""

FETCHED_EVERY = timedelta(seconds=4)
"""A channel looks every five seconds at least (`CELERY_BEAT_SCHEDULE`): then it is time each time."""

SAFETY_NET_EVERY = timedelta(seconds=30)
"""Where receipts are pushed to us, one may be lost on its way."""


def due_at(delivery: Delivery, provider: Provider, now: datetime) -> datetime | None:
    """When something urgent goes another way unless this provider's receipt has come; None: never."""
    if provider.scheme != "twilio" or not delivery.notification.is_urgent:
        return None
    return now + timedelta(seconds=settings.RECEIPT_SECONDS)


def record(status: Status, now: datetime, *, provider: str = "") -> bool:
    """What a provider says of a message. Repeating it is harmless. False: we sent no such message."""
    found = Delivery.objects.filter(channel=Channel.SMS, provider_ref=status.reference)
    if provider:
        found = found.filter(provider=provider)  # two gateways in a plant may count their messages alike
    delivery = found.select_related("notification__incident", "notification__timer").first()
    if delivery is None:
        return False
    if status.status in ARRIVED:
        is_news = found.filter(pk=delivery.pk, state=DeliveryState.SENT).update(
            state=DeliveryState.DELIVERED, delivered_at=now, receipt_due_at=None
        )
        if is_news:
            undelivered.arrived(delivery, now)
    elif status.status in LOST:
        _lost(delivery, by_code(status.error_code, status.status), now)
    return True


def look_for_silent(channel: str, now: datetime) -> int:
    """Send what has no receipt in time another way; how many. A bad one is contained."""
    due = Delivery.objects.filter(channel=channel, receipt_due_at__lte=now).order_by("receipt_due_at")
    silent = list(due.select_related("notification__incident", "notification__timer")[:BATCH])
    for delivery in silent:
        try:
            _silent(delivery, now)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception(
                "Delivery %s without a receipt found no other way; it is tried again.", delivery.pk
            )
            again = now + timedelta(seconds=30)
            Delivery.objects.filter(pk=delivery.pk).update(receipt_due_at=again)
    return len(silent)


def fetch(channel: str, now: datetime) -> int:
    """Ask the providers about what they have given no receipt for; how many said something new."""
    return sum(_fetch(channel, one, now) for one in _asked_for_receipts(channel))


def are_fetched(channel: str) -> bool:
    """Whether a provider of the channel is asked for receipts."""
    return bool(_asked_for_receipts(channel))


def _asked_for_receipts(channel: str) -> list[Provider]:
    return [one for one in providers_of(channel) if one.scheme == "twilio"]


def _fetch(channel: str, provider: Provider, now: datetime) -> int:
    waiting = Delivery.objects.filter(
        channel=channel, provider=provider.name, state=DeliveryState.SENT, sent_at__gt=now - FETCHED_FOR
    )
    sent = dict(waiting.exclude(provider_ref="").values_list("provider_ref", "sent_at"))
    every = SAFETY_NET_EVERY if callback() else FETCHED_EVERY
    if not sent or not watch.is_time_for(f"fetch {provider.name}"[:40], now, every=every):
        return 0
    oldest = min(at for at in sent.values() if at is not None)
    said: list[Status] = []
    try:
        said.extend(client_of(provider.url).statuses(oldest - timedelta(minutes=1)))
    except Failed as failure:
        logger.warning("Receipts of %s cannot be fetched: %s", provider.name, failure)
    news = [one for one in said if one.reference in sent and one.status in ARRIVED | LOST]
    oldest_first = reversed(news)  # as they are pushed
    return sum(record(one, now, provider=provider.name) for one in oldest_first)


# --- one that did not arrive, or says nothing ---


def _lost(delivery: Delivery, failure: Failed, now: datetime) -> None:
    """The provider took it and could not bring it there."""
    with transaction.atomic():
        _lock(delivery)
        lost = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENT)
        delivery.note_trouble(str(failure))
        changed = lost.update(
            state=DeliveryState.FAILED, failed_at=now, receipt_due_at=None, error=delivery.error
        )
        if changed:
            delivery.state = DeliveryState.FAILED
            _another_way(delivery, now, is_elsewhere=not isinstance(failure, PermanentFailure))
    if changed and isinstance(failure, OptedOut):
        opting_out.stop(delivery.address, now=now)
    if changed:
        undelivered.lost(delivery, failure, now)


@transaction.atomic
def _silent(delivery: Delivery, now: datetime) -> None:
    _lock(delivery)
    overdue = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENT, receipt_due_at__lte=now)
    if not overdue.update(receipt_due_at=None, silent_at=now):
        return  # the receipt came, or another process was quicker
    delivery.silent_at = now
    delivery.error = f"No receipt within {settings.RECEIPT_SECONDS} s."
    _another_way(delivery, now, is_elsewhere=True)


def _lock(delivery: Delivery) -> None:
    """The incident first, always."""
    if delivery.notification.incident is not None:
        delivery.notification.incident = Incident.objects.locked(delivery.notification.incident.number)


def _another_way(delivery: Delivery, now: datetime, *, is_elsewhere: bool) -> None:
    """By the next provider; when none is left, what is urgent by the next channel or up."""
    notification = delivery.notification
    if standing_in.is_waiting(delivery) or not needs_another_way(
        notification, now_of(notification.incident), now
    ):
        return
    if is_elsewhere and standing_in.is_left(delivery):
        standing_in.queue(delivery, now)
    elif together.is_together(delivery):
        together.fail(delivery, now)
    elif notification.is_urgent and notification.incident_id:
        fallback.find_another_way(delivery, now)
