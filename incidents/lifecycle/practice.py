"""A practice incident: the system moves it on and ends it, and whoever would take it is thanked.

Nobody can change how it runs (`permissions.IN_PRACTICE`): it shows whether messages arrive, nothing else.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.lifecycle.moves import ENDS_EVERYTHING, announce, move, record
from incidents.models import EventKind, Incident, Status
from opsdesk.errors import Refused
from plant.models import Person

IS_PRACTICE = {"practice": True}
"""What the events of a practice carry: the system did it, and it is not news for those who were told."""


def thank(incident: Incident, *, by: Person, now: datetime | None = None) -> Incident:
    """ "I'll take it" in a practice: noted once. The ladder goes on, so that everybody on it is tried."""
    noted = incident.events.filter(kind=EventKind.SEEN, by=by, data__would_take=True)
    if not noted.exists():
        record(incident, kind=EventKind.SEEN, by=by, now=now, data={"would_take": True})
        announce(incident)
    return incident


@transaction.atomic
def practice_taken(number: int | str, *, owner: Person, now: datetime | None = None) -> Incident:
    """From here on it is played as if somebody had taken it: `owner` stands for them, and owes no word."""
    incident = _practice(number)
    if incident.status != Status.RAISED:
        return incident
    now = now or timezone.now()
    return move(
        incident,
        to=Status.ACKNOWLEDGED,
        kind=EventKind.ACKNOWLEDGED,
        by=None,
        now=now,
        data={**IS_PRACTICE, "owner": owner.name},
        owner=owner,
        acknowledged_at=now,
        next_update_due=None,
    )


@transaction.atomic
def end_practice(
    number: int | str, *, by: Person | None = None, why: str = "", now: datetime | None = None
) -> Incident:
    """The practice is over: played, or stopped by somebody. Repeating it is harmless.

    `why` goes into the event: a code of `escalation.drills.report.Ended`.
    """
    incident = _practice(number)
    if not incident.is_open:
        return incident
    now = now or timezone.now()
    return move(
        incident,
        to=Status.CLOSED,
        kind=EventKind.CLOSED,
        by=by,
        now=now,
        data={**IS_PRACTICE, "why": why},
        closed_at=now,
        **ENDS_EVERYTHING,
    )


def _practice(number: int | str) -> Incident:
    incident = Incident.objects.locked(number)
    if not incident.is_drill:
        raise Refused("not_practice", _("%(code)s is not a practice.") % {"code": incident.code})
    return incident
