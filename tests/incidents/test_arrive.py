from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Status
from opsdesk.errors import Refused, Stale
from plant.models import Role
from tests.factories import NOW, Floor, fresh, raise_, reach


@pytest.mark.parametrize("status", [Status.RAISED, Status.ACKNOWLEDGED, Status.REOPENED])
def test_arriving_is_a_time_stamp_and_not_a_status(floor: Floor, status: Status) -> None:
    incident = lifecycle.arrive(reach(floor, status).number, by=floor.tech, now=NOW)
    assert (incident.status, incident.arrived_at) == (status, NOW)
    event = incident.events.last()
    assert event is not None and event.kind == EventKind.ARRIVED


def test_arriving_is_not_acknowledging(floor: Floor) -> None:
    assert lifecycle.arrive(raise_(floor).number, by=floor.tech).owner is None


def test_the_first_arrival_counts_even_from_an_old_screen(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    first = lifecycle.arrive(number, by=floor.tech, now=NOW, seen_version=2)
    second = lifecycle.arrive(
        number, by=floor.who(Role.IT_LEAD), now=NOW + timedelta(minutes=5), seen_version=2
    )
    assert (second.arrived_at, second.version) == (NOW, first.version)


@pytest.mark.parametrize("status", [Status.CONTAINED, Status.RESOLVED, Status.CLOSED])
def test_nobody_arrives_once_product_moves(floor: Floor, status: Status) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.arrive(reach(floor, status).number, by=floor.tech)
    assert refusal.value.code == "wrong_status"


def test_when_it_comes_back_somebody_has_to_come_again(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    lifecycle.arrive(number, by=floor.tech, now=NOW)
    lifecycle.contain(number, by=floor.tech, what="Spare printer", now=NOW)
    assert lifecycle.reopen(number, by=floor.supervisor, reason="Blank again", now=NOW).arrived_at is None


def test_a_stale_screen_is_refused(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Stale):
        lifecycle.arrive(incident.number, by=floor.tech, seen_version=1)
    assert fresh(incident).arrived_at is None
