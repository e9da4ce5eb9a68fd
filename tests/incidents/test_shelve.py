from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Impact, Status
from opsdesk.errors import Invalid, Refused, Stale
from tests.factories import NOW, Floor, fresh, raise_, reach

UNTIL = NOW + timedelta(hours=8)


def test_a_pause_has_a_name_a_reason_and_an_end(floor: Floor) -> None:
    incident = lifecycle.shelve(
        raise_(floor).number, by=floor.manager, until=UNTIL, reason=" Planned stop ", now=NOW
    )
    assert (incident.shelved_by, incident.shelved_at, incident.shelved_until) == (floor.manager, NOW, UNTIL)
    assert incident.shelved_reason == "Planned stop"
    event = incident.events.last()
    assert event is not None and (event.kind, event.words) == (EventKind.SHELVED, "Planned stop")


def test_it_ends_by_itself(floor: Floor) -> None:
    incident = lifecycle.shelve(raise_(floor).number, by=floor.manager, until=UNTIL, reason="x", now=NOW)
    assert incident.is_shelved(UNTIL - timedelta(seconds=1))
    assert not incident.is_shelved(UNTIL)


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(hours=1), UNTIL + timedelta(seconds=1)])
def test_a_pause_is_at_most_eight_hours(floor: Floor, until: object) -> None:
    incident = raise_(floor)
    with pytest.raises(Invalid) as refusal:
        lifecycle.shelve(incident.number, by=floor.manager, until=until, reason="x", now=NOW)  # type: ignore[arg-type]
    assert refusal.value.code == "bad_pause"
    assert fresh(incident).shelved_until is None


def test_it_needs_a_reason(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.shelve(raise_(floor).number, by=floor.manager, until=UNTIL, reason=" ", now=NOW)
    assert refusal.value.code == "no_reason"


def test_safety_never_pauses(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.shelve(
            raise_(floor, Impact.SAFETY).number, by=floor.manager, until=UNTIL, reason="x", now=NOW
        )
    assert refusal.value.code == "safety_never_pauses"


def test_a_closed_incident_has_nothing_to_pause(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.shelve(
            reach(floor, Status.CLOSED).number, by=floor.manager, until=UNTIL, reason="x", now=NOW
        )
    assert refusal.value.code == "wrong_status"


def test_a_pause_may_end_before_its_time(floor: Floor) -> None:
    number = raise_(floor).number
    lifecycle.shelve(number, by=floor.manager, until=UNTIL, reason="x", now=NOW)
    incident = lifecycle.unshelve(number, by=floor.manager, now=NOW)
    assert (incident.shelved_by, incident.shelved_until, incident.shelved_reason) == (None, None, "")
    event = incident.events.last()
    assert event is not None and event.kind == EventKind.UNSHELVED
    assert lifecycle.unshelve(number, by=floor.manager, seen_version=1).version == incident.version


def test_a_stale_screen_ends_no_pause(floor: Floor) -> None:
    number = raise_(floor).number
    lifecycle.shelve(number, by=floor.manager, until=UNTIL, reason="x", now=NOW)
    with pytest.raises(Stale):
        lifecycle.unshelve(number, by=floor.manager, seen_version=1)
