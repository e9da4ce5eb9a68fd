from __future__ import annotations

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Kind
from incidents import lifecycle
from incidents.models import EventKind, Status
from opsdesk.errors import Refused
from tests.factories import NOW, Floor, fresh, place_fix, plan_fix, reach


def test_it_is_resolved_once_the_permanent_fix_is_in_place(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    place_fix(floor, incident)
    resolved = lifecycle.resolve(incident.number, by=floor.tech, now=NOW)
    assert (resolved.status, resolved.resolved_at) == (Status.RESOLVED, NOW)
    event = resolved.events.last()
    assert event is not None and event.kind == EventKind.RESOLVED


def test_a_promise_is_not_a_fix(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    plan_fix(floor, incident)
    with pytest.raises(Refused) as refusal:
        lifecycle.resolve(incident.number, by=floor.tech)
    assert refusal.value.code == "no_permanent_fix"


def test_a_bandage_is_not_a_fix(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.resolve(reach(floor, Status.CONTAINED).number, by=floor.tech)
    assert refusal.value.code == "no_permanent_fix"


def test_a_preventive_measure_alone_is_not_a_fix(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    found = fixes.add(
        incident.number,
        by=floor.tech,
        kind=Kind.PREVENTIVE,
        what="Check the other printers",
        owner=floor.tech,
        strength="prevent",
        metric="Stops",
        target="None",
        checker=floor.supervisor,
    )
    fixes.put_in_place(found.pk, by=floor.tech, evidence="List")
    with pytest.raises(Refused):
        lifecycle.resolve(incident.number, by=floor.tech)


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.REOPENED])
def test_product_has_to_move_first(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    place_fix(floor, incident)
    with pytest.raises(Refused) as refusal:
        lifecycle.resolve(incident.number, by=floor.tech)
    assert refusal.value.code == "wrong_status"


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CLOSED])
def test_a_second_time_is_refused(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    with pytest.raises(Refused) as refusal:
        lifecycle.resolve(incident.number, by=floor.tech)
    assert refusal.value.code == "wrong_status"
    assert fresh(incident).version == incident.version
