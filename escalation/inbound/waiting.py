"""What waits for somebody's answer: what a text without a number can be an answer to."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from escalation.answering import ASKING
from escalation.heard import WENT_OUT, in_states
from escalation.models import Delivery, DeliveryQuerySet, Notification
from incidents.models import Incident
from plant.models import Channel, Person

TOGETHER = timedelta(hours=24)
"""How long what was in a message and has closed since is still said to be closed."""


def waiting_for(person: Person, *, channel: str = Channel.SMS) -> list[Incident]:
    """Open incidents whose messages reached the person by this way and have no answer yet, newest first."""
    asked = _went_out(person, channel).filter(notification__incident__closed_at=None)
    return _incidents(set(asked.values_list("notification__incident", flat=True)))


def closed_since(person: Person, now: datetime, *, channel: str = Channel.SMS) -> list[Incident]:
    """Those that closed before the person answered, of what they were told lately."""
    gone = _went_out(person, channel).filter(
        notification__incident__closed_at__isnull=False, notification__created_at__gt=now - TOGETHER
    )
    return _incidents(set(gone.values_list("notification__incident", flat=True)))


def _went_out(person: Person, channel: str) -> DeliveryQuerySet:
    unanswered = Notification.objects.filter(person=person, answered_at=None, reason__in=ASKING)
    return Delivery.objects.filter(
        Q(channel=channel),
        in_states(WENT_OUT),
        notification__in=unanswered,
        notification__incident__isnull=False,
    ).order_by()


def _incidents(ids: set[int | None]) -> list[Incident]:
    known = [pk for pk in ids if pk is not None]
    return list(Incident.objects.filter(pk__in=known).with_place().order_by("-number"))
