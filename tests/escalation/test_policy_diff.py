"""What changed between two versions of a policy, in words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from escalation.defaults import DEFAULT_CLOCKS
from escalation.policy_diff import Change, Kind, diff
from escalation.steps import PolicyClocks


def changes(change: Any, *, severity: str = "S1") -> list[Change]:
    """What `change` does to the default clocks, said as a diff."""
    raw = copy.deepcopy(DEFAULT_CLOCKS[severity])
    change(raw)
    old = PolicyClocks.parse(DEFAULT_CLOCKS[severity], severity=severity)
    return diff(old, PolicyClocks.parse(raw, severity=severity), {"vela": "Marcus Vela"})


def set_(clock: str, n: int, **parts: Any) -> Any:
    return lambda raw: raw[clock][n].update(parts)


DETAILS = [
    (set_("response", 1, after=3), "After 3 min (was: after 5 min)"),
    (set_("response", 0, after=1), "After 1 min (was: at once)"),
    (set_("update", 0, after=9), "After 9 min (was: when it is due)"),
    (set_("response", 1, roles=["it_lead"]), "no longer told: IT specialist"),
    (set_("response", 0, roles=["it_tech", "supervisor", "team_leader"]), "also told: team leader"),
    (set_("safety", 0, people=["vela"]), "also told: Marcus Vela"),
    (set_("response", 1, channels=["sms", "email"]), "by SMS and email (was: by SMS)"),
    (set_("closure", 0, repeat=36 * 60), "again every 36 h (was: again every 8 h)"),
    (set_("response", 2, repeat=None), "not repeated (was: again every 15 min)"),
    (set_("response", 2, answer=True), "each is asked to answer"),
]


@pytest.mark.parametrize(("change", "says"), DETAILS)
def test_what_is_different_about_a_step_is_said(change: Any, says: str) -> None:
    (found,) = changes(change)
    assert (found.kind, found.details) == (Kind.CHANGED, (says,))


def test_nothing_differs_between_a_version_and_itself() -> None:
    assert changes(lambda raw: None) == []


def test_another_order_of_names_and_channels_is_no_difference() -> None:
    assert changes(set_("response", 0, roles=["supervisor", "it_tech"], channels=["sms", "push"])) == []


def test_a_step_put_in_between_is_added_and_the_others_stay() -> None:
    step = {"after": 7, "roles": ["dept_manager"], "people": [], "channels": ["email"]}
    (found,) = changes(lambda raw: raw["response"].insert(2, step))
    assert (found.kind, found.clock_name) == (Kind.ADDED, "Nobody has it yet")
    assert found.sentence == "After 7 min: department manager by email"


def test_a_step_taken_out_is_removed() -> None:
    (found,) = changes(lambda raw: raw["containment"].pop(1))
    assert found.kind == Kind.REMOVED
    assert found.sentence.startswith("After 30 min: IT manager, production manager and materials manager")


def test_who_is_told_at_another_time_is_one_change_and_not_two() -> None:
    (found,) = changes(set_("containment", 2, after=45))
    assert found.kind == Kind.CHANGED and found.details == ("After 45 min (was: after 1 h)",)


def test_safety_is_compared_for_s1_alone() -> None:
    step = {"after": 0, "roles": ["it_manager"], "people": [], "channels": ["sms"]}
    assert changes(lambda raw: raw.update(safety=[step]), severity="S2") == []
