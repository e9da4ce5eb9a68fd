"""Saying what we will do, who promises it, how we will know that it works, and why it happened at all."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.exposure import unit_of
from countermeasures.lifecycle.moves import (
    kept,
    locked_for,
    move,
    needed,
    refuse,
    refuse_same,
    refuse_strangers,
    tell,
    write,
)
from countermeasures.models import BEFORE, SHIFT_STARTS, Countermeasure, Kind, Stage, Strength
from countermeasures.promises.follow import give_up_elsewhere
from countermeasures.promises.lifecycle import note_in_the_way
from countermeasures.promises.models import InTheWay
from countermeasures.where_else import chosen_before
from incidents.lifecycle.moves import locked, needs_reason
from incidents.lifecycle.working import bandage_end
from incidents.models import Incident, SeverityRule
from incidents.permissions import Action
from opsdesk.errors import Refused
from plant.models import Person

NOT_PROVED: dict[str, Any] = {
    "checking_from": None,
    "checked_by": None,
    "checked_at": None,
    "measured": "",
    "placed_by": None,
    "exposed": 0,
}
"""What is promised again has its boxes empty; what was measured before stays in the timeline."""


@transaction.atomic
def add(
    number: int | str,
    *,
    by: Person,
    kind: Kind | str,
    what: str,
    owner: Person | None = None,
    due_on: date | None = None,
    strength: Strength | str = "",
    expires_on: date | None = None,
    metric: str = "",
    baseline: str = "",
    target: str = "",
    window_days: int | None = None,
    window_exposure: int | None = None,
    exposure_unit: str = "",
    checker: Person | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """Write down what we will do. With an owner and a day it is promised, without them it is to be agreed."""
    incident = locked(number, by=by, action=Action.PLAN, seen_version=seen_version)
    if not incident.is_open:
        raise Refused("wrong_status", _("%(code)s is closed.") % {"code": incident.code})
    what = needed(what, "what", _("Say what you will do."))
    now = now or timezone.now()
    refuse_same(owner, checker)
    refuse_strangers(incident, owner=owner, checker=checker)
    found = Countermeasure.objects.create(
        incident=incident,
        kind=kind,
        stage=Stage.IN_WORK if owner and due_on else Stage.PLANNED,
        what=what,
        owner=owner,
        due_on=due_on,
        strength=strength,
        expires_on=bandage_end(incident, expires_on, now) if kind == Kind.CONTAINMENT else None,
        metric=metric.strip(),
        baseline=baseline.strip(),
        target=target.strip(),
        **window_of(incident, kind, days=window_days, times=window_exposure, unit=exposure_unit),
        checker=checker,
        system=chosen_before(incident) if kind != Kind.CONTAINMENT else None,
        created_by=by,
        created_at=now,
    )
    tell(found, by=by, now=now, did="added", words=what, data={"changed": first_values(found)})
    return found


FIRST_SAID = (
    "owner",
    "due_on",
    "strength",
    "expires_on",
    "metric",
    "baseline",
    "target",
    "window_days",
    "window_exposure",
    "exposure_unit",
    "checker",
)


def first_values(found: Countermeasure) -> dict[str, list[Any]]:
    """What was said when it was added: every field that has something in it, from nothing."""
    values = {name: kept(getattr(found, name)) for name in FIRST_SAID}
    return {name: [None, value] for name, value in values.items() if value not in (None, "")}


@transaction.atomic
def start(
    pk: int,
    *,
    by: Person,
    owner: Person | None = None,
    due_on: date | None = None,
    strength: Strength | str = "",
    reason: str = "",
    in_the_way: InTheWay | str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """Promise it: one owner and a day, and how much it relies on people when that was not said yet.

    Another day than the one that is promised needs a reason (Invalid `no_reason`), and what is in the way may
    be said from the short list, so that it can be counted.
    """
    found = locked_for(pk, by=by, seen_version=seen_version)
    owner, due_on = owner or found.owner, due_on or found.due_on
    if owner is None:
        refuse("owner", "no_owner", _("Say who does it."))
    if due_on is None:
        refuse("due_on", "no_day", _("Say by which day."))
    refuse_same(owner, found.checker)
    refuse_strangers(found.incident, owner=owner)
    promise: dict[str, Any] = {"owner": owner, "due_on": due_on, "strength": strength or found.strength}
    if found.stage == Stage.IN_WORK:
        if found.due_on not in (None, due_on):
            reason = needs_reason(reason)
            note_in_the_way(f"fix:{found.pk}", in_the_way, words=reason)
        return write(found, by=by, now=now, did="promised", words=reason.strip(), **promise)
    return move(found, to=Stage.IN_WORK, by=by, now=now, did="promised", **promise, **NOT_PROVED)


@transaction.atomic
def plan_check(
    pk: int,
    *,
    by: Person,
    metric: str,
    target: str,
    checker: Person,
    baseline: str = "",
    window_days: int | None = None,
    window_exposure: int | None = None,
    exposure_unit: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """How we will know that it works, agreed before the fix goes in: metric, target, window, checker."""
    found = locked_for(pk, by=by, seen_version=seen_version)
    if found.stage not in BEFORE:
        raise Refused(
            "too_late",
            _("The check is planned before the fix goes in. It cannot be changed now."),
        )
    refuse_same(found.owner, checker)
    refuse_strangers(found.incident, checker=checker)
    return write(
        found,
        by=by,
        now=now,
        did="check_planned",
        metric=needed(metric, "metric", _("Say what is measured.")),
        target=needed(target, "target", _("Say what you want to see.")),
        baseline=baseline.strip(),
        checker=checker,
        **window_of(found.incident, found.kind, days=window_days, times=window_exposure, unit=exposure_unit),
    )


@transaction.atomic
def name_checker(
    pk: int,
    *,
    by: Person,
    checker: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """Somebody else checks it: who was to has left, or is away. What is measured stays as it was agreed."""
    found = locked_for(pk, by=by, seen_version=seen_version)
    if found.stage != Stage.CHECKING:
        raise Refused("not_proving", _("It is not being proved. Plan the check instead."))
    refuse_same(found.owner, checker)
    if checker == found.placed_by:
        refuse("checker", "own_work", _("Who put it in place does not check it. Choose somebody else."))
    refuse_strangers(found.incident, checker=checker)
    if checker == found.checker:
        return found
    return write(found, by=by, now=now, did="checker_named", checker=checker)


@transaction.atomic
def say_strength(
    pk: int,
    *,
    by: Person,
    strength: Strength | str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """How much it relies on people; it may be said anew until the fix is in.

    What is in and known as weak does not become strong by a word: that is another countermeasure.
    """
    found = locked_for(pk, by=by, seen_version=seen_version)
    if found.kind == Kind.CONTAINMENT:
        raise Refused("not_needed", _("A bandage need not be strong."))
    if found.strength == strength:
        return found
    if found.stage not in BEFORE and (found.strength or found.stage == Stage.WITHDRAWN):
        raise Refused(
            "too_late", _("This one stays as it is. Add the stronger one as another countermeasure.")
        )
    return write(found, by=by, now=now, did="strength_said", strength=strength)


def window_of(
    incident: Incident, kind: Kind | str, *, days: int | None, times: int | None, unit: str
) -> dict[str, Any]:
    """How long and how often it must hold: the numbers of the severity where nothing was said."""
    rule = SeverityRule.of(incident.severity)
    if kind == Kind.CONTAINMENT:
        return {"window_days": days or rule.proving_days}
    unit = unit_of(unit)
    if times is None and unit != SHIFT_STARTS:
        refuse("window_exposure", "no_times", _("Say how many %(unit)s it must hold.") % {"unit": unit})
    return {
        "window_days": days or rule.proving_days,
        "window_exposure": times or rule.proving_shift_starts,
        "exposure_unit": unit,
    }


@transaction.atomic
def withdraw(
    pk: int,
    *,
    by: Person,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """It will not be done after all; it stays in the record with the reason."""
    found = locked_for(pk, by=by, seen_version=seen_version)
    give_up_elsewhere(found, now=now)
    return move(
        found,
        to=Stage.WITHDRAWN,
        by=by,
        now=now,
        did="withdrawn",
        words=needs_reason(reason),
    )
