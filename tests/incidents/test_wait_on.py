from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Status, WaitingOn
from opsdesk.errors import Invalid, Refused, Stale
from tests.factories import NOW, Floor, fresh, reach

UNTIL = NOW + timedelta(hours=3)


@pytest.mark.parametrize("on", WaitingOn.values)
def test_it_shows_whom_it_waits_on_and_until_when(floor: Floor, on: str) -> None:
    before = reach(floor, Status.ACKNOWLEDGED)
    incident = lifecycle.wait_on(
        before.number, by=floor.tech, on=on, name=" Inkmarrow ", until=UNTIL, now=NOW
    )
    assert (incident.waiting_on, incident.waiting_name, incident.waiting_until) == (on, "Inkmarrow", UNTIL)
    event = incident.events.last()
    assert event is not None and (event.kind, event.words) == (EventKind.WAITING, "Inkmarrow")


def test_waiting_stops_no_clock(floor: Floor) -> None:
    before = reach(floor, Status.ACKNOWLEDGED)
    incident = lifecycle.wait_on(before.number, by=floor.tech, on="vendor", name="x", until=UNTIL, now=NOW)
    assert (incident.status, incident.clocks_from) == (before.status, before.clocks_from)
    assert incident.next_update_due == before.next_update_due


@pytest.mark.parametrize(
    ("name", "until", "field"),
    [(" ", UNTIL, "name"), ("Inkmarrow", NOW, "until"), ("Inkmarrow", NOW.replace(year=9999), "until")],
)
def test_it_needs_a_name_and_a_time_to_come(floor: Floor, name: str, until: object, field: str) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Invalid) as refusal:
        lifecycle.wait_on(incident.number, by=floor.tech, on="vendor", name=name, until=until, now=NOW)  # type: ignore[arg-type]
    assert refusal.value.fields is not None and list(refusal.value.fields) == [field]
    assert fresh(incident).waiting_on == ""


def test_a_closed_incident_waits_on_nobody(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.wait_on(
            reach(floor, Status.CLOSED).number, by=floor.tech, on="part", name="x", until=UNTIL, now=NOW
        )
    assert refusal.value.code == "wrong_status"


def test_when_it_has_come_the_flag_goes(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    lifecycle.wait_on(number, by=floor.tech, on="part", name="Fuser", until=UNTIL, now=NOW)
    incident = lifecycle.stop_waiting(number, by=floor.tech)
    assert (incident.waiting_on, incident.waiting_name, incident.waiting_until) == ("", "", None)
    event = incident.events.last()
    assert event is not None and event.data == {"on": "part", "name": "Fuser"}
    assert lifecycle.stop_waiting(number, by=floor.tech, seen_version=1).version == incident.version


def test_a_stale_screen_stops_no_waiting(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    lifecycle.wait_on(number, by=floor.tech, on="part", name="Fuser", until=UNTIL, now=NOW)
    with pytest.raises(Stale):
        lifecycle.stop_waiting(number, by=floor.tech, seen_version=1)
