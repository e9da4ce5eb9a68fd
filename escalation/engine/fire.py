"""Firing what is due: who is told is recorded and the next step is armed, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Max

from escalation import asks, rules, wording
from escalation.engine import subjects
from escalation.engine.contained import batch
from escalation.engine.notes import Firing, Notes
from escalation.engine.subjects import Subject
from escalation.hours import Hours
from escalation.models import Rank, Reason, Timer, TimerState
from escalation.pace import practice_pace
from escalation.recipients import People, Resolved
from escalation.rows import copy_in
from escalation.situation import Ask, FiredStep, WantedTimer
from escalation.steps import CLOSURE, HELP, LAPSE, PolicyClocks
from escalation.telling import Telling, tell
from escalation.timers import as_fired, as_wanted
from incidents import lifecycle
from incidents.models import Event, EventKind
from plant.duty import DutyBook
from plant.models import Channel

BATCH = 500
"""Incidents per transaction: large enough that queries do not count, small enough that locks are short."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch did: timers it looked at, fired, people told, and the channels that have work now."""

    seen: int = 0
    fired: int = 0
    told: int = 0
    channels: frozenset[str] = frozenset()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.seen + other.seen,
            self.fired + other.fired,
            self.told + other.told,
            self.channels | other.channels,
        )


def fire_batch(now: datetime, book: DutyBook, *, limit: int = BATCH) -> Outcome:
    """Fire one batch of due timers. A bad row is set aside, the others fire."""
    return batch(subjects.LOCK_DUE, now, limit, lambda ids: fire(ids, now, book), Outcome())


def fire(ids: Sequence[int], now: datetime, book: DutyBook) -> Outcome:
    """Fire the due timers of these incidents, which the caller has locked."""
    known = {subject.pk: subject for subject in subjects.read(ids)}
    policies = subjects.policies(subject.policy_id for subject in known.values())
    due = [_Due(timer, known[timer.incident_id], policies) for timer in _due(ids, now)]
    wanted = [one for one in due if one.is_wanted(now)]
    # Whatever made the others unwanted is planned for first; they are not looked at again before.
    subjects.mark_unread(one.subject.pk for one in due if not one.is_wanted(now))
    silent = [one for one in wanted if one.timer.clock == LAPSE]
    lapsing = {one.subject.pk for one in silent}
    firings = _resolve([one for one in wanted if one.subject.pk not in lapsing], now, book)
    _mark_fired([*(one.timer for one in silent), *(firing.timer for firing in firings)], now)
    for one in silent:  # what else was due of these is planned anew: the change marks them as unread
        lifecycle.lapse(one.subject.number, now=now)
    notes = Notes(firings)
    plant = Hours.at(now)
    tellings = [telling for firing in firings for telling in _tellings(firing, notes, plant, now)]
    tellings.sort(key=lambda telling: -telling.rank)  # of two asks of one moment the last is gone on with
    asks.begin(tellings, {firing.timer.pk: firing.timer.epoch for firing in firings})
    channels = tell(tellings, now=now)
    copy_in(Event, _EVENT, [_event(firing, now) for firing in firings])
    replanned = {one.subject.pk for one in firings if one.subject.replanned_at}
    arm([(one.subject.pk, *_next(one, plant, now)) for one in firings], now, replanned=replanned)
    told = sum(len(firing.resolved.recipients) for firing in firings)
    return Outcome(len(due), len(firings) + len(silent), told, frozenset(channels))


class _Due(NamedTuple):
    """A due timer beside what decides whether it still should fire."""

    timer: Timer
    subject: Subject
    policies: Mapping[int, PolicyClocks]

    @property
    def policy(self) -> PolicyClocks:
        policy = self.policies[self.subject.policy_id or 0]
        return practice_pace(policy) if self.subject.is_drill else policy

    def is_wanted(self, now: datetime) -> bool:
        """Ask the rules again: the incident may have changed since the timer was armed (rule 2)."""
        return self.subject.is_read and rules.still_wanted(
            as_wanted(self.timer),
            self.subject.state(),
            self.policy,
            now=now,
        )


def _due(ids: Sequence[int], now: datetime) -> list[Timer]:
    return list(Timer.objects.due(now).filter(incident_id__in=ids).order_by("due_at", "id"))


def _resolve(wanted: Sequence[_Due], now: datetime, book: DutyBook) -> list[Firing]:
    """The people of each step, as they are on duty now."""
    asked = [
        rules.asks(as_wanted(one.timer), one.subject.state(), one.policy, flow=one.subject.flow)
        for one in wanted
    ]
    people = People(
        book,
        ids=(one.subject.owner_id for one in wanted),
        usernames={ask.person for asks in asked for ask in asks if ask.person},
    )
    return [
        Firing(one.timer, one.subject, one.policy, _people_of(one, asks, people, now), now - one.timer.due_at)
        for one, asks in zip(wanted, asked, strict=True)
    ]


def _people_of(one: _Due, asks: Sequence[Ask], people: People, now: datetime) -> Resolved:
    subject = one.subject
    return people.resolve(asks, clock=one.timer.clock, place=subject.place, owner_id=subject.owner_id, at=now)


def _mark_fired(timers: Sequence[Timer], now: datetime) -> None:
    """The conditional update is the belt to the braces of the incident's lock."""
    ids = [timer.pk for timer in timers]
    marked = Timer.objects.armed().filter(pk__in=ids).update(state=TimerState.FIRED, fired_at=now)
    if marked != len(ids):
        raise RuntimeError(f"{len(ids) - marked} timers were fired by somebody without the incident's lock.")


# --- who is told what ---


def _tellings(firing: Firing, notes: Notes, plant: Hours, now: datetime) -> list[Telling]:
    timer, subject = firing.timer, firing.subject
    rank = rank_of(subject, timer.clock)
    data = {"step": timer.step, "round": timer.round, "severity": timer.severity}
    if timer.clock == HELP and subject.next_update_due:
        data["word_due"] = subject.next_update_due.isoformat()  # a word said before it is sent moves this
    return [
        Telling(
            incident_id=subject.pk,
            person=recipient.person,
            reason=(Reason.BRING_SOMEONE if timer.clock == HELP else Reason.STEP).value,
            key=f"{key_of(timer)}:{recipient.person.pk}",
            due_at=timer.due_at,
            channels=recipient.channels,
            timer_id=timer.pk,
            clock=timer.clock,
            role=recipient.role,
            rank=Rank.QUIET if subject.is_drill else rank,
            as_urgent=rank <= Rank.URGENT,
            wants_answer=recipient.wants_answer or subject.is_drill,
            ask_again_at=_again_at(subject, plant, now) if recipient.wants_answer else None,
            note=notes.of(firing, recipient),
            data=data,
        )
        for recipient in firing.resolved.recipients
    ]


def _again_at(subject: Subject, plant: Hours, now: datetime) -> datetime | None:
    """When whoever does not answer is asked again; about a practice nobody is."""
    hours = plant.stretch(subject.place)
    return None if subject.is_drill else asks.again_at(subject.state(), now, hours)


def key_of(timer: Timer) -> str:
    """What may happen once: this round of this step of this clock, since this moment, for this incident."""
    since = int(timer.epoch.timestamp() * 1000)
    return f"{timer.incident_id}:{timer.clock}:{since}:{timer.severity}:{timer.step}.{timer.round}"


def rank_of(subject: Subject, clock: str) -> Rank:
    """Safety first; then what is stopped or at risk and not yet moving; quiet for the rest.

    A practice goes the ways of the real thing, but behind everything real.
    """
    if subject.is_safety:
        return Rank.SAFETY
    return Rank.URGENT if subject.severity in ("S1", "S2") and clock != CLOSURE else Rank.QUIET


# --- the timeline ---

_EVENT = ("incident_id", "at", "kind", "version", "words", "data")


def _event(firing: Firing, now: datetime) -> tuple[Any, ...]:
    """One line per firing. The incident's version stays: no screen gets stale because somebody was told."""
    timer = firing.timer
    data: dict[str, Any] = {
        "clock": timer.clock,
        "step": timer.step,
        "round": timer.round,
        "people": [
            {"id": one.person.pk, "name": one.person.name, "role": one.role}
            for one in firing.resolved.recipients
        ],
    }
    if any(Channel.CHAT in one.channels for one in firing.resolved.recipients):
        data["chat"] = True
    if firing.is_late:
        data["late_s"] = int(firing.late.total_seconds())
    if firing.resolved.missing:
        data["missing"] = firing.resolved.missing
    if timer.goes_up_from:
        data["goes_up_from"] = timer.goes_up_from
    return (firing.subject.pk, now, EventKind.TOLD.value, firing.subject.version, "", data)


# --- what comes next ---

_TIMER = (
    "incident_id",
    "clock",
    "epoch",
    "severity",
    "step",
    "first_step",
    "round",
    "due_at",
    "planned_at",
    "waits_for",
    "state",
    "armed_at",
    "goes_up_from",
)


Wanted = tuple[int, WantedTimer | None, str]
"""(Incident, what is wanted, why it was brought forward)."""


def arm(wanted: Sequence[Wanted], now: datetime, *, replanned: Collection[int] = ()) -> int:
    """Write timers. `replanned`: incidents whose severity changed on the way."""
    rows = [
        (
            incident_id,
            timer.clock,
            timer.epoch,
            timer.severity,
            timer.step,
            timer.first_step,
            timer.round,
            timer.due_at,
            timer.planned_at,
            timer.waits_for,
            TimerState.ARMED.value,
            now,
            goes_up_from,
        )
        for incident_id, timer, goes_up_from in _unused(wanted, replanned)
        if timer is not None
    ]
    copy_in(Timer, _TIMER, rows)
    return len(rows)


def _unused(wanted: Sequence[Wanted], replanned: Collection[int]) -> Sequence[Wanted]:
    """A severity that comes back may meet a newer policy, and in it a step that has fired: its next round."""
    ids = {incident_id for incident_id, timer, _why in wanted if timer and incident_id in replanned}
    if not ids:
        return wanted
    fired = Timer.objects.filter(incident_id__in=ids, state=TimerState.FIRED).order_by()
    steps = fired.values_list("incident_id", "clock", "epoch", "severity", "step")
    rounds = {tuple(step): last for *step, last in steps.annotate(Max("round"))}
    return [(pk, timer and _after_rounds(pk, timer, rounds), why) for pk, timer, why in wanted]


def _after_rounds(pk: int, timer: WantedTimer, rounds: Mapping[tuple[Any, ...], int]) -> WantedTimer:
    step = (pk, timer.clock, timer.epoch, timer.severity, timer.step)
    return replace(timer, round=max(timer.round, rounds.get(step, -1) + 1))


def _next(firing: Firing, plant: Hours, now: datetime) -> tuple[WantedTimer | None, str]:
    """The step after this one; now, when this one resolved to nobody on shift and there is a higher one."""
    fired: FiredStep = as_fired(firing.timer, at=now)
    hours = plant.stretch(firing.subject.place)
    timer = rules.next_after(fired, firing.subject.state(), firing.policy, hours=hours)
    if timer is None or not firing.resolved.goes_up or timer.step <= firing.timer.step:
        return timer, ""
    return rules.due_now(timer, now), wording.nobody_on_shift(firing.resolved.missing)
