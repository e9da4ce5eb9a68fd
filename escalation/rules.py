"""Who should hear what next: pure decisions from an incident's state, its policy and what has fired.

No database, no clock. The engine, the preview and the screens all ask here, so they cannot disagree.

How a ladder is read
    Every clock has a base, the moment its minutes count from, which is also its *epoch*: containment and
    closure count from when it was raised or came back (30 minutes without product, however late somebody took
    it or how often silence took it back), response from then or from when silence took it back
    (`clocks_from`), update from the promised word (`word_due`).
    Only the next step is wanted, never two. When a clock starts to run after some of its steps were due
    (taken at minute 45, made worse at minute 12), those steps become one: everybody who should know by now,
    told once. When the engine was away, the late step goes out first and the next is counted from that
    firing: no storm. When the ladder ends it repeats: everybody on it is told again, until the clock stops.

What is S3 or S4 waits for the place to work: its steps are stretched to the next working minute, by a
function the caller gives (`Stretch`), and the next step is counted from there. S1, S2 and safety never wait.

Two clocks need no policy: `lapse` takes an incident from an owner who missed two words in a row, `help` asks
its owner once, 10 minutes after they took it and said nothing, whether to bring somebody in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from escalation.situation import Ask, FiredStep, IncidentState, WantedTimer
from escalation.steps import (
    BUILT_IN,
    CLOCKS,
    CLOSURE,
    CONTAINMENT,
    HELP,
    LAPSE,
    OWNER,
    RESPONSE,
    UPDATE,
    PolicyClocks,
    Step,
)

REPEAT_AT_LEAST = {
    "S1": timedelta(minutes=15),
    "S2": timedelta(minutes=30),
    "S3": timedelta(hours=4),
    "S4": timedelta(hours=24),
}
"""A ladder without a `repeat` of its own repeats after its last gap, but not faster than this."""


HELP_AFTER = timedelta(minutes=10)
"""Somebody took an S1 or S2 and said no word for this long: one neutral question (domain §2)."""


WAITS = ("S3", "S4")
"""Severities that wait while the place does not work."""

Stretch = Callable[[datetime], tuple[datetime, str]]
"""From a moment to when the place works: that moment itself, or the next working minute and why it waits."""


# --- which clocks run ---


def epoch_of(clock: str, state: IncidentState) -> datetime | None:
    """The moment the clock's minutes count from; None when there is nothing to count."""
    if clock == UPDATE:
        return state.word_due
    if clock == LAPSE:
        return state.next_update_due
    if clock == HELP:
        return state.acknowledged_at
    return state.clocks_from if clock == RESPONSE else state.troubled_since or state.clocks_from


def runs(clock: str, state: IncidentState) -> bool:
    """Whether the clock's condition is still unmet. A condition met stops its clock (rule 2)."""
    if clock == RESPONSE:
        return state.status == "raised"
    if clock == CONTAINMENT:
        is_taken_back = state.status == "raised" and state.has_lapsed
        return state.status in ("acknowledged", "reopened") or is_taken_back
    if clock == UPDATE:
        return state.word_due is not None and state.status in (
            "acknowledged",
            "reopened",
            "contained",
            "resolved",
        )
    if clock == LAPSE:
        return state.status in ("acknowledged", "reopened") and state.update_every is not None
    if clock == HELP:
        owes_word = state.next_update_due is not None and not state.has_spoken
        return state.status == "acknowledged" and state.severity in ("S1", "S2") and owes_word
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
    state: IncidentState,
    policy: PolicyClocks,
    fired: Sequence[FiredStep] = (),
    *,
    hours: Stretch | None = None,
) -> list[WantedTimer]:
    """Exactly the next step of each running clock. An open incident always has at least one (rule 1)."""
    wanted = (_wanted(clock, state, policy, fired, hours) for clock in (*CLOCKS, *BUILT_IN))
    return [timer for timer in wanted if timer is not None]


def _wanted(
    clock: str,
    state: IncidentState,
    policy: PolicyClocks,
    fired: Sequence[FiredStep],
    hours: Stretch | None,
) -> WantedTimer | None:
    if clock in BUILT_IN:
        timer = _built_in(clock, state, policy, fired, hours)
    else:
        timer = _of_policy(clock, state, policy, fired)
    return timer and stretched(timer, state, hours)


def stretched(timer: WantedTimer, state: IncidentState, hours: Stretch | None) -> WantedTimer:
    """The same step at the next working minute, if it may wait."""
    until, why = works_from(timer.due_at, state, hours)
    if until <= timer.due_at:
        return timer
    return replace(timer, due_at=until, planned_at=timer.due_at, waits_for=why)


def works_from(at: datetime, state: IncidentState, hours: Stretch | None) -> tuple[datetime, str]:
    """That moment; for what may wait while the place does not work, the next working minute and why."""
    may_wait = hours is not None and state.severity in WAITS and not state.is_safety
    return hours(at) if hours is not None and may_wait else (at, "")


def _of_policy(
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


def _built_in(
    clock: str,
    state: IncidentState,
    policy: PolicyClocks,
    fired: Sequence[FiredStep],
    hours: Stretch | None = None,
) -> WantedTimer | None:
    """The one step of a built-in clock, once in each of its epochs.

    `lapse` is due at the second missed word. A pause or a weekend in which the first one came due ends with
    it: nobody was asked for it before. `help` waits for the end of a pause, like any other clock.
    """
    base = epoch_of(clock, state)
    if base is None or not runs(clock, state) or any(f.clock == clock and f.epoch == base for f in fired):
        return None
    pause = waits_until(clock, state) or base
    due = max(base + HELP_AFTER, pause)
    if clock == LAPSE:
        asked, _why = works_from(max(base, pause), state, hours)
        due = asked + (state.update_every or timedelta(0))
    return WantedTimer(clock, base, policy.severity, 0, 0, 0, due)


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
    """By the policy's minutes while the engine keeps time; a full gap after a late or held back firing.

    After a weekend the step of a minute later would else follow a minute later: two rungs at once.
    """
    planned = base + steps[n + 1].after
    if not last.was_late and not last.waited and planned > last.due_at:
        return planned
    return max(planned, last.counted_from + (steps[n + 1].after - steps[n].after))


def repeat_after(steps: Sequence[Step], severity: str) -> timedelta:
    """How long after the end of the ladder everybody is told again."""
    last = steps[-1]
    gap = last.after - steps[-2].after if len(steps) > 1 else last.after
    return last.repeat or max(gap, REPEAT_AT_LEAST[severity])


def next_after(
    fired: FiredStep, state: IncidentState, policy: PolicyClocks, *, hours: Stretch | None = None
) -> WantedTimer | None:
    """What the clock wants right after this firing."""
    return _wanted(fired.clock, state, policy, [fired], hours)


def due_now(timer: WantedTimer, now: datetime) -> WantedTimer:
    """The same step, brought forward: the level below it is empty or could not be reached (rule 5)."""
    return replace(timer, due_at=min(timer.due_at, now), planned_at=None, waits_for="")


def still_wanted(timer: WantedTimer, state: IncidentState, policy: PolicyClocks, *, now: datetime) -> bool:
    """Asked again in the moment of firing: is this still what should happen now?"""
    if timer.clock in BUILT_IN:
        wanted = _built_in(timer.clock, state, policy, ())
        return wanted is not None and wanted.key == timer.key and wanted.due_at <= now
    if timer.epoch != epoch_of(timer.clock, state) or timer.severity != policy.severity:
        return False
    if timer.step >= len(policy.ladder(timer.clock, is_safety=state.is_safety)):
        return False
    if not runs(timer.clock, state):
        return timer.clock == RESPONSE and timer.step == 0 and state.is_safety and state.status != "closed"
    pause = waits_until(timer.clock, state)
    return pause is None or pause <= now


def brought_forward_to(clock: str, state: IncidentState, now: datetime) -> datetime:
    """When a step that is brought forward is due: now, or when a manager's pause ends.

    Whoever pauses the alerts has the incident in their hands: nobody above them is called meanwhile.
    """
    pause = waits_until(clock, state)
    return pause if pause is not None and pause > now else now


def is_used_up(timer: WantedTimer, policy: PolicyClocks, *, is_safety: bool = False) -> bool:
    """Whether the ladder has ended and the timer tells everybody again."""
    steps = policy.ladder(timer.clock, is_safety=is_safety)
    return timer.round > 0 and timer.step + 1 >= len(steps) and len(steps) > 0


def replacement(wanted: WantedTimer, armed_due: datetime, now: datetime) -> WantedTimer:
    """A step that was rightly waiting until now (a pause, a shutdown called off) is due now and not late."""
    if not wanted.due_at < now < armed_due:
        return wanted
    return replace(wanted, due_at=now, planned_at=None, waits_for="")


# --- who is asked ---


def asks(timer: WantedTimer, state: IncidentState, policy: PolicyClocks, *, flow: str) -> list[Ask]:
    """Whom a firing tells, in the order they are named: by rung, and by the flow that is hit."""
    if timer.clock in BUILT_IN:
        return [Ask(OWNER, "", ("sms",))] if timer.clock == HELP else []
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
