from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Impact, Status
from opsdesk.errors import Invalid, Refused
from tests.factories import NOW, Floor, make_line, make_system, raise_, reach

LATER = NOW + timedelta(minutes=12)


def test_a_line_stops_and_runs_again(floor: Floor) -> None:
    number = raise_(floor, Impact.AT_RISK).number
    lifecycle.stop_line(number, by=floor.operator, at=NOW, now=LATER)
    incident = lifecycle.line_runs(number, by=floor.operator, now=LATER)
    stop = incident.downtimes.get()
    assert (stop.line, stop.started_at, stop.ended_at) == (floor.line, NOW, LATER)
    kinds = [event.kind for event in incident.events.order_by("-id")[:2]]
    assert kinds == [EventKind.LINE_RUNNING, EventKind.LINE_STOPPED]


def test_several_intervals_are_possible(floor: Floor) -> None:
    number = raise_(floor, now=NOW).number
    lifecycle.line_runs(number, by=floor.operator, at=NOW + timedelta(minutes=5), now=LATER)
    incident = lifecycle.stop_line(number, by=floor.operator, at=NOW + timedelta(minutes=7), now=LATER)
    assert [bool(stop.ended_at) for stop in incident.downtimes.order_by("started_at")] == [True, False]


def test_other_lines_may_stand_still_too(floor: Floor) -> None:
    other = make_line(area=floor.area)
    incident = lifecycle.stop_line(raise_(floor).number, by=floor.operator, line=other, now=NOW)
    assert {stop.line for stop in incident.downtimes.filter(ended_at=None)} == {floor.line, other}


def test_a_line_that_stands_still_does_not_stop_twice(floor: Floor) -> None:
    before = raise_(floor)
    incident = lifecycle.stop_line(before.number, by=floor.operator, now=LATER)
    assert (incident.version, incident.downtimes.count()) == (before.version, 1)


def test_a_line_that_runs_does_not_start_twice(floor: Floor) -> None:
    before = raise_(floor, Impact.NONE)
    assert lifecycle.line_runs(before.number, by=floor.operator, now=LATER).version == before.version


def test_nothing_stops_in_the_future_or_while_it_still_ran(floor: Floor) -> None:
    number = raise_(floor).number
    lifecycle.line_runs(number, by=floor.operator, at=LATER, now=LATER)
    for at in (LATER + timedelta(seconds=1), LATER - timedelta(seconds=1)):
        with pytest.raises(Invalid) as refusal:
            lifecycle.stop_line(number, by=floor.operator, at=at, now=LATER)
        assert refusal.value.code == "bad_time"


@pytest.mark.parametrize("minutes", [-1, 13])
def test_nothing_runs_before_it_stopped_or_in_the_future(floor: Floor, minutes: int) -> None:
    number = raise_(floor).number
    with pytest.raises(Invalid) as refusal:
        lifecycle.line_runs(number, by=floor.operator, at=NOW + timedelta(minutes=minutes), now=LATER)
    assert refusal.value.code == "bad_time"


def test_a_line_of_another_site_is_refused(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.stop_line(raise_(floor).number, by=floor.operator, line=make_line(), now=NOW)
    assert refusal.value.code == "no_line"


def test_without_a_line_somebody_has_to_say_which(floor: Floor) -> None:
    number = raise_(floor, system=make_system()).number
    with pytest.raises(Invalid) as refusal:
        lifecycle.stop_line(number, by=floor.operator, now=NOW)
    assert refusal.value.code == "no_line"
    assert lifecycle.stop_line(number, by=floor.operator, line=floor.line, now=NOW).downtimes.count() == 1


def test_a_closed_incident_stops_no_line_for_ever(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.stop_line(reach(floor, Status.CLOSED).number, by=floor.operator)
    assert refusal.value.code == "wrong_status"
