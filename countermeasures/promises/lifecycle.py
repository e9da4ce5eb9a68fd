"""Every verb that changes a promise. The incident's row is locked first, as for the rest of its family."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.models import Countermeasure, Elsewhere
from countermeasures.promises import rules
from countermeasures.promises.models import InTheWay, Outcome, Promise, PromiseChange, PromiseKind
from incidents.lifecycle.moves import needs_near, needs_reason, touch
from incidents.models import EventKind, Incident
from incidents.permissions import Action, can, refuse_unless
from opsdesk.errors import Invalid, Missing, Refused
from plant.models import Person


def locked(pk: int) -> Promise:
    """The promise, with the row of its incident locked first; Missing when there is none."""
    incident_id = Promise.objects.filter(pk=pk).values_list("incident_id", flat=True).first()
    if incident_id is not None:
        Incident.objects.select_for_update(of=("self",)).get(pk=incident_id)
    found = Promise.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise Missing("unknown_promise", _("There is no such promise."))
    return Promise.objects.with_people().get(pk=pk)


def may_change(by: Person, promise: Promise) -> bool:
    """Who gave it, who it was given to, and who plans countermeasures at its place."""
    if by.pk in (promise.person_id, promise.given_to_id) and by.sees_site(promise.site_id):
        return True
    return promise.incident is not None and can(by, Action.PLAN, promise.incident)


def _refuse_others(by: Person, promise: Promise) -> None:
    if not may_change(by, promise) and promise.incident is not None:
        refuse_unless(by, Action.PLAN, promise.incident)


@transaction.atomic
def give(
    *,
    kind: PromiseKind | str,
    subject: str,
    what: str,
    person: Person,
    incident: Incident,
    due_on: date | None = None,
    due_at: datetime | None = None,
    countermeasure: Countermeasure | None = None,
    given_to: Person | None = None,
    by: Person | None = None,
    reason: str = "",
    now: datetime | None = None,
) -> Promise | None:
    """Somebody promises something for a day (`due_on`) or a moment (`due_at`).

    The caller holds the incident's lock. Given again while it is open, it is the same promise: with a new
    date or another person that is recorded as a change, else nothing happens. A practice
    promises nothing: None.
    """
    if incident.is_drill:
        return None
    now = now or timezone.now()
    if due_on:
        needs_near(due_on, "due_on")
    at = rules.end_of_day(due_on, incident.site.tz) if due_on else due_at
    assert at is not None, "A promise has a day or a moment."
    known = Promise.objects.open().filter(subject=subject).first()
    if known is not None:
        return _change(known, person=person, due_at=at, due_on=due_on, by=by, reason=reason, now=now)
    return Promise.objects.create(
        kind=kind,
        subject=subject,
        incident=incident,
        countermeasure=countermeasure,
        site=incident.site,
        area=incident.area,
        what=what[:300],
        person=person,
        given_to=given_to or by,
        given_at=now,
        first_due_at=at,
        due_at=at,
        due_on=due_on,
        chased_from=now,
    )


@transaction.atomic
def agree_new_date(
    pk: int,
    *,
    by: Person,
    due_on: date,
    reason: str,
    in_the_way: InTheWay | str = "",
    now: datetime | None = None,
) -> Promise:
    """Another day, with the reason. Before the old one has passed it counts as kept, afterwards as late."""
    promise = locked(pk)
    _refuse_others(by, promise)
    _refuse_ended(promise)
    now = now or timezone.now()
    if due_on < now.astimezone(promise.site.tz).date():
        sentence = _("That day has passed already.")
        raise Invalid("passed", sentence, fields={"due_on": [sentence]})
    if in_the_way:
        _refuse_unknown(in_the_way)
        _write(promise, in_the_way=in_the_way, in_the_way_words=reason.strip()[:300])
    at = rules.end_of_day(due_on, promise.site.tz)
    _tell(promise, by=by, now=now, did="promised", words=needs_reason(reason), due_on=due_on)
    _move_the_day(promise, due_on)
    return _change(
        promise, person=promise.person, due_at=at, due_on=due_on, by=by, reason=needs_reason(reason), now=now
    )


@transaction.atomic
def say_why(
    pk: int, *, by: Person, in_the_way: InTheWay | str, words: str = "", now: datetime | None = None
) -> Promise:
    """What is in the way, from a short list so that it can be counted, and in words."""
    promise = locked(pk)
    _refuse_others(by, promise)
    _refuse_unknown(in_the_way)
    _tell(promise, by=by, now=now, did="in_the_way", words=words or str(InTheWay(in_the_way).label))
    return _write(promise, in_the_way=in_the_way, in_the_way_words=words.strip()[:300])


def note_in_the_way(subject: str, in_the_way: InTheWay | str, *, words: str) -> None:
    """Why an open promise gets another date, as far as it was said; its incident is locked."""
    if in_the_way:
        _refuse_unknown(in_the_way)
        Promise.objects.open().filter(subject=subject).update(
            in_the_way=in_the_way, in_the_way_words=words.strip()[:300]
        )


def _refuse_unknown(in_the_way: str) -> None:
    if in_the_way not in InTheWay.values:
        sentence = _("Say what is in the way.")
        raise Invalid("empty", sentence, fields={"in_the_way": [sentence]})


@transaction.atomic
def keep(pk: int, *, by: Person | None, now: datetime | None = None) -> Promise:
    """It is done. Whether it was in time follows from its dates. Repeating it is harmless."""
    promise = locked(pk)
    if by is not None:
        _refuse_others(by, promise)
    return promise if not promise.is_open else _end(promise, now=now)


@transaction.atomic
def withdraw(pk: int, *, by: Person | None, now: datetime | None = None) -> Promise:
    """What it is about is not to be done any more: it counts neither as kept nor as late."""
    promise = locked(pk)
    if by is not None:
        _refuse_others(by, promise)
    return promise if not promise.is_open else _end(promise, now=now, outcome=Outcome.WITHDRAWN)


@transaction.atomic
def end(subject: str, *, kept: bool, now: datetime | None = None) -> None:
    """The verb that did the thing, or gave it up, ends its promise; the caller holds the incident's lock."""
    promise = Promise.objects.open().filter(subject=subject).first()
    if promise is not None:
        _end(promise, now=now, outcome=None if kept else Outcome.WITHDRAWN)


# --- writing ---


def _end(promise: Promise, *, now: datetime | None, outcome: Outcome | None = None) -> Promise:
    now = now or timezone.now()
    kept = rules.outcome(due_at=promise.due_at, done_at=now, moved=promise.moved, slipped=promise.slipped)
    return _write(promise, outcome=outcome or Outcome(kept), ended_at=now, is_unread=True)


def _change(
    promise: Promise,
    *,
    person: Person,
    due_at: datetime,
    due_on: date | None,
    by: Person | None,
    reason: str,
    now: datetime,
) -> Promise:
    if promise.due_at == due_at and promise.person_id == person.pk:
        return promise
    in_time, is_later = rules.is_agreed_in_time(promise.due_at, now), due_at > promise.due_at
    PromiseChange.objects.create(
        promise=promise,
        at=now,
        by=by,
        was_due_at=promise.due_at,
        due_at=due_at,
        was_person=promise.person,
        person=person,
        after_due=not in_time,
        reason=reason[:300],
    )
    return _write(
        promise,
        person=person,
        due_at=due_at,
        due_on=due_on,
        moved=promise.moved + (1 if is_later else 0),
        slipped=promise.slipped or (is_later and not in_time),
        chased_from=now,
        is_unread=True,
    )


def _move_the_day(promise: Promise, due_on: date) -> None:
    """The countermeasure shows the same day. A bandage stays on longer only when a manager extends it."""
    if promise.kind == PromiseKind.BANDAGE:
        raise Refused("extend_it", _("A bandage stays on longer when a manager extends it, with a reason."))
    pk = int(promise.subject.rpartition(":")[2])
    if promise.kind == PromiseKind.FIX:
        Countermeasure.objects.filter(pk=pk).update(due_on=due_on)
    if promise.kind == PromiseKind.WHERE_ELSE:
        Elsewhere.objects.filter(pk=pk).update(due_on=due_on)


def _write(promise: Promise, **changes: object) -> Promise:
    for name, value in changes.items():
        setattr(promise, name, value)
    promise.save(update_fields=list(changes))
    return promise


def _tell(
    promise: Promise,
    *,
    by: Person | None,
    now: datetime | None,
    did: str,
    words: str,
    due_on: date | None = None,
) -> None:
    """One line of the incident's timeline, in the shape of a countermeasure's history."""
    if promise.incident is None:
        return
    data: dict[str, Any] = {"promise": promise.pk, "did": did, "what": promise.what}
    if promise.countermeasure_id is not None:
        data["countermeasure"] = promise.countermeasure_id
    if due_on is not None:
        data["due_on"] = due_on.isoformat()
        if promise.kind == PromiseKind.FIX:
            data["changed"] = {"due_on": [promise.due_on and promise.due_on.isoformat(), due_on.isoformat()]}
    touch(promise.incident, kind=EventKind.COUNTERMEASURE, by=by, now=now, words=words, data=data)


def _refuse_ended(promise: Promise) -> None:
    if not promise.is_open:
        raise Refused("ended", _("This promise has ended: %(how)s.") % {"how": promise.get_outcome_display()})
