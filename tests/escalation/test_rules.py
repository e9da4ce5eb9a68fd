"""The rules, as tables: no database, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from escalation.defaults import DEFAULT_CLOCKS, with_safety_people
from escalation.rules import asks, in_order, is_used_up, replacement, still_wanted, wanted_timers
from escalation.situation import Ask, FiredStep, IncidentState, WantedTimer
from escalation.steps import CLOCKS, PolicyClocks

T0 = datetime(2025, 11, 3, 8, 0, tzinfo=UTC)
POLICIES = {severity: PolicyClocks.parse(raw, severity=severity) for severity, raw in DEFAULT_CLOCKS.items()}


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def state(status: str = "raised", severity: str = "S1", **changes: object) -> IncidentState:
    base = IncidentState(status=status, severity=severity, clocks_from=T0)
    if status not in ("raised", "closed"):
        base = replace(base, acknowledged_at=at(1))
    return replace(base, **changes)  # type: ignore[arg-type]


def clock(name: str, of: IncidentState, fired: list[FiredStep] | None = None) -> WantedTimer | None:
    found = [t for t in wanted_timers(of, POLICIES[of.severity], fired or []) if t.clock == name]
    assert len(found) <= 1
    return found[0] if found else None


def fire(timer: WantedTimer, *, late: float = 0) -> FiredStep:
    return FiredStep(
        timer.clock,
        timer.epoch,
        timer.severity,
        timer.step,
        timer.round,
        timer.due_at,
        timer.due_at + timedelta(minutes=late),
    )


def play(name: str, of: IncidentState, steps: int) -> list[float]:
    """The minutes after T0 at which the first steps of a clock are due, when each is fired on time."""
    fired: list[FiredStep] = []
    minutes = []
    for _unused in range(steps):
        timer = clock(name, of, fired)
        assert timer is not None
        minutes.append((timer.due_at - T0).total_seconds() / 60)
        fired.append(fire(timer))
    return minutes


@pytest.mark.parametrize(
    ("severity", "name", "minutes"),
    [
        ("S1", "response", [0, 5, 10, 25, 40]),
        ("S1", "containment", [15, 30, 60, 120, 180, 240]),
        ("S1", "closure", [480, 960, 1440]),
        ("S2", "response", [0, 15, 30, 60, 90]),
        ("S2", "containment", [60, 120, 240, 360]),
        ("S2", "closure", [1440, 2880]),
        ("S3", "response", [0, 60, 300]),
        ("S3", "containment", [480, 960]),
        ("S3", "closure", [72 * 60, 144 * 60]),
        ("S4", "response", [480, 1920]),
        ("S4", "closure", [168 * 60]),
    ],
)
def test_the_default_ladders_are_due_at_the_minutes_of_the_domain_and_then_repeat(severity, name, minutes):
    status = "acknowledged" if name == "containment" else "raised"
    assert play(name, state(status, severity), len(minutes)) == minutes


@pytest.mark.parametrize(
    ("severity", "minutes"), [("S1", [45, 55, 65, 95]), ("S2", [45, 75, 195]), ("S3", [45, 105])]
)
def test_the_update_clock_counts_from_the_promised_word(severity, minutes):
    owed = state("acknowledged", severity, next_update_due=at(45))
    assert play("update", owed, len(minutes)) == minutes


def test_nobody_is_chased_for_updates_of_a_minor_incident():
    assert clock("update", state("acknowledged", "S4", next_update_due=at(45))) is None


@pytest.mark.parametrize(
    ("status", "running"),
    [
        ("raised", {"response", "closure"}),
        ("acknowledged", {"containment", "update", "closure", "lapse", "help"}),
        ("reopened", {"containment", "update", "closure", "lapse"}),
        ("contained", {"update", "closure"}),
        ("resolved", {"closure", "update"}),
        ("closed", set()),
    ],
)
def test_each_status_runs_its_clocks_and_no_others(status, running):
    due = at(30) if status != "raised" else None
    owed = state(status, next_update_due=due, update_every=timedelta(minutes=30))
    assert {t.clock for t in wanted_timers(owed, POLICIES["S1"])} == running


STATUSES = ["raised", "acknowledged", "contained", "resolved", "reopened"]


@pytest.mark.parametrize(
    ("status", "severity", "is_safety", "shelved", "owes"),
    list(product(STATUSES, POLICIES, [False, True], [None, at(300)], [None, at(20)])),
)
def test_an_open_incident_always_waits_for_something(status, severity, is_safety, shelved, owes):
    if is_safety and severity != "S1":
        return
    of = state(status, severity, is_safety=is_safety, shelved_until=shelved, next_update_due=owes)
    fired: list[FiredStep] = []
    for _unused in range(40):
        timers = wanted_timers(of, POLICIES[severity], fired)
        assert timers
        assert len({t.clock for t in timers}) == len(timers)
        fired += [fire(t, late=3) for t in timers]


@pytest.mark.parametrize("severity", list(POLICIES))
def test_a_closed_incident_waits_for_nothing(severity):
    closed = state("closed", severity, next_update_due=at(5), is_safety=severity == "S1")
    assert wanted_timers(closed, POLICIES[severity]) == []


def test_after_an_outage_only_one_step_is_due_and_the_next_is_counted_from_it():
    raised = state()
    first = clock("response", raised)
    assert first is not None
    assert first.due_at == T0
    late = fire(first, late=240)
    second = clock("response", raised, [late])
    assert second is not None
    assert second.due_at == late.fired_at + timedelta(minutes=5)


def test_missed_repeats_collapse_into_one():
    raised = state()
    ladder = [fire(t) for t in (WantedTimer("response", T0, "S1", 2, 0, 2, at(10)),)]
    again = clock("response", raised, ladder)
    assert again is not None
    after = clock("response", raised, [*ladder, fire(again, late=600)])
    assert after is not None
    assert after.due_at == again.due_at + timedelta(minutes=600 + 15)


def test_a_firing_a_few_seconds_late_does_not_move_the_ladder():
    raised = state()
    first = clock("response", raised)
    assert first is not None
    assert clock("response", raised, [fire(first, late=0.9)]).due_at == at(5)  # type: ignore[union-attr]


def test_a_step_that_was_brought_forward_leaves_the_later_ones_where_they_were():
    raised = state()
    early = FiredStep("response", T0, "S1", 1, 0, at(0), at(0))
    assert clock("response", raised, [early]).due_at == at(10)  # type: ignore[union-attr]


def test_thirty_minutes_without_product_count_from_when_it_was_raised():
    taken = state("acknowledged", acknowledged_at=at(9))
    assert play("containment", taken, 4) == [15, 30, 60, 120]


def test_taken_late_tells_once_all_who_should_know_by_now():
    taken = state("acknowledged", acknowledged_at=at(45))
    timer = clock("containment", taken)
    assert timer is not None
    assert (timer.due_at, timer.first_step, timer.step) == (at(45), 0, 1)
    told = [ask.role for ask in asks(timer, taken, POLICIES["S1"], flow="production")]
    assert told == ["it_specialist", "it_lead", "it_manager", "production_manager", "materials_manager"]
    assert clock("containment", taken, [fire(timer)]).due_at == at(60)  # type: ignore[union-attr]


def test_made_worse_tells_at_once_all_who_would_know_by_now():
    s2 = clock("response", state(severity="S2"))
    assert s2 is not None
    worse = state(severity="S1", replanned_at=at(12))
    timer = clock("response", worse, [fire(s2)])
    assert timer is not None
    assert (timer.due_at, timer.first_step, timer.step) == (at(12), 0, 2)
    again = clock("response", worse, [fire(s2), fire(timer)])
    assert again is not None
    assert again.due_at == at(27)


def test_made_less_bad_keeps_what_has_fired_and_goes_on_by_the_milder_ladder():
    s1 = [FiredStep("response", T0, "S1", n, 0, at(m), at(m)) for n, m in enumerate([0, 5, 10])]
    milder = state(severity="S2", replanned_at=at(12))
    timer = clock("response", milder, s1)
    assert timer is not None
    assert (timer.step, timer.first_step, timer.due_at) == (1, 1, at(15))


def test_made_less_bad_after_the_milder_ladder_would_have_ended_repeats_it():
    s1 = [FiredStep("response", T0, "S1", 2, 3, at(55), at(55))]
    timer = clock("response", state(severity="S2", replanned_at=at(60)), s1)
    assert timer is not None
    assert (timer.round, timer.first_step, timer.due_at) == (1, 0, at(90))


def test_made_worse_and_back_again_goes_on_where_that_ladder_was():
    fired = [
        FiredStep("response", T0, "S1", 1, 0, at(5), at(5)),
        FiredStep("response", T0, "S2", 1, 0, at(15), at(15)),
    ]
    timer = clock("response", state(severity="S1", replanned_at=at(20)), fired)
    assert timer is not None
    assert (timer.step, timer.due_at) == (2, at(20))


def test_a_ladder_that_became_shorter_goes_on_with_rounds_it_has_not_had():
    fired = [
        FiredStep("response", T0, "S3", 1, 4, at(100), at(100)),
        FiredStep("response", T0, "S3", 2, 7, at(200), at(200)),
    ]
    timer = clock("response", state(severity="S3"), fired)
    assert timer is not None
    assert (timer.step, timer.round, timer.due_at) == (1, 5, at(200 + 240))
    again = clock("response", state(severity="S3"), [*fired, fire(timer)])
    assert again is not None
    assert (again.step, again.round, again.due_at) == (1, 6, at(200 + 480))


def test_coming_back_starts_the_containment_ladder_anew():
    old = [FiredStep("containment", T0, "S1", 3, 4, at(300), at(300))]
    back = state("reopened", clocks_from=at(600), acknowledged_at=at(1))
    timer = clock("containment", back, old)
    assert timer is not None
    assert (timer.epoch, timer.step, timer.round, timer.due_at) == (at(600), 0, 0, at(615))


@pytest.mark.parametrize("name", ["response", "containment", "update"])
def test_a_pause_holds_the_clocks_until_it_ends(name):
    status = "raised" if name == "response" else "acknowledged"
    paused = state(status, next_update_due=at(20) if name == "update" else None, shelved_until=at(200))
    assert clock(name, paused).due_at == at(200)  # type: ignore[union-attr]


def test_a_pause_does_not_hold_the_closure_clock():
    assert clock("closure", state(shelved_until=at(500))).due_at == at(480)  # type: ignore[union-attr]


def test_there_is_no_pause_for_safety():
    hurt = state(is_safety=True, shelved_until=at(200))
    assert clock("response", hurt).due_at == T0  # type: ignore[union-attr]


def test_after_a_pause_the_steps_keep_their_distance():
    paused = state("acknowledged", shelved_until=at(200))
    held = clock("containment", paused)
    assert held is not None
    assert clock("containment", paused, [fire(held)]).due_at == at(215)  # type: ignore[union-attr]


def test_a_pause_that_is_lifted_makes_the_step_due_now_and_not_late():
    lifted = clock("containment", state("acknowledged"))
    assert lifted is not None
    assert replacement(lifted, at(200), at(45)).due_at == at(45)
    assert replacement(lifted, at(200), at(5)).due_at == at(15)
    assert replacement(lifted, at(15), at(45)).due_at == at(15)


def test_safety_tells_the_plant_manager_and_the_named_people_at_once():
    raw = with_safety_people(DEFAULT_CLOCKS["S1"], ["lindqvist", "oyelaran"])
    policy = PolicyClocks.parse(raw, severity="S1")
    hurt = state(is_safety=True)
    (timer,) = (t for t in wanted_timers(hurt, policy) if t.clock == "response")
    told = [ask.role or ask.person for ask in asks(timer, hurt, policy, flow="production")]
    assert told == ["it_tech", "supervisor", "plant_manager", "lindqvist", "oyelaran"]


@pytest.mark.parametrize("status", ["acknowledged", "contained", "resolved", "reopened"])
def test_safety_is_told_even_when_somebody_was_quicker_than_the_engine(status):
    quick = state(status, is_safety=True)
    timer = clock("response", quick)
    assert timer is not None
    assert still_wanted(timer, quick, POLICIES["S1"], now=at(1))
    assert [a.role for a in asks(timer, quick, POLICIES["S1"], flow="production")] == ["plant_manager"]
    assert clock("response", quick, [fire(timer)]) is None


def test_a_used_up_ladder_tells_everybody_on_it_again():
    raised = state()
    again = clock("response", raised, [FiredStep("response", T0, "S1", 2, 0, at(10), at(10))])
    assert again is not None
    assert is_used_up(again, POLICIES["S1"])
    told = [ask.role for ask in asks(again, raised, POLICIES["S1"], flow="production")]
    assert told[:2] == ["it_tech", "supervisor"]
    assert {"it_lead", "it_manager", "production_manager"} <= set(told)


def test_a_step_with_a_repeat_of_its_own_repeats_until_the_next_step():
    raw = {**DEFAULT_CLOCKS["S1"]}
    raw["response"] = [{**raw["response"][0], "repeat": 2}, *raw["response"][1:]]
    policy = PolicyClocks.parse(raw, severity="S1")
    fired: list[FiredStep] = []
    seen = []
    for _unused in range(5):
        (timer,) = (t for t in wanted_timers(state(), policy, fired) if t.clock == "response")
        seen.append((timer.step, timer.round, (timer.due_at - T0).total_seconds() / 60))
        fired.append(fire(timer))
    assert seen == [(0, 0, 0), (0, 1, 2), (0, 2, 4), (1, 0, 5), (2, 0, 10)]


@pytest.mark.parametrize(
    ("flow", "first"),
    [
        ("production", "production_manager"),
        ("records", "production_manager"),
        ("shipping", "materials_manager"),
        ("receiving", "materials_manager"),
        ("material_moves", "materials_manager"),
    ],
)
def test_the_flow_decides_which_manager_is_named_first(flow, first):
    ordered = in_order(["it_manager", "production_manager", "materials_manager"], flow=flow)
    assert ordered[0] == "it_manager"
    assert ordered[1] == first
    assert len(ordered) == 3


def test_a_role_on_two_rungs_is_asked_once_by_all_its_channels():
    taken = state("acknowledged", acknowledged_at=at(300))
    timer = clock("containment", taken)
    assert timer is not None
    found = asks(timer, taken, POLICIES["S1"], flow="production")
    assert len({(a.role, a.person) for a in found}) == len(found)
    assert Ask("plant_manager", "", ("sms", "email")) in found


@pytest.mark.parametrize(
    "change",
    [
        {"status": "acknowledged", "acknowledged_at": at(3)},
        {"status": "closed"},
        {"clocks_from": at(2)},
        {"shelved_until": at(60)},
    ],
)
def test_a_due_step_is_not_wanted_any_more_once_its_condition_is_met(change):
    timer = clock("response", state(severity="S2"))
    assert timer is not None
    assert still_wanted(timer, state(severity="S2"), POLICIES["S2"], now=at(5))
    assert not still_wanted(timer, replace(state(severity="S2"), **change), POLICIES["S2"], now=at(5))
    assert not still_wanted(timer, state(severity="S1"), POLICIES["S1"], now=at(5))


def test_every_clock_of_every_default_policy_is_known():
    assert all(set(raw) - {"safety"} == set(CLOCKS) for raw in DEFAULT_CLOCKS.values())


@pytest.mark.parametrize(
    ("next_word", "waits", "due"),
    [(30, None, 30), (None, 20, 20), (30, 20, 20), (20, 30, 20)],
)
def test_word_is_asked_for_when_the_sooner_promise_is_due(next_word, waits, due):
    owed = state(
        "acknowledged",
        next_update_due=at(next_word) if next_word else None,
        waiting_until=at(waits) if waits else None,
    )
    timer = clock("update", owed)
    assert timer is not None
    assert timer.due_at == at(due)
