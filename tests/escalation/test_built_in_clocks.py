"""The two clocks that need no policy, as tables: silence is not ownership, and "Bring someone in?"."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from escalation.rules import asks, next_after, runs, still_wanted
from escalation.situation import Ask, FiredStep, IncidentState, WantedTimer
from escalation.steps import BUILT_IN, CLOCKS, HELP, LAPSE
from tests.escalation.test_rules import POLICIES, T0, at, clock, fire, state

EVERY = {"S1": 30, "S2": 120, "S3": 480, "S4": None}


def owned(severity: str = "S1", status: str = "acknowledged", **changes: object) -> IncidentState:
    """Taken at minute 1; the first word is owed one interval later."""
    every = EVERY[severity]
    owed = {
        "update_every": timedelta(minutes=every) if every else None,
        "next_update_due": at(1 + every) if every else None,
    }
    return state(status, severity, **{**owed, **changes})


def due(name: str, of: IncidentState, fired: list[FiredStep] | None = None) -> float | None:
    timer = clock(name, of, fired)
    return (timer.due_at - T0).total_seconds() / 60 if timer else None


@pytest.mark.parametrize(("severity", "minutes"), [("S1", 61), ("S2", 241), ("S3", 961), ("S4", None)])
@pytest.mark.parametrize("status", ["acknowledged", "reopened"])
def test_it_lapses_at_the_second_missed_word(status, severity, minutes):
    assert due(LAPSE, owned(severity, status)) == minutes


@pytest.mark.parametrize("status", ["raised", "contained", "resolved", "closed"])
def test_only_what_somebody_has_and_does_not_move_lapses(status):
    assert due(LAPSE, owned(status=status)) is None


def test_without_a_promised_word_nothing_lapses():
    assert due(LAPSE, owned(next_update_due=None)) is None
    assert due(LAPSE, owned(update_every=None)) is None


def test_the_promise_counts_not_what_it_waits_on():
    waiting = owned(waiting_until=at(5))
    assert (due("update", waiting), due(LAPSE, waiting)) == (5, 61)


@pytest.mark.parametrize(
    ("pause", "minutes"), [(10, 61), (31, 61), (40, 70), (200, 230)], ids=["before", "at", "after", "long"]
)
def test_a_pause_in_which_the_word_came_due_counts_as_its_moment(pause, minutes):
    assert due(LAPSE, owned(shelved_until=at(pause))) == minutes


def test_no_pause_holds_back_what_could_hurt_somebody():
    assert due(LAPSE, owned(shelved_until=at(200), is_safety=True)) == 61


@pytest.mark.parametrize(("severity", "minutes"), [("S1", 11), ("S2", 11), ("S3", None), ("S4", None)])
def test_the_question_comes_ten_minutes_after_it_was_taken(severity, minutes):
    assert due(HELP, owned(severity)) == minutes


@pytest.mark.parametrize(
    "of",
    [
        owned(has_spoken=True),
        owned(next_update_due=None),
        owned(status="reopened"),
        owned(status="contained"),
        state("raised"),
    ],
)
def test_nobody_is_asked_who_spoke_or_owes_nothing_or_has_nothing(of):
    assert due(HELP, of) is None


def test_the_question_waits_for_the_end_of_a_pause():
    assert due(HELP, owned(shelved_until=at(25))) == 25


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_happens_once_in_its_epoch_and_anew_in_the_next(name):
    of = owned()
    fired = fire(_wanted(name, of))
    assert clock(name, of, [fired]) is None
    assert next_after(fired, of, POLICIES["S1"]) is None
    again = replace(of, acknowledged_at=at(50), next_update_due=at(80))
    assert clock(name, again, [fired]) is not None


def test_made_less_bad_the_question_is_not_asked_twice():
    fired = fire(_wanted(HELP, owned("S1")))
    assert clock(HELP, owned("S2"), [fired]) is None


def _wanted(name: str, of: IncidentState) -> WantedTimer:
    timer = clock(name, of)
    assert timer is not None
    return timer


CHANGES: list[tuple[str, dict[str, object]]] = [
    (LAPSE, {"next_update_due": at(90)}),
    (LAPSE, {"next_update_due": None}),
    (LAPSE, {"status": "contained"}),
    (LAPSE, {"shelved_until": at(70)}),
    (LAPSE, {"update_every": timedelta(minutes=45)}),
    (HELP, {"has_spoken": True}),
    (HELP, {"acknowledged_at": at(5)}),
    (HELP, {"status": "contained"}),
    (HELP, {"shelved_until": at(70)}),
]


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_asked_again_when_it_is_due_a_met_condition_wins(name, change):
    of = owned()
    timer = _wanted(name, of)
    assert still_wanted(timer, of, POLICIES["S1"], now=timer.due_at)
    assert not still_wanted(timer, replace(of, **change), POLICIES["S1"], now=timer.due_at)


def test_never_before_its_time():
    timer = _wanted(LAPSE, owned())
    early: datetime = timer.due_at - timedelta(seconds=1)
    assert not still_wanted(timer, owned(), POLICIES["S1"], now=early)


def test_the_question_is_for_the_owner_and_a_lapse_tells_nobody_itself():
    of = owned()
    assert asks(_wanted(HELP, of), of, POLICIES["S1"], flow="production") == [Ask("owner", "", ("sms",))]
    assert asks(_wanted(LAPSE, of), of, POLICIES["S1"], flow="production") == []


def test_no_policy_has_a_ladder_for_them():
    assert not set(BUILT_IN) & set(CLOCKS)
    assert {POLICIES[name].ladder(one) for name in POLICIES for one in BUILT_IN} == {()}


def test_a_lapse_runs_for_as_long_as_somebody_has_it():
    assert runs(LAPSE, owned()) and not runs(LAPSE, owned(status="raised"))
