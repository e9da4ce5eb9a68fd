"""What really goes out while an incident lives, from raised to closed, to readers of both languages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.gsm7 import septets
from escalation.messages import contexts_of
from escalation.models import Delivery, DeliveryState, Reason
from incidents import lifecycle
from incidents.models import Incident
from plant.models import Person
from tests.messages.world import demo, longest
from tests.scenarios.world import World, advance, build_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> World:
    """Half of the people read Spanish, all have the longest name of the demo plant."""
    world = build_world()
    name = longest(person["name"] for person in demo()["people"])
    for number, person in enumerate(Person.objects.order_by("username")):
        person.name, person.language = f"{name} {number}", "es" if number % 2 else "en"
        person.save(update_fields=["name", "language"])
    return world


def pass_minutes(world: World, minutes: float) -> None:
    advance(world, world.now + timedelta(minutes=minutes))


def live_through(world: World) -> Incident:
    """Nobody takes it for 12 minutes, product does not move for an hour, then it moves and comes back."""
    incident = world.raise_it(title="Rack label printer is offline", technical="VLAN 140")
    pass_minutes(world, 12)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    pass_minutes(world, 25)
    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="Rack labels do not print",
        actions="Moving the queue",
        needs="Hold the 11:40 shuttle",
        technical="port 9100",
        now=world.now,
    )
    pass_minutes(world, 33)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer at the line", now=world.now)
    pass_minutes(world, 5)
    lifecycle.reopen(incident.number, by=world["jimenez"], reason="Blank again", now=world.now)
    pass_minutes(world, 20)
    return incident


def test_everything_that_goes_out_is_worded_fits_and_says_nothing_technical(
    plant: World, caplog: Any
) -> None:
    incident = live_through(plant)
    sent = list(Delivery.objects.exclude(state=DeliveryState.DROPPED).select_related("notification"))
    reasons = {one.notification.reason for one in sent}
    assert {Reason.STEP, Reason.UPDATE, Reason.TOLD_PICKED_UP, Reason.TOLD_MOVING} <= reasons
    assert {one.language for one in sent} == {"en", "es"}
    assert "could not be worded" not in caplog.text
    for one in sent:
        assert one.text.strip(), one.state
        assert "VLAN" not in one.text + one.html
        assert "9100" not in one.text + one.html
        assert one.notification.token in one.text
        if one.channel == "sms":
            assert septets(one.text) <= 160
        else:
            assert one.subject.endswith(f"({incident.code})")


def test_an_email_to_the_managers_names_who_was_told_and_who_is_next(plant: World) -> None:
    incident = plant.raise_it(title="Rack label printer is offline")
    lifecycle.acknowledge(incident.number, by=plant["vela"], now=plant.now)
    pass_minutes(plant, 31)
    manager = Person.objects.get(username="tillery")
    mail = Delivery.objects.get(notification__person=manager, channel="email")
    lead = Person.objects.get(username="brandt")
    role, condition = "IT lead", "next, if there is no news"
    if manager.language == "es":
        role, condition = "Líder de TI", "sigue, si no hay novedades"
    assert f"10:40 {lead.name}, {role}, {condition}" in mail.text
    assert Person.objects.get(username="vela").name in mail.text


def test_the_ladder_of_many_incidents_takes_as_many_queries_as_of_two(plant: World) -> None:
    for _turn in range(6):
        plant.raise_it()
    pass_minutes(plant, 6)
    incidents = list(Incident.objects.with_place())
    with CaptureQueriesContext(connection) as few:
        contexts_of(incidents[:2], plant.now)
    with CaptureQueriesContext(connection) as many:
        found = contexts_of(incidents, plant.now)
    assert len(many) == len(few)
    assert all(context.upcoming for context in found.values())
