"""Who was told about an incident and who is next: the same for all readers of one incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from escalation.models import DeliveryState, Notification, Reason
from incidents.models import Incident


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who was told, and what came of it."""

    at: datetime
    person_id: int
    name: str
    role: str
    answered_at: datetime | None = None
    waits: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """A step that is still to come: who would be told, when, and by which clock."""

    at: datetime
    clock: str
    names: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """Lines of the ladder for the email, in order of time."""

    told: Sequence[Told] = ()
    upcoming: Sequence[Next] = ()


ASKED = (Reason.STEP, Reason.ASSIGNED, Reason.FALLBACK)
"""Reasons that belong on the ladder; news told afterwards does not."""


def context_of(incident: Incident, now: datetime) -> Context:
    """Look the ladder up for one incident."""
    notifications = (
        incident.notifications.filter(reason__in=ASKED, created_at__lte=now)
        .select_related("person")
        .prefetch_related("deliveries")
    )
    return Context(told=[told(notification) for notification in notifications])


def told(notification: Notification) -> Told:
    """One line of the ladder from a notification with its person and deliveries loaded."""
    states = {delivery.state for delivery in notification.deliveries.all()}
    return Told(
        at=notification.created_at,
        person_id=notification.person_id,
        name=str(notification.person),
        role=notification.role,
        answered_at=notification.answered_at,
        waits=notification.wants_answer and notification.answered_at is None,
        failed=bool(states) and states <= {DeliveryState.FAILED},
    )
