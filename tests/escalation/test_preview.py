"""Who would be told, before it happens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation.engine import tick
from escalation.models import Notification
from escalation.preview import preview, told_at_once
from incidents.models import Impact
from plant.models import Roster

pytestmark = pytest.mark.django_db


def test_the_preview_shows_the_ladders_with_people_times_and_channels(world):
    steps = preview(world.station, world.category, Impact.STOPPED, world.now)
    response = [step for step in steps if step.clock == "response"]
    assert [(step.at - world.now).total_seconds() / 60 for step in response] == [0, 5, 10, 25]
    assert [one.person.username for one in response[0].people] == ["vela", "jimenez"]
    assert response[2].channels == ("sms", "email")
    assert response[3].is_repeat
    closure = [step for step in steps if step.clock == "closure"]
    assert [(int((step.at - world.now).total_seconds() // 3600), step.is_repeat) for step in closure] == [
        (8, False),
        (16, True),
    ]
    assert {step.clock for step in steps} == {"response", "containment", "update", "closure"}


def test_the_preview_tells_the_truth(world, advance, told):
    steps = preview(world.station, world.category, Impact.STOPPED, world.now)
    incident = world.raise_it("stopped")
    advance(minutes=26)
    foreseen = [
        (int((step.at - world.now).total_seconds() // 60) + 26, one.person.username)
        for step in steps
        if step.clock == "response"
        for one in step.people
    ]
    assert foreseen == told(incident, clock="response")


def test_the_preview_of_a_night_without_anybody_shows_the_gaps_and_that_it_goes_up(world):
    Roster.objects.all().delete()
    steps = preview(world.station, world.category, Impact.STOPPED, world.now)
    response = [step for step in steps if step.clock == "response"]
    assert [step.at for step in response[:3]] == [world.now] * 3
    assert "Nobody on shift as IT technician" in response[0].gaps[0]
    assert response[0].goes_up
    names = {one.person.username for one in told_at_once(steps, world.now)}
    assert {"vela", "brandt", "hutchins", "tillery"} <= names


@pytest.mark.parametrize("place", ["station", "line", "area", "site"])
def test_any_place_can_be_asked_about(world, place):
    steps = preview(getattr(world, place), None, Impact.AT_RISK, world.now)
    assert [one.person.username for one in steps[0].people] == ["vela"]


def test_safety_names_the_plant_manager_at_once(world):
    steps = preview(world.station, world.category, Impact.SAFETY, world.now)
    assert "okafor" in {one.person.username for one in told_at_once(steps, world.now)}


def test_the_flow_decides_who_is_named_first(world):
    steps = preview(world.station, None, Impact.STOPPED, world.now, flow="shipping")
    managers = next(step for step in steps if step.clock == "response" and step.step == 2)
    assert managers.people[1].person.username == "prewitt"


def test_the_preview_leaves_nothing_behind(world):
    preview(world.station, world.category, Impact.STOPPED, world.now + timedelta(days=2))
    tick(now=world.now)
    assert not Notification.objects.exists()
