"""Who was told about an incident and who is next: the same for all readers of one incident."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from escalation.ladder import NextStep, next_steps
from escalation.models import DeliveryState, Notification, Reason
from incidents.models import Incident
from plant.duty import DutyBook

logger = logging.getLogger(__name__)

AHEAD = timedelta(days=2)
"""How far ahead the roster is read to say who is next."""


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


ASKED = (Reason.STEP, Reason.ASSIGNED, Reason.FALLBACK, Reason.ASKED_AGAIN)
"""Reasons that belong on the ladder; news told afterwards does not."""


def context_of(incident: Incident, now: datetime) -> Context:
    """Look the ladder up for one incident."""
    return contexts_of([incident], now)[incident.pk]


def contexts_of(
    incidents: Iterable[Incident], now: datetime, *, book: DutyBook | None = None
) -> dict[int, Context]:
    """Who was told about each incident and who is next, in as many queries for one as for many."""
    known = {incident.pk: incident for incident in incidents}
    lines: dict[int, list[Told]] = {pk: [] for pk in known}
    rows = Notification.objects.filter(incident__in=known, reason__in=ASKED, created_at__lte=now)
    for notification in rows.with_deliveries().order_by("created_at", "id"):
        lines[notification.about_id].append(told(notification))
    upcoming = _upcoming(list(known.values()), now, book)
    return {pk: Context(told=lines[pk], upcoming=upcoming.get(pk, ())) for pk in known}


def _upcoming(
    incidents: Sequence[Incident], now: datetime, book: DutyBook | None
) -> dict[int, Sequence[Next]]:
    """The next step of each incident. It is worth a line, not the message: the email goes without it too."""
    try:
        with transaction.atomic():
            steps = next_steps(incidents, book or DutyBook.load(now, until=now + AHEAD), now)
    except Exception:
        logger.exception("Who is next could not be found for %s incidents.", len(incidents))
        return {}
    return {pk: [_next(step)] for pk, step in steps.items() if step.due_at > now}


def _next(step: NextStep) -> Next:
    return Next(
        at=step.due_at,
        clock=step.clock,
        names=tuple(str(one.person) for one in step.recipients),
        roles=tuple(one.role for one in step.recipients) or step.roles,
    )


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
