"""Shift changes, nights without anybody, and the two nights on which the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation.models import Notification
from incidents import lifecycle
from incidents.models import EventKind
from plant.models import Cover, Roster


def test_at_22_the_night_roster_is_told(world, advance, told):
    world.now = world.at("21:58")
    incident = world.raise_it("at_risk")
    advance(minutes=0)
    assert told(incident) == [(0, "ishida")]
    advance(minutes=46)
    assert [who for minute, who in told(incident) if minute == 15] == ["brandt", "hutchins", "kowalczyk"]
    again = [who for minute, who in told(incident) if minute == 45]
    assert again == ["sorensen", "brandt", "hutchins", "kowalczyk"]


def test_raised_in_the_last_minute_of_a_shift_it_reaches_that_shift(world, advance, told):
    world.now = world.at("21:59")
    incident = world.raise_it("stopped")
    advance(minutes=0)
    assert {"ishida", "boone"} <= {who for _minute, who in told(incident)}


def test_raised_at_22_sharp_it_reaches_the_night(world, advance, told):
    world.now = world.at("22:00")
    incident = world.raise_it("stopped")
    advance(minutes=0)
    assert [who for _minute, who in told(incident)][:2] == ["sorensen", "kowalczyk"]


def test_who_stands_in_is_told(world, advance, told):
    Cover.objects.create(
        absent=world["vela"],
        stand_in=world["ishida"],
        starts_at=world.now - timedelta(hours=1),
        ends_at=world.now + timedelta(hours=1),
    )
    incident = world.raise_it("at_risk")
    advance(minutes=0)
    assert told(incident) == [(0, "ishida")]


def test_with_nobody_on_shift_everybody_up_to_the_managers_hears_at_once(world, advance, told):
    """No roster at all: each level is empty, so it goes up until somebody is called at any hour."""
    Roster.objects.all().delete()
    incident = world.raise_it("stopped")
    advance(minutes=0)
    heard = {who for minute, who in told(incident) if minute == 0}
    assert {"vela", "ishida", "sorensen", "brandt", "kowal", "hutchins", "tillery", "prewitt"} <= heard
    notes = [one.note for one in Notification.objects.filter(incident=incident)]
    assert all(notes)
    assert any("goes up now" in note for note in notes)
    assert incident.events.filter(kind=EventKind.TOLD).count() == 3


SPRING = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)
"""01:30 in Detroit, half an hour before the clock goes from 02:00 to 03:00."""

AUTUMN = datetime(2025, 11, 2, 5, 30, tzinfo=UTC)
"""01:30 in Detroit for the first time, half an hour before the clock goes back from 02:00 to 01:00."""


@pytest.mark.parametrize("night", [SPRING, AUTUMN], ids=["spring forward", "fall back"])
def test_minutes_stay_minutes_on_the_nights_the_clock_changes(world, advance, told, night):
    world.now = night
    incident = world.raise_it("at_risk")
    lifecycle.acknowledge(incident.number, by=world["sorensen"], now=world.now)
    advance(minutes=119)
    world.say(incident, "sorensen")
    advance(minutes=122)
    assert [minute for minute, who in told(incident, clock="containment")] == [60, 60, 120, 120, 240]


@pytest.mark.parametrize(
    ("before", "night_shift", "after"),
    [
        (datetime(2026, 3, 7, 2, 59, tzinfo=UTC), "boone", "kowalczyk"),  # Friday 21:59, winter time
        (datetime(2025, 11, 1, 1, 59, tzinfo=UTC), "boone", "kowalczyk"),  # Friday 21:59, summer time
        (datetime(2026, 3, 9, 9, 59, tzinfo=UTC), None, "jimenez"),  # Monday 05:59, the morning after
        (datetime(2025, 11, 3, 10, 59, tzinfo=UTC), None, "jimenez"),
    ],
)
def test_shifts_change_by_the_clock_on_the_wall_around_those_nights(
    world, advance, told, before, night_shift, after
):
    world.now = before
    first = world.raise_it("stopped")
    advance(minutes=0)
    if night_shift:
        assert night_shift in [who for _minute, who in told(first)]
        assert after not in [who for _minute, who in told(first) if _minute == 0][:2]
    world.now = before + timedelta(minutes=1)
    second = world.raise_it("stopped")
    advance(minutes=0)
    assert after in [who for _minute, who in told(second)]


def test_in_the_hour_that_comes_twice_the_night_shift_is_told_both_times(world, advance, told):
    for hour in (5, 6):  # 01:30 by the old time, and 01:30 by the new
        world.now = datetime(2025, 11, 2, hour, 30, tzinfo=UTC)
        incident = world.raise_it("at_risk")
        advance(minutes=0)
        assert told(incident) == [(0, "sorensen")]
