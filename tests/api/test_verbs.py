"""Every verb by program: the same event as on the screen, the incident as it is afterwards, or a refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents.models import EventKind, Impact, Status
from plant.models import Person, Role
from tests.api.calls import act
from tests.factories import Floor, fresh, place_fix, prove, raise_, reach

SOON = timezone.now() + timedelta(minutes=20)
LATER = (timezone.now() + timedelta(days=30)).date().isoformat()


def _tech(floor: Floor) -> Person:
    return floor.tech


def _lead(floor: Floor) -> Person:
    return floor.who(Role.IT_LEAD)


def _supervisor(floor: Floor) -> Person:
    return floor.supervisor


def _manager(floor: Floor) -> Person:
    return floor.manager


def _operator(floor: Floor) -> Person:
    return floor.operator


WORD = {"conditions": "No labels", "actions": "Swapping", "needs": "No needs"}

VERBS: list[Any] = [
    ("acknowledge", Status.RAISED, _tech, {}, EventKind.ACKNOWLEDGED, {"status": "acknowledged"}),
    ("arrive", Status.ACKNOWLEDGED, _tech, {}, EventKind.ARRIVED, {"status": "acknowledged"}),
    ("words", Status.RAISED, _operator, {"words": "It smokes"}, EventKind.WORDS_ADDED, {}),
    ("updates", Status.ACKNOWLEDGED, _tech, WORD, EventKind.UPDATED, {}),
    (
        "updates",
        Status.ACKNOWLEDGED,
        _tech,
        {**WORD, "technical": "LBL-01", "next_update_at": SOON.isoformat()},
        EventKind.UPDATED,
        {"next_update_due": SOON.isoformat().replace("+00:00", "Z")},
    ),
    ("contain", Status.ACKNOWLEDGED, _tech, {"what": "Spare"}, EventKind.CONTAINED, {"status": "contained"}),
    ("confirm", Status.CONTAINED, _supervisor, {}, EventKind.FLOOR_CONFIRMED, {"status": "contained"}),
    (
        "reopen",
        Status.CONTAINED,
        _supervisor,
        {"reason": "Again"},
        EventKind.REOPENED,
        {"status": "reopened"},
    ),
    (
        "severity",
        Status.RAISED,
        _manager,
        {"severity": "S3", "reason": "Buffer"},
        EventKind.SEVERITY_CHANGED,
        {"severity": "S3"},
    ),
    (
        "wait",
        Status.ACKNOWLEDGED,
        _tech,
        {"on": "vendor", "name": "Inkmarrow", "until": SOON.isoformat()},
        EventKind.WAITING,
        {},
    ),
    (
        "shelve",
        Status.ACKNOWLEDGED,
        _manager,
        {"until": SOON.isoformat(), "reason": "Planned stop"},
        EventKind.SHELVED,
        {},
    ),
    (
        "accept-no-fix",
        Status.CONTAINED,
        _manager,
        {"reason": "Ends in May", "review_on": LATER},
        EventKind.CLOSED,
        {"status": "closed", "review_on": LATER},
    ),
    ("line-runs", Status.ACKNOWLEDGED, _operator, {}, EventKind.LINE_RUNNING, {}),
]


@pytest.mark.parametrize(("verb", "status", "who", "body", "kind", "changed"), VERBS)
def test_a_verb_does_one_thing_and_answers_with_the_incident(
    floor: Floor,
    verb: str,
    status: Status,
    who: Any,
    body: dict[str, Any],
    kind: EventKind,
    changed: dict[str, Any],
) -> None:
    incident = reach(floor, status)
    answer = act(who(floor), incident, verb, **body, seen_version=incident.version)
    assert answer.status_code == 200, answer.json()
    said, now = answer.json(), fresh(incident)
    assert said["version"] == now.version > incident.version
    assert changed.items() <= said.items()
    event = now.events.last()
    assert event is not None and (event.kind, event.by) == (kind, who(floor))


def test_assigning_names_a_person_by_username(floor: Floor) -> None:
    said = act(_lead(floor), raise_(floor), "assign", to=floor.tech.username).json()
    assert (said["assigned_to"], said["owner"]) == (floor.tech.username, None)


def test_nobody_who_left_is_asked(floor: Floor) -> None:
    floor.tech.is_active = False
    floor.tech.save()
    answer = act(_lead(floor), raise_(floor), "assign", to=floor.tech.username)
    assert answer.status_code == 400 and "to" in answer.json()["fields"]


def test_the_end_of_the_story(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    assert act(floor.tech, incident, "resolve").status_code == 409
    place_fix(floor, incident)
    assert act(floor.tech, incident, "resolve").json()["status"] == "resolved"
    prove(floor, incident)
    said = act(floor.supervisor, incident, "close").json()
    assert (said["status"], said["floor_confirmed_by"]) == ("closed", floor.supervisor.username)


def test_a_small_thing_closes_with_who_agrees(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    said = act(floor.tech, incident, "close", cause="Cable", agreed_by=floor.supervisor.username).json()
    assert (said["status"], said["closed_agreed_by"]) == ("closed", floor.supervisor.username)


def test_waiting_and_pausing_end(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    act(floor.tech, incident, "wait", on="part", name="Fuser", until=SOON.isoformat())
    assert act(floor.tech, incident, "stop-waiting").json()["waiting"] is None
    act(floor.manager, incident, "shelve", reason="x", until=SOON.isoformat())
    assert act(floor.manager, incident, "unshelve").json()["paused"] is None


def test_a_line_stops_and_runs(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK)
    said = act(floor.operator, incident, "stop-line", line=floor.line.code).json()
    assert [stop["line"] for stop in said["downtimes"]] == [floor.line.code]
    said = act(floor.operator, incident, "line-runs", line=floor.line.code).json()
    assert said["downtimes"][0]["ended_at"] is not None


def test_a_wrong_tap_is_taken_back(floor: Floor) -> None:
    incident = raise_(floor, now=timezone.now())
    assert act(floor.operator, incident, "take-back").json()["status"] == "closed"


MISSING = [
    ("assign", "to"),
    ("updates", "conditions"),
    ("updates", "actions"),
    ("updates", "needs"),
    ("contain", "what"),
    ("reopen", "reason"),
    ("severity", "severity"),
    ("severity", "reason"),
    ("wait", "on"),
    ("wait", "name"),
    ("wait", "until"),
    ("shelve", "until"),
    ("shelve", "reason"),
    ("accept-no-fix", "review_on"),
]


@pytest.mark.parametrize(("verb", "field"), MISSING)
def test_what_a_verb_needs_is_named(floor: Floor, verb: str, field: str) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    answer = act(floor.tech, incident, verb)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert fresh(incident).version == incident.version


@pytest.mark.parametrize(("verb", "status", "who", "body", "kind", "changed"), VERBS)
def test_a_stale_screen_is_a_conflict(
    floor: Floor, verb: str, status: Status, who: Any, body: dict[str, Any], kind: Any, changed: Any
) -> None:
    incident = reach(floor, status)
    answer = act(who(floor), incident, verb, **body, seen_version=incident.version + 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert fresh(incident).version == incident.version


def test_acknowledging_twice_is_harmless(floor: Floor) -> None:
    incident = raise_(floor)
    first = act(floor.tech, incident, "acknowledge", seen_version=1)
    again = act(floor.tech, incident, "acknowledge", seen_version=1)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["version"] == first.json()["version"] == 2
