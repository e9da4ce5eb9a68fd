from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Incident, Status
from opsdesk.errors import NotAllowed, Refused, Stale
from plant.models import Role
from tests.factories import NOW, Floor, fresh, give_role, raise_, reach


@pytest.mark.parametrize("status", [Status.CONTAINED, Status.RESOLVED])
def test_somebody_from_the_floor_says_that_production_runs(floor: Floor, status: Status) -> None:
    incident = lifecycle.confirm_running(reach(floor, status).number, by=floor.operator, now=NOW)
    assert (incident.floor_confirmed_by, incident.floor_confirmed_at) == (floor.operator, NOW)
    assert incident.status == status
    event = incident.events.last()
    assert event is not None and event.kind == EventKind.FLOOR_CONFIRMED


def test_the_owner_does_not_confirm_their_own_work(floor: Floor) -> None:
    give_role(floor.tech, Role.SUPERVISOR, site=floor.site)
    incident = reach(floor, Status.CONTAINED)
    with pytest.raises(NotAllowed) as refusal:
        lifecycle.confirm_running(incident.number, by=Incident.objects.numbered(incident.number).owner)  # type: ignore[arg-type]
    assert refusal.value.code == "own_work"
    assert fresh(incident).floor_confirmed_by is None


@pytest.mark.parametrize("status", [Status.RAISED, Status.ACKNOWLEDGED, Status.REOPENED, Status.CLOSED])
def test_there_has_to_be_something_to_confirm(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    Incident.objects.filter(pk=incident.pk).update(floor_confirmed_by=None, floor_confirmed_at=None)
    with pytest.raises(Refused) as refusal:
        lifecycle.confirm_running(incident.number, by=floor.supervisor)
    assert refusal.value.code == "wrong_status"


def test_the_first_confirmation_counts_even_from_an_old_screen(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    seen = incident.version
    lifecycle.confirm_running(incident.number, by=floor.operator, now=NOW, seen_version=seen)
    again = lifecycle.confirm_running(
        incident.number, by=floor.supervisor, now=NOW + timedelta(hours=1), seen_version=seen
    )
    assert (again.floor_confirmed_by, again.version) == (floor.operator, seen + 1)


def test_coming_back_empties_it(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    lifecycle.confirm_running(number, by=floor.operator)
    incident = lifecycle.reopen(number, by=floor.supervisor, reason="Blank again")
    assert (incident.floor_confirmed_by, incident.floor_confirmed_at) == (None, None)


def test_a_stale_screen_confirms_nothing(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    with pytest.raises(Stale):
        lifecycle.confirm_running(incident.number, by=floor.operator, seen_version=1)
    assert raise_(floor).floor_confirmed_by is None
