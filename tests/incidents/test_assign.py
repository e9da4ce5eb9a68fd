from __future__ import annotations

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Status
from opsdesk.errors import Refused
from plant.models import Role
from tests.factories import Floor, make_person, make_site, raise_, reach


def test_asking_is_not_taking(floor: Floor) -> None:
    incident = lifecycle.assign(raise_(floor).number, by=floor.who(Role.IT_LEAD), to=floor.tech)
    assert (incident.status, incident.owner, incident.assigned_to) == (Status.RAISED, None, floor.tech)
    assert incident.acknowledged_at is None
    event = incident.events.last()
    assert event is not None and event.kind == EventKind.ASSIGNED
    assert event.data == {"to": str(floor.tech), "to_id": floor.tech.pk}


def test_the_owner_keeps_it_until_the_other_answers(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    incident = lifecycle.assign(number, by=floor.who(Role.IT_LEAD), to=floor.who(Role.IT_SPECIALIST))
    assert incident.owner == floor.tech


@pytest.mark.parametrize("status", [Status.CONTAINED, Status.RESOLVED, Status.REOPENED])
def test_it_works_until_it_is_closed(floor: Floor, status: Status) -> None:
    number = reach(floor, status).number
    specialist = floor.who(Role.IT_SPECIALIST)
    assert lifecycle.assign(number, by=floor.who(Role.IT_LEAD), to=specialist).assigned_to == specialist


def test_a_closed_incident_is_given_to_nobody(floor: Floor) -> None:
    number = reach(floor, Status.CLOSED).number
    with pytest.raises(Refused) as refusal:
        lifecycle.assign(number, by=floor.who(Role.IT_LEAD), to=floor.who(Role.IT_SPECIALIST))
    assert refusal.value.code == "wrong_status"


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.PRODUCTION_MANAGER, Role.TEAM_LEADER])
def test_only_somebody_who_may_take_it_is_asked(floor: Floor, role: Role) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.assign(raise_(floor).number, by=floor.who(Role.IT_LEAD), to=floor.who(role))
    assert refusal.value.code == "cannot_take"


def test_somebody_of_another_site_is_not_asked(floor: Floor) -> None:
    stranger = make_person("Away", roles=[Role.IT_TECH], site=make_site())
    with pytest.raises(Refused) as refusal:
        lifecycle.assign(raise_(floor).number, by=floor.who(Role.IT_LEAD), to=stranger)
    assert refusal.value.code == "cannot_take"


def test_asking_the_same_person_twice_is_harmless(floor: Floor) -> None:
    number, lead = raise_(floor).number, floor.who(Role.IT_LEAD)
    once = lifecycle.assign(number, by=lead, to=floor.tech)
    assert lifecycle.assign(number, by=lead, to=floor.tech).version == once.version


def test_asking_the_owner_changes_nothing(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    again = lifecycle.assign(incident.number, by=floor.who(Role.IT_LEAD), to=floor.tech)
    assert (again.version, again.assigned_to) == (incident.version, None)
