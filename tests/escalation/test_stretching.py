"""Steps that wait for the place to work, as tables: no database, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from escalation import rules
from escalation.defaults import DEFAULT_CLOCKS
from escalation.foresight import rest_of_ladder
from escalation.situation import FiredStep, IncidentState, WantedTimer
from escalation.steps import LAPSE, PolicyClocks

FRIDAY_20 = datetime(2025, 11, 7, 20, 0, tzinfo=UTC)
CLOSES, OPENS = FRIDAY_20 + timedelta(hours=2), FRIDAY_20 + timedelta(hours=57)
"""The place works until Friday 22:00 and again from Monday 05:00."""

POLICIES = {severity: PolicyClocks.parse(raw, severity=severity) for severity, raw in DEFAULT_CLOCKS.items()}
THREE_RUNGS = PolicyClocks.parse(
    {
        "response": [
            {"after": after, "roles": ["it_lead"], "channels": ["sms"]} for after in (0, 60, 57 * 60 + 1)
        ],
        "closure": DEFAULT_CLOCKS["S3"]["closure"],
    },
    severity="S3",
)


def weekend(at: datetime) -> tuple[datetime, str]:
    return (OPENS, "Weekend") if CLOSES <= at < OPENS else (at, "")


def state(severity: str = "S3", *, hours: float = 0, **changes: object) -> IncidentState:
    raised = FRIDAY_20 + timedelta(hours=hours)
    base = IncidentState(status="raised", severity=severity, clocks_from=raised)
    return replace(base, **changes)  # type: ignore[arg-type]


def taken(severity: str = "S3", *, hours: float = 0, **changes: object) -> IncidentState:
    at = FRIDAY_20 + timedelta(hours=hours)
    return state(severity, hours=hours, status="acknowledged", acknowledged_at=at, **changes)


def wanted(of: IncidentState, *, policy: PolicyClocks | None = None) -> dict[str, WantedTimer]:
    timers = rules.wanted_timers(of, policy or POLICIES[of.severity], hours=weekend)
    return {timer.clock: timer for timer in timers}


def fired(timer: WantedTimer) -> FiredStep:
    return FiredStep(
        timer.clock,
        timer.epoch,
        timer.severity,
        timer.step,
        timer.round,
        timer.due_at,
        timer.due_at,
        waited=timer.planned_at is not None,
    )


@pytest.mark.parametrize("severity", ["S3", "S4"])
@pytest.mark.parametrize("clock", ["response", "containment", "update", "closure"])
def test_every_clock_of_what_may_wait_waits(severity: str, clock: str) -> None:
    of = state(severity, hours=3)
    if clock != "response":
        of = taken(severity, hours=3, next_update_due=FRIDAY_20 + timedelta(hours=9))
    if clock not in wanted(of):
        assert not POLICIES[severity].ladder(clock)
        return
    plain = {timer.clock: timer for timer in rules.wanted_timers(of, POLICIES[severity])}[clock]
    timer = wanted(of)[clock]
    if plain.due_at < OPENS:
        assert (timer.due_at, timer.planned_at, timer.waits_for) == (OPENS, plain.due_at, "Weekend")
    else:
        assert timer == plain


@pytest.mark.parametrize(
    "of",
    [
        state("S1", hours=3),
        state("S2", hours=3),
        state("S1", hours=3, is_safety=True),
        state("S3", hours=3, is_safety=True),
    ],
)
def test_what_is_urgent_and_safety_never_wait(of: IncidentState) -> None:
    assert rules.wanted_timers(of, POLICIES[of.severity], hours=weekend) == rules.wanted_timers(
        of, POLICIES[of.severity]
    )


def test_in_working_time_nothing_says_that_it_waits() -> None:
    timer = wanted(state())["response"]
    assert (timer.due_at, timer.planned_at, timer.waits_for) == (FRIDAY_20, None, "")


def test_after_a_weekend_one_step_goes_out_and_the_next_a_full_gap_later() -> None:
    of = state(hours=3)
    first = wanted(of, policy=THREE_RUNGS)["response"]
    assert first.due_at == OPENS
    second = rules.next_after(fired(first), of, THREE_RUNGS, hours=weekend)
    assert second is not None and second.due_at == OPENS + timedelta(hours=1)


def test_a_step_that_would_be_due_a_minute_after_the_weekend_keeps_its_gap_too() -> None:
    """The second rung waited; by the policy's minutes the third would follow a minute later."""
    of = state(hours=1)
    first = wanted(of, policy=THREE_RUNGS)["response"]
    second = rules.next_after(fired(first), of, THREE_RUNGS, hours=weekend)
    assert second is not None and (second.due_at, second.planned_at) == (OPENS, CLOSES)
    third = rules.next_after(fired(second), of, THREE_RUNGS, hours=weekend)
    assert third is not None and third.due_at == OPENS + timedelta(hours=56, minutes=1)


def test_the_whole_ladder_is_foreseen_with_its_waits() -> None:
    of = state(hours=1.5)
    first = wanted(of)["response"]
    steps = list(rest_of_ladder(first, of, POLICIES["S3"], hours=weekend))
    assert [(step.due_at, step.waits_for) for step in steps] == [
        (of.clocks_from, ""),
        (OPENS, "Weekend"),
        (OPENS + timedelta(hours=4), ""),
    ]


def test_a_pause_that_ends_on_the_weekend_goes_on_when_the_place_works() -> None:
    of = state(shelved_until=CLOSES + timedelta(hours=5))
    timer = wanted(of)["response"]
    assert (timer.due_at, timer.planned_at) == (OPENS, of.shelved_until)


def test_a_pause_that_is_lifted_on_the_weekend_does_not_ring_then() -> None:
    of, now = state(), CLOSES + timedelta(hours=5)
    lifted = rules.replacement(wanted(of)["response"], OPENS, now)
    assert lifted.due_at == now
    timer = rules.stretched(lifted, of, weekend)
    assert (timer.due_at, timer.planned_at, timer.waits_for) == (OPENS, now, "Weekend")


def test_what_is_brought_forward_waits_for_nothing() -> None:
    timer = rules.due_now(wanted(state(hours=3))["response"], FRIDAY_20)
    assert (timer.due_at, timer.planned_at, timer.waits_for) == (FRIDAY_20, None, "")


def test_made_urgent_in_a_shutdown_it_is_due_at_its_plain_minutes() -> None:
    of = state("S2", hours=3, replanned_at=CLOSES + timedelta(hours=2))
    timers = {t.clock: t for t in rules.wanted_timers(of, POLICIES["S2"], hours=weekend)}
    assert timers["response"].due_at == of.replanned_at
    assert not any(timer.waits_for for timer in timers.values())


def test_an_owner_who_was_asked_after_the_weekend_has_a_whole_interval_to_say_a_word() -> None:
    of = taken(hours=1, next_update_due=FRIDAY_20 + timedelta(hours=9), update_every=timedelta(hours=8))
    timers = wanted(of)
    assert timers["update"].due_at == OPENS
    assert timers[LAPSE].due_at == OPENS + timedelta(hours=8)


def test_a_second_missed_word_on_the_weekend_waits_for_monday() -> None:
    of = taken(next_update_due=FRIDAY_20 + timedelta(hours=1), update_every=timedelta(hours=8))
    lapse = wanted(of)[LAPSE]
    assert (lapse.due_at, lapse.planned_at) == (OPENS, FRIDAY_20 + timedelta(hours=9))
