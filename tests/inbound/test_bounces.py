"""A mail of ours that comes back later: who hears instead depends on what has happened meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.translation import override

from escalation.inbound import bounces
from escalation.models import Delivery, DeliveryState, Notification, Reason
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


def test_what_was_taken_meanwhile_needs_nobody_instead(world, advance, told):
    only_by_email(world, "vela")
    incident = world.raise_it("stopped")
    advance(minutes=3)
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    advance(minutes=1)
    comes_back(world, incident, "vela")
    advance(minutes=0)
    assert (said(incident), told(incident, reason=Reason.FALLBACK)) == ([], [])
    mail = Delivery.objects.get(notification__person=world["vela"], notification__reason=Reason.STEP)
    assert mail.state == DeliveryState.FAILED


def test_the_address_that_a_server_repeats_is_not_told_to_the_whole_site(world, advance):
    only_by_email(world, "vela")
    incident = world.raise_it("stopped")
    advance(minutes=1)
    mail = Delivery.objects.get(notification__incident=incident, notification__person=world["vela"])
    assert bounces.came_back(mail.pk, "550 5.1.1 <Vela@Example.com>: no such user", now=world.now)
    assert said(incident)[-1].data["error"] == "Came back: 550 5.1.1 <…>: no such user"


def test_whoever_has_answered_needs_nobody_instead(world, advance, told):
    only_by_email(world, "jimenez")
    incident = world.raise_it("stopped")
    advance(minutes=1)
    asked = Notification.objects.filter(incident=incident, person=world["jimenez"])
    asked.update(answered_at=world.now)
    comes_back(world, incident, "jimenez")
    assert said(incident) == []


def test_safety_goes_on_although_somebody_has_it(world, advance):
    only_by_email(world, "jimenez")
    incident = world.raise_it("safety")
    advance(minutes=1)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    comes_back(world, incident, "jimenez")
    assert [one.data["name"] for one in said(incident)] == ["Jimenez"]


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


def test_an_owner_who_is_not_told_that_it_came_back_is_not_skipped_quietly(world, advance, told):
    only_by_email(world, "vela")
    incident = world.raise_it("stopped")
    advance(minutes=6)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(minutes=1)
    lifecycle.reopen(incident.number, by=world["petty"], reason="It is back", now=world.now)
    advance(minutes=0)
    assert (7, "brandt") in told(incident, reason=Reason.TOLD_REOPENED)  # quietly: as news
    comes_back(world, incident, "vela", Reason.TOLD_REOPENED)
    assert told(incident, reason=Reason.FALLBACK) == [(7, "brandt")]
