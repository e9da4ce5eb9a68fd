"""Where else? Each station with the same system is answered: to do, does not apply, done; and again later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.lifecycle.moves import needed, refuse, tell, write
from countermeasures.models import Answer, Countermeasure, Elsewhere, Stage
from countermeasures.promises.follow import follow_elsewhere
from countermeasures.where_else import applies_to, stations, systems_of
from incidents.permissions import ALLOWED, Action, refuse_unless
from opsdesk.errors import NotAllowed, Refused
from plant.models import Person, Station, System

USUAL_DAYS = 14
"""Days until it is to be done elsewhere when nobody names a day: two weeks of quiet time."""

MANY_SYSTEMS = _("This station has several systems. Say first which of them it is about.")


@transaction.atomic
def choose_system(
    pk: int, *, by: Person, system: System, seen_version: int | None = None, now: datetime | None = None
) -> Countermeasure:
    """Of several systems at the station, this one it is about. Stations that were answered stay answered."""
    found = _locked(pk, by=by, seen_version=seen_version)
    refuse_unless(by, Action.PLAN, found.incident)
    if system not in systems_of(found.incident):
        refuse("system", "unknown_system", _("This system is not used where it happened."))
    if found.system == system:
        return found
    return write(found, by=by, now=now, did="system_chosen", words=system.plain_name, system=system)


@transaction.atomic
def applies_elsewhere(
    pk: int,
    *,
    by: Person,
    station: Station,
    owner: Person | None = None,
    due_on: date | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Elsewhere:
    """It is needed there too. It becomes a task with an owner and a day: by default those of the
    countermeasure's owner, and two weeks from now."""
    found = _locked(pk, by=by, seen_version=seen_version)
    _refuse_others(by, station, _before(found, station))
    now = now or timezone.now()
    owner = owner or found.owner
    if owner is None:
        refuse("owner", "no_owner", _("Say who does it."))
    if not (owner.is_active and owner.sees_site(station.line.area.site_id)):
        refuse("owner", "cannot_take", _("%(name)s does not work at this site.") % {"name": owner})
    due_on = due_on or now.astimezone(station.line.area.site.tz).date() + timedelta(days=USUAL_DAYS)
    return _answer(found, station, Answer.APPLIES, by=by, now=now, owner=owner, due_on=due_on)


@transaction.atomic
def does_not_apply_elsewhere(
    pk: int,
    *,
    by: Person,
    station: Station,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Elsewhere:
    """Somebody looked, and it is not needed there, for this reason."""
    found = _locked(pk, by=by, seen_version=seen_version)
    reason = needed(reason, "reason", _("Say why it does not apply there."))
    return _answer(found, station, Answer.DOES_NOT_APPLY, by=by, now=now, reason=reason)


@transaction.atomic
def done_elsewhere(
    pk: int,
    *,
    by: Person,
    station: Station,
    evidence: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Elsewhere:
    """It is in place there, and here is the evidence."""
    found = _locked(pk, by=by, seen_version=seen_version)
    evidence = needed(evidence, "evidence", _("Say how one can see that it is in place there."))
    return _answer(found, station, Answer.DONE, by=by, now=now, evidence=evidence)


def _locked(pk: int, *, by: Person, seen_version: int | None) -> Countermeasure:
    """Also of a closed incident: the question outlives it, and does not keep it open (ADR 0091)."""
    found = Countermeasure.objects.locked(pk)
    refuse_unless(by, Action.ADD_WORDS, found.incident)
    found.incident.refuse_if_stale(seen_version)
    if not applies_to(found):
        raise Refused("a_bandage", _("A bandage stays where it is. Ask this of what stops it coming back."))
    if found.stage == Stage.WITHDRAWN:
        raise Refused("wrong_status", _("“%(what)s” was given up.") % {"what": found.what})
    return found


def _before(found: Countermeasure, station: Station) -> Elsewhere | None:
    return Elsewhere.objects.filter(countermeasure=found, station=station).select_related("owner").first()


def _answer(
    found: Countermeasure,
    station: Station,
    answer: Answer,
    *,
    by: Person,
    now: datetime | None,
    **given: Any,
) -> Elsewhere:
    """Write the answer and tell the timeline; the same answer again changes nothing."""
    before = _before(found, station)
    _refuse_others(by, station, before)
    _refuse_unlisted(found, station)
    owner, due_on = given.pop("owner", None), given.pop("due_on", None)
    if before is not None and answer == Answer.DONE:
        owner, due_on = before.owner, before.due_on  # who did it, and for when it was promised
    values = {"reason": "", "evidence": "", **given, "answer": answer, "owner": owner, "due_on": due_on}
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return before
    row, _new = Elsewhere.objects.update_or_create(
        countermeasure=found,
        station=station,
        defaults={**values, "answered_by": by, "answered_at": now or timezone.now()},
    )
    words = f"{station.line}, {station}. {row.reason or row.evidence}".rstrip(". ")
    data = {"station": station.code, "answer": answer.value, "task_owner": owner.name if owner else ""}
    tell(found, by=by, now=now, did=f"elsewhere_{answer.value}", words=words, data=data)
    follow_elsewhere(row, found, by=by, now=now)
    return row


def _refuse_others(by: Person, station: Station, before: Elsewhere | None) -> None:
    """Who plans countermeasures at that station answers for it; who does the task may finish it."""
    area = station.line.area
    roles = ALLOWED[Action.PLAN] or frozenset()
    if before is not None and before.owner == by and by.sees_site(area.site_id):
        return
    if not by.holds(*roles, site=area.site, area=area):
        raise NotAllowed("wrong_role", _("Your role cannot %(action)s.") % {"action": Action.PLAN.label})


def _refuse_unlisted(found: Countermeasure, station: Station) -> None:
    choices = systems_of(found.incident)
    system = found.system or (choices[0] if len(choices) == 1 else None)
    if system is None:
        raise Refused("no_system", MANY_SYSTEMS if choices else _("No system is known here to look for."))
    if not stations(found, system).filter(pk=station.pk).exists():
        refuse("station", "unknown_station", _("This station does not have the same system."))
