"""One turn: what changed is planned anew, what is due is asked. The rows remember, as for incidents' clocks.

The incident is locked first, here too; a promise whose incident somebody holds waits for the next turn.
Firing marks the row by a conditional update, writes the messages and arms the next question in one
transaction; the key of each message is the belt to those braces. Several processes may do this at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce

from countermeasures.models import Promise
from countermeasures.promises.models import PromiseKind
from escalation import watch
from escalation.chasing import rules
from escalation.chasing.people import Asked, place, who_is_asked
from escalation.chasing.rules import Ask, Dates, Fired, Schedule
from escalation.chasing.schedule import FIELDS
from escalation.engine import own_trouble
from escalation.engine.fire import Outcome
from escalation.engine.own_trouble import Trouble
from escalation.engine.subjects import lock_these
from escalation.hours import Hours
from escalation.models import Chase, ChaseRule, Rank, Reason, TimerState
from escalation.telling import Telling, tell
from incidents.lifecycle import record
from incidents.models import EventKind, Severity, Status
from plant.duty import DutyBook
from plant.models import Channel

logger = logging.getLogger(__name__)

BATCH = 200
"""Promises per transaction."""

PAUSE = timedelta(minutes=1)
"""One that cannot be asked about is tried again after this long, so that it holds up no other."""


def turn(
    now: datetime, book: Callable[[datetime], DutyBook], is_over: Callable[[], bool] = lambda: False
) -> Outcome:
    """Plan what changed and ask what is due; whoever calls has looked whether anything waits (`seldom`).

    When `is_over` says so it ends after a batch: the next turn goes on, after what is more urgent.
    """
    _mend(now)
    done, start = Outcome(), 0
    unread = Promise.objects.filter(is_unread=True).order_by("pk").values_list("pk", flat=True)
    while ids := list(unread.filter(pk__gt=start)[:BATCH]):
        _contained(ids, lambda some: _plan(some, now))
        start = ids[-1]
        if is_over():
            break
    due = Chase.objects.filter(state=TimerState.ARMED, due_at__lte=now).order_by("due_at")
    while ids := list(due.values_list("promise_id", flat=True)[:BATCH]):
        asked = _contained(ids, lambda some: _fire(some, now, book(now)), lambda pk: _set_aside(pk, now))
        done += asked
        if not asked.fired or is_over():
            break
    return done


# --- one batch ---


def _contained(
    ids: Sequence[int],
    work: Callable[[Sequence[int]], Outcome],
    set_aside: Callable[[int], object] | None = None,
) -> Outcome:
    """In one transaction; when that fails, each by itself, and the bad one is left for later."""
    try:
        with transaction.atomic():
            return work(ids)
    except Exception:
        if not connection.is_usable():
            raise
        if len(ids) == 1:
            logger.exception("Promise %s cannot be asked about; it is tried again.", ids[0])
            if set_aside is not None:
                set_aside(ids[0])
            return Outcome(seen=1)
    total = Outcome()
    for pk in ids:
        total += _contained([pk], work, set_aside)
    return total


def _set_aside(promise_id: int, now: datetime) -> None:
    """It remembers since when it should have been asked: screens say so (`watch`)."""
    Chase.objects.filter(promise_id=promise_id, state=TimerState.ARMED).update(
        failing_since=Coalesce("failing_since", "due_at"), due_at=now + PAUSE
    )


def _locked(ids: Iterable[int]) -> list[Promise]:
    """These promises, with the rows of their incidents locked; without those that somebody else holds."""
    wanted = dict(Promise.objects.filter(pk__in=list(ids)).values_list("pk", "incident_id"))
    held = set(lock_these(list({pk for pk in wanted.values() if pk is not None})))
    mine = [pk for pk, incident_id in wanted.items() if incident_id is None or incident_id in held]
    rows = Promise.objects.select_for_update(of=("self",), skip_locked=True).filter(pk__in=mine)
    return list(rows.select_related("person", "incident", "site").order_by("pk"))


def _plan(ids: Sequence[int], now: datetime) -> Outcome:
    found = _locked(ids)
    pks = [one.pk for one in found]
    Chase.objects.filter(promise__in=pks, state=TimerState.ARMED).update(state=TimerState.CANCELLED)
    _arm([one for one in found if _is_chased(one)], now)
    Promise.objects.filter(pk__in=pks).update(is_unread=False)
    return Outcome(seen=len(found))


def _is_chased(promise: Promise) -> bool:
    """What an incident waits on is asked about by the incident's own clock, not twice."""
    return promise.is_open and promise.kind != PromiseKind.WAITING


def _arm(found: Sequence[Promise], now: datetime) -> None:
    if not found:
        return
    schedules, fired, hours = _schedules(found), _fired(found), Hours.at(now)
    armed = [_armed(one, schedules[one.site_id], fired.get(one.pk), hours, now) for one in found]
    Chase.objects.bulk_create(armed)


def _armed(promise: Promise, by: Schedule, fired: Fired | None, hours: Hours, now: datetime) -> Chase:
    wanted = rules.next_question(_dates(promise), by, fired)
    until, why = (wanted.due_at, "") if _never_waits(promise) else hours.wait(place(promise), wanted.due_at)
    return Chase(
        promise=promise,
        epoch=promise.chased_from,
        step=wanted.step,
        round=wanted.round,
        due_at=until,
        planned_at=wanted.due_at if until > wanted.due_at else None,
        waits_for=why if until > wanted.due_at else "",
        armed_at=now,
    )


def _never_waits(promise: Promise) -> bool:
    """The bandage of something urgent is asked about also on a holiday: product runs on it."""
    incident = promise.incident
    if promise.kind != PromiseKind.BANDAGE or incident is None or incident.status == Status.CLOSED:
        return False
    return incident.severity in (Severity.S1, Severity.S2)


def _fire(ids: Sequence[int], now: datetime, book: DutyBook) -> Outcome:
    """The rules are asked again under the lock: what was kept or moved a moment ago is not asked about."""
    found = {one.pk: one for one in _locked(ids)}
    due = Chase.objects.filter(promise__in=found, state=TimerState.ARMED, due_at__lte=now)
    tellings: list[Telling] = []
    asked: list[Promise] = []
    schedules = _schedules(found.values())
    for chase in due.order_by("due_at"):
        promise = found[chase.promise_id]
        if not _is_chased(promise) or chase.epoch != promise.chased_from:
            Promise.objects.filter(pk=promise.pk).update(is_unread=True)
            _mark(chase, TimerState.CANCELLED, now)
            continue
        by = schedules[promise.site_id]
        chase.step = rules.now_due(_dates(promise), by, chase.step, now)
        if not _mark(chase, TimerState.FIRED, now):
            continue
        who = who_is_asked(promise, rules.asked(by, chase.step), book, now)
        tellings += [_telling(promise, chase, one) for one in who]
        _note(promise, who, now)
        asked.append(promise)
    channels = tell(tellings, now=now)
    _arm(asked, now)
    return Outcome(seen=len(found), fired=len(asked), told=len(tellings), channels=frozenset(channels))


def _note(promise: Promise, who: Sequence[Asked], now: datetime) -> None:
    """A line of the incident's timeline, whose row is locked; it changes nothing about the incident."""
    if promise.incident is not None:
        people = [{"id": one.person.pk, "name": one.person.name, "role": one.role} for one in who]
        data = {"promise": promise.pk, "what": promise.what, "people": people}
        record(promise.incident, kind=EventKind.CHASED, by=None, now=now, data=data)


def _mark(chase: Chase, state: TimerState, now: datetime) -> bool:
    armed = Chase.objects.filter(pk=chase.pk, state=TimerState.ARMED)
    fired_at = now if state == TimerState.FIRED else None
    return bool(armed.update(state=state, fired_at=fired_at, step=chase.step))


def _telling(promise: Promise, chase: Chase, one: Asked) -> Telling:
    ways = [Channel.SMS.value, Channel.EMAIL.value]
    return Telling(
        incident_id=None,
        site_id=promise.site_id,
        person=one.person,
        reason=Reason.PROMISE.value,
        key=f"chase:{promise.pk}:{chase.epoch.timestamp()}:{chase.step}:{chase.round}:{one.person.pk}",
        due_at=chase.due_at,
        channels=ways if one.ask == Ask.OWNER or promise.kind == PromiseKind.BANDAGE else ways[::-1],
        role=one.role,
        rank=Rank.QUIET,
        data={
            "promise": promise.pk,
            "due_at": promise.due_at.isoformat(),
            "ask": one.ask.value,
            "instead_of": one.instead_of,
            "is_ahead": chase.step == 0,
        },
        by_one_way=True,
    )


# --- reading ---


def _dates(promise: Promise) -> Dates:
    return Dates(promise.due_at, promise.due_on is not None, promise.chased_from)


def _schedules(found: Iterable[Promise]) -> dict[int, Schedule]:
    """By site; the defaults where nobody changed them."""
    sites = {one.site_id for one in found}
    rows = ChaseRule.objects.filter(site__in=sites)
    changed = {row.site_id: rules.schedule(**{name: getattr(row, name) for name in FIELDS}) for row in rows}
    return {site_id: changed.get(site_id) or rules.schedule() for site_id in sites}


def _fired(found: Sequence[Promise]) -> dict[int, Fired]:
    """The last question that was asked since each promise is as it is."""
    rows = Chase.objects.filter(
        promise__in=[one.pk for one in found], state=TimerState.FIRED, epoch=F("promise__chased_from")
    )
    last = rows.order_by("promise_id", "-id").distinct("promise_id")
    return {one.promise_id: Fired(one.step, one.round, one.fired_at) for one in last if one.fired_at}


# --- looked after ---


def silent() -> list[int]:
    """Open promises that nobody will be asked about: there should be none."""
    armed = Chase.objects.filter(promise=OuterRef("pk"), state=TimerState.ARMED)
    found = Promise.objects.open().filter(is_unread=False).exclude(kind=PromiseKind.WAITING)
    return list(found.exclude(Exists(armed)).values_list("pk", flat=True)[:500])


def _mend(now: datetime) -> None:
    """Have silent promises planned anew, and say so where the IT manager sees it; one process looks."""
    if watch.is_time_for(rules.AUDIT, now, every=rules.AUDITED_EVERY) and (found := _mended(now)):
        logger.error("Open promises that nobody would be asked about, planned anew: %s", found)


@transaction.atomic
def _mended(now: datetime) -> list[int]:
    """Mended and said in one transaction: whoever dies in between has done neither, the next look does."""
    if not (found := silent()):
        return []
    mine = {one.pk for one in _locked(found)}
    found = [pk for pk in silent() if pk in mine]  # what was locked may have changed before
    Promise.objects.filter(pk__in=found).update(is_unread=True)
    own_trouble.try_to_report(Trouble.PROMISES, found, now)
    return found
