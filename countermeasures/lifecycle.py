"""Every verb that changes a countermeasure. The incident row is locked first: it locks its family."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NoReturn

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.models import Cause, Countermeasure, Kind, Stage, Strength
from incidents.lifecycle.closing import came_back
from incidents.lifecycle.moves import locked, needs_reason, touch
from incidents.lifecycle.working import bandage_end
from incidents.models import EventKind, Incident, SeverityRule
from incidents.permissions import Action, can, refuse_unless
from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.models import Person

ALLOWED_FROM: dict[Stage, frozenset[Stage]] = {
    Stage.IN_WORK: frozenset({Stage.PLANNED, Stage.NOT_EFFECTIVE}),
    Stage.IN_PLACE: frozenset({Stage.PLANNED, Stage.IN_WORK}),
    Stage.CHECKING: frozenset({Stage.IN_PLACE}),
    Stage.EFFECTIVE: frozenset({Stage.IN_PLACE, Stage.CHECKING}),
    Stage.NOT_EFFECTIVE: frozenset({Stage.IN_PLACE, Stage.CHECKING, Stage.EFFECTIVE}),
    Stage.WITHDRAWN: frozenset({Stage.PLANNED, Stage.IN_WORK, Stage.NOT_EFFECTIVE}),
}
"""To which stage from which (domain §3)."""


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
    what = _needed(what, "what", _("Say what you will do."))
    now = now or timezone.now()
    _refuse_same(owner, checker)
    _refuse_strangers(incident, owner=owner, checker=checker)
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
        window_days=window_days or SeverityRule.of(incident.severity).proving_days,
        window_exposure=window_exposure,
        exposure_unit=exposure_unit,
        checker=checker,
        created_by=by,
        created_at=now,
    )
    _tell(found, by=by, now=now, did="added", words=what)
    return found


_NOT_PROVED: dict[str, Any] = {"checking_from": None, "checked_by": None, "checked_at": None, "measured": ""}
"""A fix that failed starts its proof from nothing; who checked it then may even do it now."""


@transaction.atomic
def start(
    pk: int,
    *,
    by: Person,
    owner: Person | None = None,
    due_on: date | None = None,
    strength: Strength | str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """Promise it: one owner and a day, and how much it relies on people when that was not said yet."""
    found = _locked(pk, by=by, seen_version=seen_version)
    owner, due_on = owner or found.owner, due_on or found.due_on
    if owner is None:
        _refuse("owner", "no_owner", _("Say who does it."))
    if due_on is None:
        _refuse("due_on", "no_day", _("Say by which day."))
    _refuse_same(owner, found.checker)
    _refuse_strangers(found.incident, owner=owner)
    promise = {"owner": owner, "due_on": due_on, "strength": strength or found.strength}
    if found.stage == Stage.IN_WORK:
        return _write(found, by=by, now=now, did="promised", **promise)
    return _move(found, to=Stage.IN_WORK, by=by, now=now, did="promised", **promise, **_NOT_PROVED)


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
    found = _locked(pk, by=by, seen_version=seen_version)
    if found.stage not in (Stage.PLANNED, Stage.IN_WORK, Stage.NOT_EFFECTIVE):
        raise Refused(
            "too_late",
            _("The check is planned before the fix goes in. It cannot be changed now."),
        )
    _refuse_same(found.owner, checker)
    _refuse_strangers(found.incident, checker=checker)
    return _write(
        found,
        by=by,
        now=now,
        did="check_planned",
        metric=_needed(metric, "metric", _("Say what is measured.")),
        target=_needed(target, "target", _("Say what you want to see.")),
        baseline=baseline.strip(),
        checker=checker,
        window_days=window_days or SeverityRule.of(found.incident.severity).proving_days,
        window_exposure=window_exposure,
        exposure_unit=exposure_unit,
    )


@transaction.atomic
def put_in_place(
    pk: int,
    *,
    by: Person,
    evidence: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """It is in, and here is the evidence. A permanent one starts being proved at once."""
    found = _locked(pk, by=by, seen_version=seen_version)
    evidence = _needed(evidence, "evidence", _("Say how one can see that it is in place."))
    if found.owner is None:
        _refuse("owner", "no_owner", _("Say who does it."))
    if found.kind != Kind.CONTAINMENT and not found.is_planned_check_complete:
        raise Refused(
            "no_check_planned",
            _("Plan the check first: what is measured, what you want to see, and who checks it."),
        )
    if not found.is_strong_enough:
        raise Refused(
            "too_weak",
            _(
                "This needs something that stops the problem by itself. "
                "Make it stronger, or ask a manager to accept it."
            ),
        )
    now = now or timezone.now()
    placed = _move(
        found,
        to=Stage.IN_PLACE,
        by=by,
        now=now,
        did="in_place",
        words=evidence,
        evidence=evidence,
        in_place_at=now,
    )
    if placed.kind == Kind.CONTAINMENT:
        return placed
    return _move(placed, to=Stage.CHECKING, by=by, now=now, did="checking", checking_from=now)


@transaction.atomic
def check(
    pk: int,
    *,
    by: Person,
    effective: bool,
    measured: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """The second, separate sign-off, never by the owner. What did not hold opens the incident again."""
    found = Countermeasure.objects.locked(pk)
    if by == found.owner:
        raise NotAllowed("own_work", _("You own this, so somebody else has to check it."))
    refuse_unless(by, Action.CHECK, found.incident)
    found.incident.refuse_if_stale(seen_version)
    measured = _needed(measured, "measured", _("Say what you measured."))
    now = now or timezone.now()
    if effective:
        _refuse_before_window_ends(found, now)
        return _move(
            found,
            to=Stage.EFFECTIVE,
            by=by,
            now=now,
            did="effective",
            words=measured,
            checked_by=by,
            checked_at=now,
            measured=measured,
        )
    return did_not_hold(found, by=by, measured=measured, now=now)


def _refuse_before_window_ends(found: Countermeasure, now: datetime) -> None:
    if found.stage == Stage.CHECKING and found.days_proved(now) < (found.window_days or 0):
        raise Refused(
            "window_not_over",
            _("It has held for %(days)s of %(window)s days. It is proved on %(day)s at the earliest.")
            % {
                "days": found.days_proved(now),
                "window": found.window_days,
                "day": found.proved_on.isoformat() if found.proved_on else "",
            },
        )


def did_not_hold(
    found: Countermeasure, *, by: Person | None, measured: str, now: datetime | None
) -> Countermeasure:
    """The fix failed: the boxes are empty again, and the incident comes back if it was thought to be safe."""
    failed = _move(
        found,
        to=Stage.NOT_EFFECTIVE,
        by=by,
        now=now,
        did="not_effective",
        words=measured,
        measured=measured,
        checked_by=by,
        checked_at=now or timezone.now(),
    )
    if found.kind == Kind.PERMANENT and failed.incident.is_moving:
        reason = _("The fix did not hold: %(what)s") % {"what": found.what}
        came_back(failed.incident, by=by, reason=str(reason), now=now)
    return failed


@transaction.atomic
def extend(
    pk: int,
    *,
    by: Person,
    expires_on: date,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """A manager lets a bandage stay on longer, and says why."""
    found = Countermeasure.objects.locked(pk)
    refuse_unless(by, Action.EXTEND, found.incident)
    found.incident.refuse_if_stale(seen_version)
    reason = needs_reason(reason)
    if found.kind != Kind.CONTAINMENT or found.removed_at is not None:
        raise Refused("not_a_bandage", _("Only a bandage that is on can be extended."))
    today = (now or timezone.now()).astimezone(found.incident.site.tz).date()
    if expires_on <= max(today, found.expires_on or today):
        _refuse(
            "expires_on",
            "not_later",
            _("The new day has to be later than the old one."),
        )
    data = {"was": found.expires_on.isoformat() if found.expires_on else None}
    return _write(
        found,
        by=by,
        now=now,
        did="extended",
        words=reason,
        data=data,
        expires_on=expires_on,
    )


@transaction.atomic
def waive(
    pk: int,
    *,
    by: Person,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """A manager accepts a weaker countermeasure, and says why."""
    found = Countermeasure.objects.locked(pk)
    refuse_unless(by, Action.WAIVE, found.incident)
    found.incident.refuse_if_stale(seen_version)
    reason = needs_reason(reason)
    return _write(
        found,
        by=by,
        now=now,
        did="waived",
        words=reason,
        waived_by=by,
        waived_reason=reason,
    )


@transaction.atomic
def take_off(
    pk: int, *, by: Person, seen_version: int | None = None, now: datetime | None = None
) -> Countermeasure:
    """The bandage is off."""
    found = _locked(pk, by=by, seen_version=seen_version)
    if found.kind != Kind.CONTAINMENT:
        raise Refused("not_a_bandage", _("Only a bandage is taken off."))
    if found.removed_at is not None:
        return found
    now = now or timezone.now()
    return _write(found, by=by, now=now, did="taken_off", removed_at=now, removed_by=by)


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
    found = _locked(pk, by=by, seen_version=seen_version)
    return _move(
        found,
        to=Stage.WITHDRAWN,
        by=by,
        now=now,
        did="withdrawn",
        words=needs_reason(reason),
    )


@transaction.atomic
def write_cause(
    number: int | str,
    *,
    by: Person,
    root_cause: str,
    escape_cause: str,
    five_whys: Sequence[str] = (),
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Cause:
    """Why it happened, and why nothing caught it. What is given empty stays as it was written before."""
    incident = locked(number, by=by, action=Action.PLAN, seen_version=seen_version)
    root_cause, escape_cause = root_cause.strip(), escape_cause.strip()
    if not root_cause and not escape_cause:
        _refuse("root_cause", "empty", _("Write why it happened, or why nothing caught it."))
    written = {
        "root_cause": root_cause,
        "escape_cause": escape_cause,
        "five_whys": [why.strip() for why in five_whys if why.strip()],
    }
    cause, _created = Cause.objects.update_or_create(
        incident=incident,
        defaults={
            **{name: words for name, words in written.items() if words},
            "written_by": by,
            "written_at": now or timezone.now(),
        },
    )
    touch(
        incident,
        kind=EventKind.CAUSE,
        by=by,
        now=now,
        words=root_cause,
        data={"escape_cause": escape_cause},
    )
    return cause


def _locked(pk: int, *, by: Person, seen_version: int | None) -> Countermeasure:
    """The countermeasure for its owner or for somebody who plans countermeasures here."""
    found = Countermeasure.objects.locked(pk)
    if not (by == found.owner and can(by, Action.ADD_WORDS, found.incident)):
        refuse_unless(by, Action.PLAN, found.incident)
    found.incident.refuse_if_stale(seen_version)
    return found


def _move(found: Countermeasure, *, to: Stage, did: str, **rest: Any) -> Countermeasure:
    if Stage(found.stage) not in ALLOWED_FROM[to]:
        raise Refused(
            "wrong_status",
            _("“%(what)s” is “%(stage)s” now, so it cannot become “%(wanted)s”.")
            % {
                "what": found.what,
                "stage": found.get_stage_display(),
                "wanted": to.label,
            },
        )
    return _write(found, did=did, stage=to, **rest)


def _write(
    found: Countermeasure,
    *,
    by: Person | None,
    now: datetime | None,
    did: str,
    words: str = "",
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Countermeasure:
    for name, value in changes.items():
        setattr(found, name, value)
    found.save(update_fields=list(changes))
    _tell(found, by=by, now=now, did=did, words=words, data=data)
    return found


def _tell(
    found: Countermeasure,
    *,
    by: Person | None,
    now: datetime | None,
    did: str,
    words: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Append the change to the incident's timeline: that is the countermeasure's history."""
    details = {
        "countermeasure": found.pk,
        "did": did,
        "what": found.what,
        "owner": found.owner.name if found.owner else "",
        "due_on": found.due_on.isoformat() if found.due_on else None,
        **(data or {}),
    }
    touch(
        found.incident,
        kind=EventKind.COUNTERMEASURE,
        by=by,
        now=now,
        words=words,
        data=details,
    )


def _needed(text: str, field: str, sentence: Any) -> str:
    text = text.strip()
    if not text:
        _refuse(field, "empty", sentence)
    return text


def _refuse(field: str, code: str, sentence: Any) -> NoReturn:
    raise Invalid(code, sentence, fields={field: [sentence]})


def _refuse_same(owner: Person | None, checker: Person | None) -> None:
    if owner is not None and owner == checker:
        _refuse(
            "checker",
            "own_work",
            _("The checker is never the owner. Choose somebody else."),
        )


def _refuse_strangers(incident: Incident, **people: Person | None) -> None:
    """Nobody is named who could not even open the incident."""
    for field, person in people.items():
        if person is not None and not can(person, Action.ADD_WORDS, incident):
            _refuse(field, "cannot_take", _("%(name)s does not work at this site.") % {"name": person})
