"""What managers decide: how bad it is, what it waits on, whether the alerts may pause."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.lifecycle.moves import locked, needs_near, needs_reason, touch
from incidents.lifecycle.working import WORKED_ON, next_update_due
from incidents.models import EventKind, Incident, Severity, WaitingOn
from incidents.permissions import Action
from opsdesk.errors import Invalid, Refused
from plant.models import Person

LONGEST_PAUSE = timedelta(hours=8)
"""A pause lasts 8 h at most (domain §4, rule 8)."""


def _refuse_closed(incident: Incident) -> None:
    if not incident.is_open:
        raise Refused("wrong_status", _("%(code)s is closed.") % {"code": incident.code})


@transaction.atomic
def change_severity(
    number: int | str,
    *,
    by: Person,
    severity: Severity | str,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """A floor call: after safety, the production or the materials manager has the last word."""
    incident = locked(number, by=by, action=Action.FLOOR_CALL, seen_version=seen_version)
    _refuse_closed(incident)
    reason = needs_reason(reason)
    if incident.is_safety and severity != Severity.S1:
        raise Refused("safety_stays_s1", _("Safety stays at the top. Nobody can lower it."))
    if severity == incident.severity:
        return incident
    now = now or timezone.now()
    data = {"from": str(incident.severity), "to": str(severity)}
    incident.severity = Severity(severity)
    return touch(
        incident,
        kind=EventKind.SEVERITY_CHANGED,
        by=by,
        now=now,
        words=reason,
        data=data,
        severity=incident.severity,
        next_update_due=_word_owed(incident, now),
    )


def _word_owed(incident: Incident, now: datetime) -> datetime | None:
    """The next word under the new severity, counted from the last one; a sooner promise stands."""
    if incident.status not in WORKED_ON:
        return incident.next_update_due
    last = incident.updates.order_by("-at").values_list("at", flat=True).first()
    since = max(filter(None, [last, incident.acknowledged_at, incident.reopened_at]))
    due = next_update_due(incident, since)
    return max(now, min(due, incident.next_update_due or due)) if due else None


@transaction.atomic
def wait_on(
    number: int | str,
    *,
    by: Person,
    on: WaitingOn | str,
    name: str,
    until: datetime,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """It waits on somebody else, who promised a time. It shows; it never stops the managers' clock."""
    incident = locked(number, by=by, action=Action.UPDATE, seen_version=seen_version)
    _refuse_closed(incident)
    now = now or timezone.now()
    if not name.strip():
        sentence = _("Say who or what it waits on.")
        raise Invalid("no_name", sentence, fields={"name": [sentence]})
    needs_near(until, "until")
    if until <= now:
        sentence = _("The promised time has passed already.")
        raise Invalid("in_past", sentence, fields={"until": [sentence]})
    return touch(
        incident,
        kind=EventKind.WAITING,
        by=by,
        now=now,
        words=name.strip(),
        data={"on": str(on), "until": until.isoformat()},
        waiting_on=WaitingOn(on),
        waiting_name=name.strip(),
        waiting_until=until,
    )


@transaction.atomic
def stop_waiting(
    number: int | str,
    *,
    by: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """What it waited on has come, or is not needed any more."""
    incident = locked(number, by=by, action=Action.UPDATE)
    if not incident.waiting_on:
        return incident
    incident.refuse_if_stale(seen_version)
    data = {"on": incident.waiting_on, "name": incident.waiting_name}
    return touch(
        incident,
        kind=EventKind.WAITING_ENDED,
        by=by,
        now=now,
        data=data,
        waiting_on="",
        waiting_name="",
        waiting_until=None,
    )


@transaction.atomic
def shelve(
    number: int | str,
    *,
    by: Person,
    until: datetime,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Pause the alerts: a manager, a reason, an end within 8 hours, never for safety."""
    incident = locked(number, by=by, action=Action.SHELVE, seen_version=seen_version)
    _refuse_closed(incident)
    if incident.is_safety:
        raise Refused("safety_never_pauses", _("Alerts about safety cannot be paused."))
    now = now or timezone.now()
    reason = needs_reason(reason)
    if not now < until <= now + LONGEST_PAUSE:
        sentence = _("A pause ends within 8 hours from now.")
        raise Invalid("bad_pause", sentence, fields={"until": [sentence]})
    return touch(
        incident,
        kind=EventKind.SHELVED,
        by=by,
        now=now,
        words=reason,
        data={"until": until.isoformat()},
        shelved_by=by,
        shelved_at=now,
        shelved_until=until,
        shelved_reason=reason,
    )


@transaction.atomic
def unshelve(
    number: int | str,
    *,
    by: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """End a pause before its time."""
    incident = locked(number, by=by, action=Action.SHELVE)
    if incident.shelved_until is None:
        return incident
    incident.refuse_if_stale(seen_version)
    return touch(
        incident,
        kind=EventKind.UNSHELVED,
        by=by,
        now=now,
        shelved_by=None,
        shelved_at=None,
        shelved_until=None,
        shelved_reason="",
        **_word_after_the_pause(incident, now or timezone.now()),
    )


def _word_after_the_pause(incident: Incident, now: datetime) -> dict[str, Any]:
    """A word that came due while nobody was asked for it is due when the pause ends."""
    due = incident.next_update_due
    return {"next_update_due": now} if due is not None and due < now else {}
