"""A repeat that was none: what it had opened again is put back as it was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import F, Field
from django.utils import timezone

from incidents.lifecycle.moves import touch
from incidents.models import Event, EventKind, Incident, Status
from plant.models import Person

KEPT = (
    "clocks_from",
    "reopened_at",
    "reopen_count",
    "arrived_at",
    "contained_at",
    "resolved_at",
    "closed_at",
    "floor_confirmed_by",
    "floor_confirmed_at",
    "closed_cause",
    "closed_agreed_by",
    "no_fix_accepted_by",
    "no_fix_reason",
    "review_on",
    "next_update_due",
)
"""What coming back changes, besides the status and the words that were missed."""

AS_OPENED = (Status.REOPENED, Status.ACKNOWLEDGED)
"""Nobody has got product moving again since: later it is left as people have made it."""


def as_it_was(incident: Incident) -> dict[str, Any]:
    """Those fields as JSON, people by their id."""
    values = {name: getattr(incident, _field(name).attname) for name in KEPT}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _field(name: str) -> Field[Any, Any]:
    found = Incident._meta.get_field(name)
    assert isinstance(found, Field)
    return found


def holds_after_all(
    incident: Incident, *, repeat: int, by: Person | None, reason: str, now: datetime | None
) -> Incident:
    """Write down that what was taken for the same again was a mistake; the incident is locked.

    Where that repeat had opened it, and product was not moved again since, it is put back as it was: its
    status, its times, the floor's word. The line never stood still for it.
    """
    now = now or timezone.now()
    opened = _opened_by(incident, repeat)
    data: dict[str, Any] = {"repeat": repeat}
    if opened is None:
        return touch(incident, kind=EventKind.HOLDS_AFTER_ALL, by=by, now=now, words=reason, data=data)
    stopped = incident.downtimes.filter(started_at=opened.at, ended_at=None)
    stopped.update(ended_at=F("started_at"))
    data |= {"from": str(incident.status), "to": opened.data["from"]}
    was = {_field(name).attname: _field(name).to_python(kept) for name, kept in opened.data["was"].items()}
    promised = was.pop("next_update_due", None)  # of what came back before this was kept, nothing is
    return touch(
        incident,
        kind=EventKind.HOLDS_AFTER_ALL,
        by=by,
        now=now,
        words=reason,
        data=data,
        status=Status(opened.data["from"]),
        missed_updates=0,
        next_update_due=max(now, promised) if promised else None,
        **was,
    )


def _opened_by(incident: Incident, repeat: int) -> Event | None:
    """The event by which that repeat opened it, when it was the last to do so and it is open since."""
    if incident.status not in AS_OPENED:
        return None
    last = incident.events.filter(kind=EventKind.REOPENED).order_by("-at", "-pk").first()
    if last is None or last.data.get("repeat") != repeat or "was" not in last.data:
        return None
    return last
