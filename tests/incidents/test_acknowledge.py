from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Impact, SeverityRule, Status
from opsdesk.errors import Refused, Stale
from plant.models import Role
from tests.factories import NOW, Floor, fresh, raise_, reach

LATER = NOW + timedelta(minutes=4)


def test_one_named_owner_has_it(floor: Floor) -> None:
    incident = lifecycle.acknowledge(raise_(floor).number, by=floor.tech, now=LATER)
    assert (incident.status, incident.owner, incident.acknowledged_at) == (
        Status.ACKNOWLEDGED,
        floor.tech,
        LATER,
    )
    event = incident.events.last()
    assert event is not None
    assert (event.kind, event.by, event.at, event.version) == (EventKind.ACKNOWLEDGED, floor.tech, LATER, 2)
    assert event.data["from"] == "raised" and event.data["to"] == "acknowledged"


WORD_OWED = [(Impact.SAFETY, 30), (Impact.STOPPED, 30), (Impact.AT_RISK, 120), (Impact.WORKAROUND, 480)]


@pytest.mark.parametrize(("impact", "minutes"), WORD_OWED)
def test_from_then_on_the_owner_owes_word(floor: Floor, impact: Impact, minutes: int) -> None:
    incident = lifecycle.acknowledge(raise_(floor, impact).number, by=floor.tech, now=NOW)
    assert incident.next_update_due == NOW + timedelta(minutes=minutes)


def test_for_a_minor_thing_no_word_is_owed(floor: Floor) -> None:
    assert lifecycle.acknowledge(raise_(floor, Impact.NONE).number, by=floor.tech).next_update_due is None


def test_an_it_manager_may_change_how_often_word_is_owed(floor: Floor) -> None:
    SeverityRule.objects.update_or_create(severity="S1", defaults={"update_every_minutes": 10})
    incident = lifecycle.acknowledge(raise_(floor).number, by=floor.tech, now=NOW)
    assert incident.next_update_due == NOW + timedelta(minutes=10)


def test_a_double_tap_is_harmless_even_from_the_old_screen(floor: Floor) -> None:
    number = raise_(floor).number
    once = lifecycle.acknowledge(number, by=floor.tech, seen_version=1)
    twice = lifecycle.acknowledge(number, by=floor.tech, seen_version=1)
    assert twice.version == once.version == 2
    assert twice.events.count() == 2


def test_somebody_elses_is_not_taken_by_a_colleague(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Refused) as refusal:
        lifecycle.acknowledge(incident.number, by=floor.who(Role.IT_SPECIALIST))
    assert refusal.value.code == "already_taken" and refusal.value.status == 409
    assert str(floor.tech) in str(refusal.value)
    assert fresh(incident).owner == floor.tech


@pytest.mark.parametrize("role", [Role.IT_LEAD, Role.IT_MANAGER])
def test_a_lead_may_take_it_over(floor: Floor, role: Role) -> None:
    incident = lifecycle.acknowledge(reach(floor, Status.ACKNOWLEDGED).number, by=floor.who(role))
    assert incident.owner == floor.who(role)
    event = incident.events.last()
    assert event is not None and event.data["previous_owner"] == str(floor.tech)


def test_who_was_asked_may_take_it_over(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    specialist = floor.who(Role.IT_SPECIALIST)
    lifecycle.assign(number, by=floor.who(Role.IT_LEAD), to=specialist)
    incident = lifecycle.acknowledge(number, by=specialist)
    assert (incident.owner, incident.assigned_to) == (specialist, None)


@pytest.mark.parametrize("status", [Status.CONTAINED, Status.RESOLVED])
def test_when_product_moves_the_owner_changes_and_the_status_stays(floor: Floor, status: Status) -> None:
    incident = lifecycle.acknowledge(reach(floor, status).number, by=floor.who(Role.IT_LEAD))
    assert (incident.status, incident.owner) == (status, floor.who(Role.IT_LEAD))


def test_what_came_back_is_picked_up_again_by_its_owner(floor: Floor) -> None:
    came_back = reach(floor, Status.REOPENED)
    incident = lifecycle.acknowledge(came_back.number, by=floor.tech, now=LATER)
    assert (incident.status, incident.acknowledged_at) == (Status.ACKNOWLEDGED, LATER)


@pytest.mark.parametrize("role", [Role.IT_TECH, Role.IT_LEAD])
def test_a_closed_incident_cannot_be_acknowledged(floor: Floor, role: Role) -> None:
    incident = reach(floor, Status.CLOSED)
    with pytest.raises(Refused) as refusal:
        lifecycle.acknowledge(incident.number, by=floor.who(role))
    assert refusal.value.code == "wrong_status"
    assert str(refusal.value) == f"{incident.code} is closed."


def test_a_stale_screen_is_refused(floor: Floor) -> None:
    incident = raise_(floor)
    lifecycle.add_words(incident.number, by=floor.operator, words="It smokes")
    with pytest.raises(Stale):
        lifecycle.acknowledge(incident.number, by=floor.tech, seen_version=1)
    assert fresh(incident).status == Status.RAISED


def test_a_fresh_screen_is_accepted(floor: Floor) -> None:
    incident = raise_(floor)
    assert (
        lifecycle.acknowledge(incident.number, by=floor.tech, seen_version=incident.version).owner
        == floor.tech
    )


def test_missed_words_are_forgotten_when_it_is_taken(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    type(incident).objects.filter(pk=incident.pk).update(missed_updates=1)
    assert lifecycle.acknowledge(incident.number, by=floor.who(Role.IT_LEAD)).missed_updates == 0
