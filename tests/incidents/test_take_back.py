from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Impact, Status
from opsdesk.errors import NotAllowed, Refused, Stale
from tests.factories import NOW, Floor, fresh, raise_, reach

SOON = NOW + timedelta(minutes=10)


def test_a_wrong_tap_is_taken_back_by_whoever_raised_it(floor: Floor) -> None:
    incident = lifecycle.take_back(raise_(floor).number, by=floor.operator, now=SOON)
    assert (incident.status, incident.closed_at, incident.owner) == (Status.CLOSED, SOON, None)
    assert incident.downtimes.get().ended_at == SOON
    kinds = list(incident.events.values_list("kind", flat=True))
    assert kinds == [EventKind.RAISED, EventKind.TAKEN_BACK, EventKind.CLOSED]


def test_a_double_tap_is_harmless(floor: Floor) -> None:
    number = raise_(floor).number
    once = lifecycle.take_back(number, by=floor.operator, now=SOON, seen_version=1)
    assert lifecycle.take_back(number, by=floor.operator, now=SOON, seen_version=1).version == once.version


def test_after_ten_minutes_it_is_too_late(floor: Floor) -> None:
    incident = raise_(floor)
    with pytest.raises(Refused) as refusal:
        lifecycle.take_back(incident.number, by=floor.operator, now=SOON + timedelta(seconds=1))
    assert refusal.value.code == "too_late"
    assert fresh(incident).is_open


def test_once_somebody_has_it_it_is_too_late(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.take_back(reach(floor, Status.ACKNOWLEDGED).number, by=floor.operator, now=NOW)
    assert refusal.value.code == "too_late"


def test_what_was_worked_on_and_closed_was_not_taken_back(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED, Impact.NONE).number
    lifecycle.close(number, by=floor.tech, cause="Cable", agreed_by=floor.supervisor, now=NOW)
    with pytest.raises(Refused) as refusal:
        lifecycle.take_back(number, by=floor.operator, now=NOW)
    assert refusal.value.code == "too_late"


def test_nobody_takes_back_what_somebody_else_raised(floor: Floor) -> None:
    with pytest.raises(NotAllowed) as refusal:
        lifecycle.take_back(raise_(floor).number, by=floor.supervisor, now=NOW)
    assert refusal.value.code == "not_yours"


def test_a_tablet_takes_back_what_was_raised_without_signing_in(floor: Floor) -> None:
    incident, _new = lifecycle.raise_incident(
        by=None, category=floor.category, impact=Impact.NONE, station=floor.station, now=NOW
    )
    assert not lifecycle.take_back(incident.number, by=None, now=NOW).is_open
    with pytest.raises(NotAllowed):
        lifecycle.take_back(raise_(floor).number, by=None, now=NOW)


def test_a_stale_screen_takes_nothing_back(floor: Floor) -> None:
    number = raise_(floor).number
    lifecycle.add_words(number, by=floor.supervisor, words="It is real")
    with pytest.raises(Stale):
        lifecycle.take_back(number, by=floor.operator, now=NOW, seen_version=1)
