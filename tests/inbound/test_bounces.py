"""A mail of ours that comes back later: who hears instead depends on what has happened meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.translation import override

from escalation.inbound import bounces
from escalation.models import Delivery, Reason
from escalation.views.unheard import not_reached
from incidents import lifecycle
from incidents.models import Event, EventKind, Incident
from plant.models import Person

pytestmark = pytest.mark.django_db


def only_by_email(world: Any, name: str) -> None:
    Person.objects.filter(pk=world[name].pk).update(mobile="")


def comes_back(world: Any, incident: Incident, name: str, reason: str = Reason.STEP) -> None:
    """The newest of these messages to this person by email does."""
    sent = Delivery.objects.filter(notification__incident=incident, notification__person=world[name])
    mail = sent.filter(channel="email", notification__reason=reason).latest("id")
    assert bounces.came_back(mail.pk, "550 5.1.1 No such user", now=world.now)


def said(incident: Incident) -> list[Event]:
    return list(incident.events.filter(kind=EventKind.NOT_REACHED).order_by("id"))


def test_a_level_that_was_told_meanwhile_is_not_passed_over(world, advance, told):
    only_by_email(world, "kowal")
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=29)
    world.say(incident)
    advance(minutes=7)
    comes_back(world, incident, "kowal")  # of minute 15; the managers were told at 30
    before = told(incident)
    advance(minutes=0)
    assert (told(incident), told(incident, reason=Reason.FALLBACK)) == (before, [])
    (event,) = said(incident)
    assert not_reached(event) == "Kowal could not be reached by email. The next level has been told already."
    with override("es"):
        assert "Al nivel siguiente ya se le avisó." in not_reached(event)
    advance(minutes=25)
    assert (60, "okafor") in told(incident, clock="containment")


def test_a_level_that_is_due_in_this_moment_is_told_now(world, advance, told):
    only_by_email(world, "kowal")
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=29)
    world.now += timedelta(minutes=1)
    comes_back(world, incident, "kowal")
    assert [one.data["instead"] for one in said(incident)] == ["level"]
    advance(minutes=0)
    assert (30, "hutchins") in told(incident, clock="containment")
