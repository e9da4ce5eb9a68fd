"""What cannot be published: a policy that could leave an incident silent, a step that can never fire."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from escalation.defaults import DEFAULT_CLOCKS, with_safety_people
from escalation.models import Policy
from escalation.policies import publish
from escalation.policy_checks import problems
from escalation.steps import BadPolicy, PolicyClocks
from opsdesk.errors import Stale

TECH = {"after": 0, "roles": ["it_tech"], "people": [], "channels": ["sms"], "repeat": None, "answer": False}
OWNER = {**TECH, "roles": ["owner"]}
LEAD = {**TECH, "roles": ["it_lead"]}
SUPERVISOR = {**TECH, "roles": ["supervisor"]}
DAY = 24 * 60


def changed(severity: str, **clocks: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DEFAULT_CLOCKS[severity]), **clocks}


WRONG = [
    ("S1", {"response": [{**TECH, "after": 16}]}, "response", 1, "within 15 min"),
    ("S2", {"response": [{**TECH, "after": 61}]}, "response", 1, "within 1 h"),
    ("S3", {"response": [{**TECH, "after": 481}]}, "response", 1, "within 8 h"),
    ("S4", {"response": [{**TECH, "after": DAY + 1}]}, "response", 1, "within 1 day"),
    ("S1", {"response": [{**TECH, "channels": ["email"]}]}, "response", 1, "phone would ring"),
    ("S2", {"response": [{**TECH, "channels": ["digest"]}]}, "response", 1, "phone would ring"),
    ("S1", {"response": [SUPERVISOR]}, "response", 0, "could take it"),
    ("S1", {"response": [SUPERVISOR, {**TECH, "after": 16}]}, "response", 0, "within 15 min could take it"),
    ("S1", {"response": [TECH, {**LEAD, "after": 61}]}, "response", 1, "for more than 1 h"),
    ("S2", {"response": [TECH, {**LEAD, "after": 60, "repeat": 241}]}, "response", 2, "for more than 4 h"),
    ("S3", {"response": [TECH, {**LEAD, "after": DAY + 1}]}, "response", 1, "for more than 1 day"),
    ("S4", {"response": [LEAD, {**LEAD, "after": 8 * DAY}]}, "response", 1, "for more than 7 days"),
    ("S1", {"containment": [{**LEAD, "after": 61}]}, "containment", 1, "within 1 h"),
    ("S2", {"containment": [LEAD, {**LEAD, "after": 241}]}, "containment", 1, "for more than 4 h"),
    ("S1", {"update": [{**OWNER, "after": 16}, {**LEAD, "after": 30}]}, "update", 1, "within 15 min"),
    (
        "S1",
        {"response": [{**TECH, "repeat": 5}, {**LEAD, "after": 5}]},
        "response",
        1,
        "could never repeat",
    ),
    (
        "S4",
        {"response": [{**LEAD, "after": 60, "channels": ["digest"], "answer": True}]},
        "response",
        1,
        "a digest cannot be answered",
    ),
    (
        "S1",
        {"update": [{**OWNER, "answer": True}, {**LEAD, "after": 10}]},
        "update",
        1,
        "the owner answers with the news itself",
    ),
    ("S1", {"response": [{**TECH, "answer": "later"}]}, "response", 1, "yes or no"),
    ("S1", {"containment": []}, "containment", 0, "stand still in silence"),
    ("S2", {"containment": []}, "containment", 0, "stand still in silence"),
    ("S1", {"update": []}, "update", 0, "say nothing for ever"),
    ("S2", {"update": [LEAD]}, "update", 1, "tells the owner"),
    ("S3", {"update": [OWNER]}, "update", 0, "Nobody but the owner"),
    ("S1", {"closure": [{**LEAD, "after": 480}]}, "closure", 1, "how often the last step"),
    ("S3", {"closure": [{**LEAD, "after": 8 * DAY, "repeat": DAY}]}, "closure", 1, "once a week"),
    ("S4", {"closure": [{**LEAD, "after": DAY, "repeat": 8 * DAY}]}, "closure", 1, "once a week"),
    (
        "S4",
        {"closure": [{**LEAD, "after": DAY}, {**LEAD, "after": 9 * DAY, "repeat": DAY}]},
        "closure",
        2,
        "once a week",
    ),
    ("S1", {"safety": [{**TECH, "channels": ["email"]}]}, "safety", 1, "phone has to ring"),
]


@pytest.mark.parametrize(("severity", "clocks", "clock", "step", "says"), WRONG)
def test_what_could_leave_an_incident_silent_is_named_at_its_place(
    severity: str, clocks: dict[str, Any], clock: str, step: int, says: str
) -> None:
    (problem,) = problems(changed(severity, **clocks), severity=severity)
    assert (problem.clock, problem.step) == (clock, step)
    assert says in str(problem)


@pytest.mark.parametrize("severity", list(DEFAULT_CLOCKS))
def test_nothing_speaks_against_the_default_policies(severity: str) -> None:
    assert problems(DEFAULT_CLOCKS[severity], severity=severity) == []
    assert problems(with_safety_people(DEFAULT_CLOCKS[severity], ["vela"]), severity=severity) == []


@pytest.mark.parametrize("next_after", [5, 600], ids=["once", "instead of the next step for hours"])
def test_a_repeat_before_the_next_step_is_fine(next_after: int) -> None:
    ladder = [{**TECH, "repeat": 4}, {**LEAD, "after": next_after}]
    assert problems(changed("S1", response=ladder), severity="S1") == []


def test_for_something_minor_the_owner_alone_may_be_reminded() -> None:
    assert problems(changed("S4", update=[OWNER]), severity="S4") == []


def test_somebody_named_may_be_the_one_who_takes_it() -> None:
    ladder = [{**TECH, "roles": [], "people": ["vela"]}]
    assert problems(changed("S1", response=ladder), severity="S1") == []


def test_every_unreadable_step_is_named_at_once() -> None:
    raw = changed(
        "S1", response=[{**TECH, "roles": []}, {**LEAD, "after": -1}], closure=[{**LEAD, "channels": []}]
    )
    found = [(one.clock, one.step) for one in problems(raw, severity="S1")]
    assert found == [("response", 1), ("response", 2), ("closure", 1)]


@pytest.mark.parametrize("raw", [None, [], {"response": []}, {"response": [TECH]}])
def test_what_is_no_policy_at_all_has_a_problem(raw: Any) -> None:
    assert problems(raw, severity="S1")


def test_a_version_published_under_older_rules_can_still_be_read() -> None:
    raw = changed("S1", closure=[{**LEAD, "after": 480}])
    assert problems(raw, severity="S1")
    assert PolicyClocks.parse(raw, severity="S1").closure


@pytest.mark.django_db
def test_who_saw_an_older_version_does_not_publish_over_the_newer_one(world: Any) -> None:
    asked: dict[str, Any] = {"by": world["hutchins"], "severity": "S1", "clocks": DEFAULT_CLOCKS["S1"]}
    publish(**asked, why="Mine", seen_version=1)
    with pytest.raises(Stale):
        publish(**asked, why="Mine too", seen_version=1)
    publish(**asked, why="Mine too", seen_version=2)
    assert Policy.objects.current().get(severity="S1").version == 3


@pytest.mark.django_db
def test_the_first_version_of_an_override_is_published_once(world: Any) -> None:
    asked: dict[str, Any] = {"by": world["hutchins"], "severity": "S2", "clocks": DEFAULT_CLOCKS["S2"]}
    publish(**asked, why="Here", area=world.area, seen_version=0)
    with pytest.raises(Stale):
        publish(**asked, why="Here", area=world.area, seen_version=0)


@pytest.mark.django_db
def test_somebody_unknown_is_refused_at_the_step_that_names_them(world: Any) -> None:
    raw = changed("S1", update=[OWNER, {**LEAD, "after": 10, "people": ["nobody"]}])
    with pytest.raises(BadPolicy, match="nobody") as refused:
        publish(by=None, severity="S1", clocks=raw, why="Name them")
    assert "clocks.update.2" in (refused.value.fields or {})


@pytest.mark.django_db
def test_somebody_named_must_be_one_who_may_take_it(world: Any) -> None:
    named: dict[str, Any] = {"by": None, "severity": "S1", "why": "Name them"}
    with pytest.raises(BadPolicy, match="could take it"):
        publish(clocks=changed("S1", response=[{**TECH, "roles": [], "people": ["petty"]}]), **named)
    publish(clocks=changed("S1", response=[{**TECH, "roles": [], "people": ["petty", "vela"]}]), **named)
