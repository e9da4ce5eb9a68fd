"""Who should hear what next: pure decisions from an incident's state, its policy and what has fired.

No database, no clock. The engine, the preview and the screens all ask here, so they cannot disagree.

How a ladder is read
    Every clock has a base, the moment its minutes count from, which is also its *epoch*: response,
    containment and closure count from `clocks_from` (30 minutes without product is counted from when it was
    raised, however late somebody took it), update from the promised word (`word_due`).
    Only the next step is wanted, never two. When a clock starts to run after some of its steps were due
    (taken at minute 45, made worse at minute 12), those steps become one: everybody who should know by now,
    told once. When the engine was away, the late step goes out first and the next is counted from that
    firing: no storm. When the ladder ends it repeats: everybody on it is told again, until the clock stops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from escalation.steps import (
    CLOCKS,
    CLOSURE,
    CONTAINMENT,
    RESPONSE,
    UPDATE,
    PolicyClocks,
    Step,
)

ON_TIME = timedelta(seconds=60)
"""A step fired within this of its due moment counts as on time: the following ones keep their minutes."""

REPEAT_AT_LEAST = {
    "S1": timedelta(minutes=15),
    "S2": timedelta(minutes=30),
    "S3": timedelta(hours=4),
    "S4": timedelta(hours=24),
}
"""A ladder without a `repeat` of its own repeats after its last gap, but not faster than this."""


@dataclass(frozen=True, slots=True)
class IncidentState:
    """What the rules need to know of an incident."""

    status: str
    severity: str
    clocks_from: datetime
    is_safety: bool = False
    acknowledged_at: datetime | None = None
    next_update_due: datetime | None = None
    waiting_until: datetime | None = None
    shelved_until: datetime | None = None
    replanned_at: datetime | None = None
    """When its severity last changed, and with it the policy."""

    @property
    def word_due(self) -> datetime | None:
        """When somebody owes a word: the owner, or what it waits on, whichever was promised sooner."""
        return min(filter(None, (self.next_update_due, self.waiting_until)), default=None)


@dataclass(frozen=True, slots=True)
class FiredStep:
    """The last firing of a step of a clock in an epoch under one severity."""

    clock: str
    epoch: datetime
    severity: str
    step: int
    round: int
    due_at: datetime
    fired_at: datetime

    @property
    def was_late(self) -> bool:
        return self.fired_at - self.due_at > ON_TIME

    @property
    def counted_from(self) -> datetime:
        return self.fired_at if self.was_late else self.due_at


@dataclass(frozen=True, slots=True)
class WantedTimer:
    """The next step of one clock. It speaks for the steps `first_step` to `step`."""

    clock: str
    epoch: datetime
    severity: str
    step: int
    round: int
    first_step: int
    due_at: datetime

    @property
    def key(self) -> tuple[str, datetime, str, int, int]:
        return (self.clock, self.epoch, self.severity, self.step, self.round)


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody to tell: holders of a role, or (`role` empty) a person by username."""

    role: str
    person: str
    channels: tuple[str, ...]
    answer: bool = False


# --- which clocks run ---


def epoch_of(clock: str, state: IncidentState) -> datetime | None:
    """The moment the clock's minutes count from; None when there is nothing to count."""
    return state.word_due if clock == UPDATE else state.clocks_from


def runs(clock: str, state: IncidentState) -> bool:
    """Whether the clock's condition is still unmet. A condition met stops its clock (rule 2)."""
    if clock == RESPONSE:
        return state.status == "raised"
    if clock == CONTAINMENT:
        return state.status in ("acknowledged", "reopened")
    if clock == UPDATE:
        return state.word_due is not None and state.status in (
            "acknowledged",
            "reopened",
            "contained",
            "resolved",
        )
    return state.status != "closed"


def owes_safety(state: IncidentState, fired: Iterable[FiredStep]) -> bool:
    """Safety is told at once even when somebody took it before the engine looked."""
    if not state.is_safety or state.status == "closed":
        return False
    return not any(f.clock == RESPONSE and f.epoch == state.clocks_from for f in fired)


def waits_until(clock: str, state: IncidentState) -> datetime | None:
    """Until when a manager's pause holds the clock back; never for safety, never `closure`."""
    return None if clock == CLOSURE or state.is_safety else state.shelved_until


def _started_at(clock: str, state: IncidentState, base: datetime) -> datetime:
    """When the clock began to run, or its policy last changed, if that was after its base."""
    moments = [base]
    if clock == CONTAINMENT and state.acknowledged_at is not None:
        moments.append(state.acknowledged_at)
    if state.replanned_at is not None:
        moments.append(state.replanned_at)
    return max(moments)


# --- what is wanted ---


def wanted_timers(
    state: IncidentState, policy: PolicyClocks, fired: Sequence[FiredStep] = ()
) -> list[WantedTimer]:
    """Exactly the next step of each running clock. An open incident always has at least one (rule 1)."""
    return [timer for clock in CLOCKS if (timer := _wanted(clock, state, policy, fired)) is not None]


def _wanted(
    clock: str, state: IncidentState, policy: PolicyClocks, fired: Sequence[FiredStep]
) -> WantedTimer | None:
    base = epoch_of(clock, state)
    steps = policy.ladder(clock, is_safety=state.is_safety)
    if base is None or not steps:
        return None
    if not runs(clock, state):
        return _safety_timer(state, policy) if clock == RESPONSE and owes_safety(state, fired) else None
    timer = _next(clock, state, policy, [f for f in fired if f.clock == clock and f.epoch == base])
    pause = waits_until(clock, state)
    return timer if pause is None or pause <= timer.due_at else replace(timer, due_at=pause)


def _safety_timer(state: IncidentState, policy: PolicyClocks) -> WantedTimer:
    return WantedTimer(RESPONSE, state.clocks_from, policy.severity, 0, 0, 0, state.clocks_from)


def _next(clock: str, state: IncidentState, policy: PolicyClocks, fired: list[FiredStep]) -> WantedTimer:
    """The next step of a running clock with a ladder."""
    base = epoch_of(clock, state) or state.clocks_from
    steps = policy.ladder(clock, is_safety=state.is_safety)
    here = [f for f in fired if f.severity == policy.severity]
    started = _started_at(clock, state, base)
    if here:
        step, round_, first, due = _after(here, steps, base, policy.severity)
        due = max(due, state.replanned_at) if state.replanned_at else due
    elif any(f.severity < policy.severity for f in fired):
        step, round_, first, due = _skip_to(started, steps, base, policy.severity)
    else:
        step, round_, first, due = _catch_up(started, steps, base)
    return WantedTimer(clock, base, policy.severity, step, round_, first, due)


def _order(fired: FiredStep) -> tuple[datetime, int, int]:
    return fired.fired_at, fired.step, fired.round


Next = tuple[int, int, int, datetime]
"""(step, round, first step it speaks for, due)."""


def _catch_up(started: datetime, steps: tuple[Step, ...], base: datetime) -> Next:
    """Nothing fired yet: all steps that were due when the clock started become one, due at the start."""
    passed = [n for n, step in enumerate(steps) if base + step.after <= started]
    if passed:
        return passed[-1], 0, 0, started
    return 0, 0, 0, base + steps[0].after


def _skip_to(started: datetime, steps: tuple[Step, ...], base: datetime, severity: str) -> Next:
    """It became less bad: what the milder ladder would have said by now has been said already."""
    for n, step in enumerate(steps):
        if base + step.after > started:
            return n, 0, n, base + step.after
    return len(steps) - 1, 1, 0, started + repeat_after(steps, severity)


def _after(here: Sequence[FiredStep], steps: tuple[Step, ...], base: datetime, severity: str) -> Next:
    """What follows the last firing: its own repeat, the next step, or, at the end, the whole ladder again.

    The ladder may have become shorter, when the severity went away and came back to a newer version: then its
    last step goes on with a round that it has not had.
    """
    last = max(here, key=_order)
    n = min(last.step, len(steps) - 1)
    if n + 1 == len(steps):
        rounds = [fired.round for fired in here if fired.step == n]
        return n, max(rounds, default=0) + 1, 0, last.counted_from + repeat_after(steps, severity)
    due = _due_of_next(last, steps, n, base)
    repeat = steps[n].repeat
    if repeat is not None and last.counted_from + repeat < due:
        return n, last.round + 1, n, last.counted_from + repeat
    return n + 1, 0, n + 1, due


def _due_of_next(last: FiredStep, steps: tuple[Step, ...], n: int, base: datetime) -> datetime:
    """By the policy's minutes while the engine keeps time; a full gap after a late or held back firing."""
    planned = base + steps[n + 1].after
    if not last.was_late and planned > last.due_at:
        return planned
    return max(planned, last.counted_from + (steps[n + 1].after - steps[n].after))


def repeat_after(steps: Sequence[Step], severity: str) -> timedelta:
    """How long after the end of the ladder everybody is told again."""
    last = steps[-1]
    gap = last.after - steps[-2].after if len(steps) > 1 else last.after
    return last.repeat or max(gap, REPEAT_AT_LEAST[severity])


def next_after(fired: FiredStep, state: IncidentState, policy: PolicyClocks) -> WantedTimer | None:
    """What the clock wants right after this firing."""
    return _wanted(fired.clock, state, policy, [fired])


def due_now(timer: WantedTimer, now: datetime) -> WantedTimer:
    """The same step, brought forward: the level below it is empty or could not be reached (rule 5)."""
    return replace(timer, due_at=min(timer.due_at, now))


def still_wanted(
    timer: WantedTimer,
    state: IncidentState,
    policy: PolicyClocks,
    *,
    now: datetime,
    brought_forward: bool = False,
) -> bool:
    """Asked again in the moment of firing: is this still what should happen now?"""
    if timer.epoch != epoch_of(timer.clock, state) or timer.severity != policy.severity:
        return False
    if timer.step >= len(policy.ladder(timer.clock, is_safety=state.is_safety)):
        return False
    if not runs(timer.clock, state):
        return timer.clock == RESPONSE and timer.step == 0 and state.is_safety and state.status != "closed"
    pause = waits_until(timer.clock, state)
    return pause is None or pause <= now or brought_forward


def is_used_up(timer: WantedTimer, policy: PolicyClocks, *, is_safety: bool = False) -> bool:
    """Whether the ladder has ended and the timer tells everybody again."""
    steps = policy.ladder(timer.clock, is_safety=is_safety)
    return timer.round > 0 and timer.step + 1 >= len(steps) and len(steps) > 0


def replacement(wanted: WantedTimer, armed_due: datetime, now: datetime) -> WantedTimer:
    """A step that was rightly waiting until now (a pause that was lifted) is due now; it is not late."""
    return replace(wanted, due_at=now) if wanted.due_at < now < armed_due else wanted


# --- who is asked ---


def asks(timer: WantedTimer, state: IncidentState, policy: PolicyClocks, *, flow: str) -> list[Ask]:
    """Whom a firing tells, in the order they are named: by rung, and by the flow that is hit."""
    if timer.clock == RESPONSE and state.status != "raised" and state.is_safety:
        spoken: Sequence[Step] = [policy.safety]
    else:
        ladder = policy.ladder(timer.clock, is_safety=state.is_safety)
        spoken = ladder[timer.first_step : timer.step + 1]
    return list(_merged(ask for step in spoken for ask in asks_of(step, flow=flow)))


def asks_of(step: Step, *, flow: str) -> Iterator[Ask]:
    for role in in_order(step.roles, flow=flow):
        yield Ask(role, "", step.channels, step.answer)
    for person in step.people:
        yield Ask("", person, step.channels, step.answer)


def in_order(roles: Sequence[str], *, flow: str) -> list[str]:
    """Shipping, receiving and material moves name the materials manager first; everything else production."""
    is_materials = flow in ("shipping", "receiving", "material_moves")
    pair = ["production_manager", "materials_manager"]
    if not all(role in roles for role in pair):
        return list(roles)
    ordered = iter(reversed(pair) if is_materials else pair)
    return [next(ordered) if role in pair else role for role in roles]


def _merged(all_asks: Iterable[Ask]) -> Iterator[Ask]:
    """One ask per role or person, with all the channels and the wish for an answer of any of them."""
    found: dict[tuple[str, str], Ask] = {}
    for ask in all_asks:
        before = found.get((ask.role, ask.person))
        if before is not None:
            channels = tuple(dict.fromkeys(before.channels + ask.channels))
            ask = Ask(ask.role, ask.person, channels, before.answer or ask.answer)
        found[(ask.role, ask.person)] = ask
    yield from found.values()
