"""Several messages to one person as one: made, asked again before it goes out, and what happens if it fails.

The one message is a notification about the site with a delivery of its own; the others point to it and share
its fate. They are in it from one transaction on, so that a crash loses none: either they wait themselves, or
the message that carries them does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from escalation.models import Delivery, DeliveryState, Notification, Rank, Reason
from escalation.outbox import fallback
from escalation.outbox.load import Waiting
from escalation.outbox.needed import is_still_needed, now_of
from incidents.models import Incident

logger = logging.getLogger(__name__)


def make(
    messages: Sequence[Waiting], channel: str, now: datetime, *, storm_id: int | None = None
) -> Delivery:
    """One message that says all these; the caller holds their rows. `key` makes it once."""
    first, rank = messages[0], min(one.rank for one in messages)
    data: dict[str, object] = {"things": len(messages)}
    data |= {"storm": storm_id} if storm_id is not None else {}
    data |= {"practice": True} if first.is_practice else {}
    data |= {"again": True} if all(one.is_repeat for one in messages) else {}
    notification = Notification.objects.create(
        site_id=first.site_id,
        person_id=first.person_id,
        reason=Reason.DIGEST,
        key=f"digest:{min(one.id for one in messages)}",
        is_urgent=rank <= Rank.URGENT,
        due_at=min(one.queued_at for one in messages),
        created_at=now,
        data=data,
    )
    delivery = Delivery.objects.create(
        notification=notification,
        channel=channel,
        address=first.address,
        language=first.language,
        rank=rank,
        queued_at=now,
        not_before=now,
    )
    Delivery.objects.filter(pk__in=[one.id for one in messages]).update(
        state=DeliveryState.BUNDLED, bundled_into=delivery, lease_until=None, lease_by=""
    )
    return delivery


def is_together(delivery: Delivery) -> bool:
    return delivery.notification.reason == Reason.DIGEST


def still_needed(delivery: Delivery, now: datetime) -> list[Delivery]:
    """What it carries and somebody still has to hear; the rest is dropped. Asked right before it goes out."""
    members = list(
        delivery.bundled.filter(state=DeliveryState.BUNDLED)
        .select_related("notification__person", "notification__timer", "notification__site")
        .order_by("rank", "queued_at", "id")
    )
    _give_incidents([one.notification for one in members])
    needed = [
        one for one in members if is_still_needed(one.notification, now_of(one.notification.incident), now)
    ]
    gone = [one.pk for one in members if one not in needed]
    if gone:
        Delivery.objects.filter(pk__in=gone, state=DeliveryState.BUNDLED).update(state=DeliveryState.DROPPED)
    notification, things = delivery.notification, len({_subject(one) for one in needed})
    if notification.data.get("things") != things:
        notification.data["things"] = things
        notification.save(update_fields=["data"])
    return needed


def _subject(member: Delivery) -> tuple[int | None, int]:
    """What it is about: an incident, or else itself."""
    about = member.notification.incident_id
    return about, 0 if about else member.pk


def _give_incidents(notifications: Sequence[Notification]) -> None:
    wanted = {one.incident_id for one in notifications if one.incident_id}
    found = {one.pk: one for one in Incident.objects.filter(pk__in=wanted).with_place()} if wanted else {}
    for one in notifications:
        if one.incident_id:
            one.incident = found[one.incident_id]


def only_one(delivery: Delivery, members: Sequence[Delivery]) -> Delivery | None:
    """The newest message where all that is left is about one thing: it is said as itself, but for a storm."""
    if "storm" in delivery.notification.data or len({_subject(one) for one in members}) > 1:
        return None
    return max(members, key=lambda one: one.pk)


def fail(delivery: Delivery, now: datetime) -> None:
    """It did not get through: everybody's urgent message in it takes another way, and with it fails for good.

    One after the other, each in its own transaction: a bad one does not keep the others. Repeating it after
    a crash is harmless. Raises what the last bad one raised, so that the message is tried again.
    """
    trouble: Exception | None = None
    members = delivery.bundled.filter(state=DeliveryState.BUNDLED).select_related("notification")
    for member in members.order_by("notification__incident_id", "id"):
        try:
            with transaction.atomic():
                _fail_one(member, delivery, now)
        except Exception as error:
            if not connection.is_usable():
                raise
            logger.exception("No other way was found for delivery %s.", member.pk)
            trouble = error
    if trouble is not None:
        raise trouble


def _fail_one(member: Delivery, carrier: Delivery, now: datetime) -> None:
    member.error = carrier.error
    if member.notification.is_urgent and member.notification.incident_id:
        fallback.find_another_way(member, now)
    if carrier.state == DeliveryState.FAILED:
        member.state, member.failed_at = DeliveryState.FAILED, now
        member.save(update_fields=["state", "failed_at", "error"])
