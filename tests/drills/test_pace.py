"""The pace of a practice: pure, from the policy alone."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from escalation import pace
from escalation.defaults import DEFAULT_CLOCKS
from escalation.steps import PolicyClocks


def policy(response: list[int], containment: list[int], **step: Any) -> PolicyClocks:
    def ladder(minutes: list[int]) -> list[dict[str, Any]]:
        return [{"after": after, "roles": ["it_lead"], "channels": ["sms"], **step} for after in minutes]

    raw = {"response": ladder(response), "containment": ladder(containment), "closure": ladder([480])}
    return PolicyClocks.parse(raw, severity="S1")


LADDERS = [
    *[PolicyClocks.parse(raw, severity=severity) for severity, raw in DEFAULT_CLOCKS.items()],
    policy([0], []),
    policy([30], [60 * 24 * 30]),
    policy(list(range(20)), list(range(1, 21))),
    policy([n * 600 for n in range(20)], [n * 600 for n in range(1, 21)]),
]


@pytest.mark.parametrize("found", LADDERS)
def test_both_ladders_are_played_one_after_the_other_within_a_quarter_of_an_hour(found: PolicyClocks) -> None:
    paced = pace.practice_pace(found)
    moments = [step.after for step in (*paced.response, *paced.containment)]
    assert moments[0] == timedelta(0) and all(one < two for one, two in pairwise(moments))
    taken = pace.taken_after(found)
    assert paced.response[-1].after < taken <= [*moments, taken][len(paced.response)]
    assert pace.ends_after(found) <= pace.LONGEST + timedelta(milliseconds=1)  # gaps are rounded
    assert pace.ends_after(found) - moments[-1] >= pace.ANSWER_TIME


@pytest.mark.parametrize("found", LADDERS)
def test_nothing_but_the_time_differs_from_the_real_policy(found: PolicyClocks) -> None:
    paced = pace.practice_pace(found)
    for clock in ("response", "containment"):
        real, played = getattr(found, clock), getattr(paced, clock)
        assert [(s.roles, s.people, s.channels, s.answer) for s in real] == [
            (s.roles, s.people, s.channels, s.answer) for s in played
        ]
    assert (paced.update, paced.closure, paced.safety) == (found.update, found.closure, found.safety)


def test_nobody_is_asked_again_and_again_in_a_practice() -> None:
    paced = pace.practice_pace(policy([0, 30], [60], repeat=5))
    assert {step.repeat for step in (*paced.response, *paced.containment)} == {None}


def test_a_minute_of_an_ordinary_policy_lasts_five_seconds() -> None:
    paced = pace.practice_pace(policy([0, 5, 15], [15]))
    assert [step.after.total_seconds() for step in paced.response] == [0, 25, 75]
