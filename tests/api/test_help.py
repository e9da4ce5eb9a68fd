"""`POST incidents/{number}/help/`: a program asks somebody by username, a role, or a vendor by its code."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.models import EventKind, Incident, Status
from plant.models import Person, Role
from tests.api.calls import act
from tests.factories import Floor, fresh, make_person, make_site, make_vendor, reach


def asked(incident: Incident) -> list[Any]:
    return [event.data for event in incident.events.filter(kind=EventKind.HELP_ASKED)]


@pytest.mark.parametrize("who", ["it_specialist", "it_lead"])
def test_a_role_is_whoever_is_on_duty(floor: Floor, who: str) -> None:
    incident, helper = reach(floor, Status.ACKNOWLEDGED), floor.who(Role(who))
    answer = act(floor.tech, incident, "help", who=who, words="Bring a ladder")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["owner"] == floor.tech.username
    assert [[one["name"] for one in data["people"]] for data in asked(incident)] == [[helper.name]]


def test_a_person_by_username_and_a_vendor_by_code(floor: Floor) -> None:
    incident, vendor = reach(floor, Status.ACKNOWLEDGED), make_vendor("inkmarrow")
    for who in (floor.supervisor.username, vendor.code):
        assert act(floor.tech, incident, "help", who=who).status_code == 200
    assert [data["to"] for data in asked(incident)] == [floor.supervisor.name, vendor.name]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "who"),
        ({"who": ""}, "who"),
        ({"who": "nobody"}, "who"),
        ({"who": "it_tech"}, "who"),
        ({"who": ["it_lead"]}, "who"),
        ({"who": "it_lead", "words": "x" * 201}, "words"),
    ],
)
def test_what_is_malformed_is_a_400_that_names_the_field(
    floor: Floor, body: dict[str, Any], field: str
) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    answer = act(floor.tech, incident, "help", **body)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {field})
    assert asked(incident) == []


def test_somebody_who_left_cannot_be_asked(floor: Floor) -> None:
    gone = make_person("Gone", site=floor.site, is_active=False)
    answer = act(floor.tech, reach(floor, Status.ACKNOWLEDGED), "help", who=gone.username)
    assert answer.status_code == 400


def _operator(floor: Floor) -> Person:
    return floor.operator


def _stranger(floor: Floor) -> Person:
    return make_person("Stranger", roles=[Role.IT_LEAD], site=make_site())


@pytest.mark.parametrize(("who", "code"), [(_operator, "wrong_role"), (_stranger, "wrong_site")])
def test_who_may_not_ask_gets_a_403(floor: Floor, who: Any, code: str) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    answer = act(who(floor), incident, "help", who="it_lead")
    assert (answer.status_code, answer.json()["code"]) == (403, code)


def test_what_is_refused_is_a_409_with_its_rule(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    refused = [
        act(floor.tech, incident, "help", who=floor.tech.username),
        act(floor.who(Role.IT_LEAD), incident, "help", who="it_lead"),
        act(floor.tech, incident, "help", who=floor.supervisor.username, seen_version=1),
        act(floor.tech, reach(floor, Status.CLOSED), "help", who="it_lead"),
    ]
    assert [answer.status_code for answer in refused] == [409] * 4
    assert [a.json()["code"] for a in refused] == ["cannot_help", "nobody_to_help", "stale", "closed"]
    assert fresh(incident).version == incident.version


def test_an_incident_that_does_not_exist_is_a_404(floor: Floor) -> None:
    assert act(floor.tech, Incident(number=999_999), "help", who="it_lead").status_code == 404
