from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Impact, Status
from opsdesk.errors import Invalid, Refused
from tests.factories import NOW, Floor, fresh, raise_, reach

LATER = NOW + timedelta(days=100)


@pytest.mark.parametrize("status", [Status.CONTAINED, Status.RESOLVED, Status.CLOSED])
def test_it_came_back_and_its_owner_keeps_it(floor: Floor, status: Status) -> None:
    number = reach(floor, status).number
    incident = lifecycle.reopen(number, by=floor.supervisor, reason=" Blank again ", now=LATER)
    assert (incident.status, incident.owner, incident.reopen_count) == (Status.REOPENED, floor.tech, 1)
    assert incident.reopened_at == incident.clocks_from == LATER
    assert (incident.contained_at, incident.resolved_at, incident.closed_at) == (None, None, None)
    event = incident.events.last()
    assert event is not None and (event.kind, event.words) == (EventKind.REOPENED, "Blank again")


def test_word_is_owed_again(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    incident = lifecycle.reopen(number, by=floor.supervisor, reason="Again", now=LATER)
    assert incident.next_update_due == LATER + timedelta(minutes=30)


@pytest.mark.parametrize("status", [Status.RAISED, Status.ACKNOWLEDGED, Status.REOPENED])
def test_what_is_not_moving_cannot_come_back(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    with pytest.raises(Refused) as refusal:
        lifecycle.reopen(incident.number, by=floor.supervisor, reason="Again")
    assert refusal.value.code in ("wrong_status", "never_owned")
    assert fresh(incident).version == incident.version


def test_what_nobody_ever_had_is_raised_again_instead(floor: Floor) -> None:
    incident = raise_(floor)
    lifecycle.take_back(incident.number, by=floor.operator, now=NOW)
    with pytest.raises(Refused) as refusal:
        lifecycle.reopen(incident.number, by=floor.supervisor, reason="It was real")
    assert refusal.value.code == "never_owned"


def test_it_needs_a_reason(floor: Floor) -> None:
    with pytest.raises(Invalid):
        lifecycle.reopen(reach(floor, Status.CONTAINED).number, by=floor.supervisor, reason="")


def test_a_line_stop_stops_its_line_again(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    incident = lifecycle.reopen(number, by=floor.supervisor, reason="Again", now=LATER)
    first, second = incident.downtimes.order_by("started_at")
    assert first.ended_at == NOW
    assert (second.line, second.started_at, second.ended_at) == (floor.line, LATER, None)


def test_a_stop_that_was_noted_already_goes_on(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    lifecycle.stop_line(number, by=floor.operator, at=LATER, now=LATER)
    incident = lifecycle.reopen(number, by=floor.supervisor, reason="Again", now=LATER + timedelta(minutes=3))
    assert [stop.started_at for stop in incident.downtimes.filter(ended_at=None)] == [LATER]


@pytest.mark.parametrize("impact", [Impact.SAFETY, Impact.AT_RISK, Impact.WORKAROUND, Impact.NONE])
def test_nothing_else_stops_a_line(floor: Floor, impact: Impact) -> None:
    number = reach(floor, Status.CONTAINED, impact).number
    assert not lifecycle.reopen(number, by=floor.supervisor, reason="Again").downtimes.exists()


def test_it_may_come_back_more_than_once(floor: Floor) -> None:
    number = reach(floor, Status.REOPENED).number
    lifecycle.contain(number, by=floor.tech, what="Paper", now=NOW)
    assert lifecycle.reopen(number, by=floor.supervisor, reason="Again", now=LATER).reopen_count == 2
