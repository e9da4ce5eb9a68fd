"""The table of allowed moves, and the one way to write a change with its timeline event."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.models import Event, EventKind, Incident, Status
from incidents.permissions import Action, refuse_unless
from incidents.signals import incident_changed
from opsdesk.errors import Invalid, Refused
from plant.models import Person

LAST_YEAR = 2100
"""Of any date that somebody gives; what is later was mistyped, and leaves no room to add a day to it."""

ALLOWED_FROM: dict[Status, frozenset[Status]] = {
    Status.RAISED: frozenset({Status.ACKNOWLEDGED, Status.REOPENED}),
    Status.ACKNOWLEDGED: frozenset({Status.RAISED, Status.ACKNOWLEDGED, Status.REOPENED}),
    Status.CONTAINED: frozenset({Status.ACKNOWLEDGED, Status.REOPENED}),
    Status.RESOLVED: frozenset({Status.CONTAINED}),
    Status.CLOSED: frozenset(
        {
            Status.RAISED,
            Status.ACKNOWLEDGED,
            Status.REOPENED,
            Status.CONTAINED,
            Status.RESOLVED,
        }
    ),
    Status.REOPENED: frozenset({Status.CONTAINED, Status.RESOLVED, Status.CLOSED}),
}
"""To which status from which (domain §2). Closing from an early status has rules of its own in `closing`."""

ENDS_EVERYTHING: dict[str, Any] = {
    "next_update_due": None,
    "missed_updates": 0,
    "assigned_to": None,
    "waiting_on": "",
    "waiting_name": "",
    "waiting_until": None,
    "shelved_by": None,
    "shelved_at": None,
    "shelved_until": None,
    "shelved_reason": "",
}
"""What an incident that closes no longer owes, waits for or pauses."""


def locked(number: int | str, *, by: Person, action: Action, seen_version: int | None = None) -> Incident:
    """The incident, locked, after asking for permission and for a fresh screen."""
    incident = Incident.objects.locked(number)
    refuse_unless(by, action, incident)
    incident.refuse_if_stale(seen_version)
    return incident


def move(
    incident: Incident,
    *,
    to: Status,
    kind: EventKind,
    by: Person | None,
    now: datetime | None,
    words: str = "",
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Incident:
    """Change the status and the named fields, and append the event; refuse a move the table does not have."""
    if Status(incident.status) not in ALLOWED_FROM[to]:
        raise Refused(
            "wrong_status",
            _("%(code)s is “%(status)s” now, so it cannot become “%(wanted)s”.")
            % {
                "code": incident.code,
                "status": incident.get_status_display(),
                "wanted": to.label,
            },
        )
    details = {"from": str(incident.status), "to": str(to), **(data or {})}
    return touch(
        incident,
        kind=kind,
        by=by,
        now=now,
        words=words,
        data=details,
        status=to,
        **changes,
    )


def touch(
    incident: Incident,
    *,
    kind: EventKind,
    by: Person | None,
    now: datetime | None,
    words: str = "",
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Incident:
    """Write the named fields, bump the version, append the event and tell the others once committed."""
    for name, value in changes.items():
        setattr(incident, name, value)
    incident.version += 1
    incident.save(update_fields=["version", *changes])
    record(incident, kind=kind, by=by, now=now, words=words, data=data)
    announce(incident)
    return incident


def record(
    incident: Incident,
    *,
    kind: EventKind,
    by: Person | None,
    now: datetime | None,
    words: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Append one line to the timeline."""
    return Event.objects.create(
        incident=incident,
        at=now or timezone.now(),
        by=by,
        kind=kind,
        version=incident.version,
        words=words,
        data=data or {},
    )


def announce(incident: Incident) -> None:
    """Send `incident_changed` once the transaction is committed."""
    transaction.on_commit(
        partial(
            incident_changed.send_robust,
            sender=Incident,
            incident_id=incident.pk,
            number=incident.number,
            site_id=incident.site_id,
        )
    )


def needs_near(day: date, field: str) -> None:
    """Raise Invalid (`too_far`) for a day that was mistyped."""
    if day.year > LAST_YEAR:
        sentence = _("The year %(year)d is too far away.") % {"year": day.year}
        raise Invalid("too_far", sentence, fields={field: [sentence]})


def needs_reason(reason: str) -> str:
    """The reason without blanks around it; Invalid when there is none."""
    reason = reason.strip()
    if not reason:
        sentence = _("Give a reason. Everybody sees it.")
        raise Invalid("no_reason", sentence, fields={"reason": [sentence]})
    return reason
