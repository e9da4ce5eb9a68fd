"""Sending a message again by hand: to the address as it is now, recorded with who wanted it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from escalation import delivery_log
from escalation.contact.proving import PROVES, reached_at
from escalation.models import Delivery, DeliveryState, Notification, Reason
from escalation.nudging import nudge_channel
from escalation.outbox.needed import is_current, is_still_needed, now_of
from incidents.models import Event, EventKind, Incident
from opsdesk.errors import Missing, Refused
from plant.models import Person

LONGEST_WHY = 200
ENDED = (DeliveryState.FAILED, DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.DROPPED)


@transaction.atomic
def resend(pk: int, *, by: Person, why: str = "", now: datetime | None = None) -> Delivery:
    """Queue the message of a delivery once more, by the same channel. The old row keeps its fate.

    Who did it stands with the message and on the incident's timeline; `why` may be left out. Raises
    NotAllowed for who does not read the log, Missing, and Refused with `on_its_way`, `answered`,
    `not_needed`, `not_again` or `no_address`.
    """
    now, why = now or timezone.now(), " ".join(why.split())[:LONGEST_WHY]
    found = delivery_log.visible_to(by).filter(pk=pk).first()
    if found is None:
        raise Missing("unknown_message", _("There is no such message."))
    incident = (
        Incident.objects.locked(found.notification.incident.number) if found.notification.incident else None
    )
    told = Notification.objects.select_for_update(of=("self",)).get(pk=found.notification_id)
    _refuse_if_pointless(told, incident, now)
    if not is_still_needed(told, now_of(incident), now):
        raise _not_needed()
    _refuse_if_on_its_way(found)
    made = _queue(found, told, now)
    told.data.setdefault("resent", []).append(
        {"delivery": made.pk, "instead_of": found.pk, "by": by.name, "why": why, "at": now.isoformat()}
    )
    told.save(update_fields=["data"])
    if incident is not None:
        _note(incident, made, by=by, why=why, now=now)
    transaction.on_commit(partial(nudge_channel, made.channel))
    return made


def is_pointless(told: Notification, now: datetime) -> bool:
    """Whether sending it again would only be refused, as far as its row and its incident say. No query."""
    try:
        _refuse_if_pointless(told, told.incident, now)
    except Refused:
        return True
    return False


def _refuse_if_pointless(told: Notification, incident: Incident | None, now: datetime) -> None:
    """As the outbox asks in the moment before it sends: what it would drop is refused here in words."""
    if told.reason in PROVES:
        raise Refused("not_again", _("A code or test counts once. Send a new one from the person's page."))
    if told.reason == Reason.DIGEST:
        raise Refused(
            "not_again", _("It said several things. Send those again that still matter, one by one.")
        )
    if told.answered_at is not None:
        raise Refused("answered", _("They have answered it: it got there."))
    if not is_current(told, now_of(incident), now):
        raise _not_needed()


def _not_needed() -> Refused:
    return Refused("not_needed", _("It is not needed any more: what it says was answered or is over."))


def _refuse_if_on_its_way(found: Delivery) -> None:
    """One message at a time to a person by a channel."""
    siblings = Delivery.objects.filter(notification=found.notification_id, channel=found.channel)
    is_live = siblings.filter(state__in=(DeliveryState.QUEUED, DeliveryState.SENDING)).exists()
    if is_live or found.carrier.state not in ENDED:
        raise Refused("on_its_way", _("It is on its way already."))


def _queue(found: Delivery, told: Notification, now: datetime) -> Delivery:
    address = reached_at(told.person, found.channel)
    if not address:
        raise Refused(
            "no_address", _("There is no way to them by this channel now. Correct their page first.")
        )
    return Delivery.objects.create(
        notification=told,
        channel=found.channel,
        address=address,
        language=told.person.language,
        rank=found.rank,
        queued_at=now,
        not_before=now,
    )


def _note(incident: Incident, made: Delivery, *, by: Person, why: str, now: datetime) -> None:
    """Whoever reads the timeline sees that the silence was not taken for an answer."""
    data = {"to": made.notification.person.name, "way": made.channel, "delivery": made.pk}
    Event.objects.create(
        incident=incident,
        at=now,
        by=by,
        kind=EventKind.RESENT,
        version=incident.version,
        words=why,
        data=data,
    )
