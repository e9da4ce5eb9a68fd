"""Ask for help (domain §2): a neutral question after ten minutes without a word; who is named hears it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from escalation import outbox
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState, Notification, Rank, Reason
from incidents import lifecycle
from incidents.models import Event, EventKind, Incident
from plant.models import Person, Role
from tests.factories import make_vendor


def taken(world: Any, impact: str = "stopped") -> Incident:
    incident: Incident = world.raise_it(impact)
    return lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)


def asks(world: Any, incident: Incident, who: Any, name: str = "vela", **more: Any) -> Incident:
    return lifecycle.ask_help(incident.number, by=world[name], who=who, now=world.now, **more)


# -- the question


@pytest.mark.parametrize("impact", ["safety", "stopped", "at_risk"])
def test_the_owner_is_asked_once_after_ten_minutes_without_a_word(world, advance, told, impact):
    incident = taken(world, impact)
    advance(minutes=9)
    assert told(incident, reason=Reason.BRING_SOMEONE) == []
    advance(minutes=1)
    assert told(incident, reason=Reason.BRING_SOMEONE) == [(10, "vela")]
    advance(minutes=45)
    assert told(incident, reason=Reason.BRING_SOMEONE) == [(10, "vela")]


@pytest.mark.parametrize("impact", ["workaround", "none"])
def test_small_things_are_not_asked_about(world, advance, told, impact):
    incident = taken(world, impact)
    advance(hours=1)
    assert told(incident, reason=Reason.BRING_SOMEONE) == []


def test_a_word_in_time_makes_the_question_unneeded(world, advance, told):
    incident = taken(world)
    advance(minutes=9)
    world.say(incident)
    advance(minutes=20)
    assert told(incident, reason=Reason.BRING_SOMEONE) == []


def test_who_asked_for_help_already_is_not_asked(world, advance, told):
    incident = taken(world)
    advance(minutes=4)
    asks(world, incident, Role.IT_SPECIALIST)
    advance(minutes=20)
    assert told(incident, reason=Reason.BRING_SOMEONE) == []


def test_what_moves_again_is_not_asked_about(world, advance, told):
    incident = taken(world)
    advance(minutes=9)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(minutes=20)
    assert told(incident, reason=Reason.BRING_SOMEONE) == []


def test_a_pause_holds_the_question_back(world, advance, told):
    incident = taken(world)
    lifecycle.shelve(
        incident.number,
        by=world["tillery"],
        until=world.now + timedelta(minutes=25),
        reason="Planned stop",
        now=world.now,
    )
    advance(minutes=26)
    assert told(incident, reason=Reason.BRING_SOMEONE) == [(25, "vela")]


def test_each_owner_is_asked_once_for_themselves(world, advance, told):
    incident = taken(world)
    advance(minutes=11)
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    advance(minutes=11)
    assert told(incident, reason=Reason.BRING_SOMEONE) == [(10, "vela"), (21, "brandt")]


def test_a_word_said_before_the_question_is_sent_keeps_it_back(world, advance):
    incident = taken(world)
    advance(minutes=9)
    world.now += timedelta(minutes=1)
    tick(now=world.now)
    world.say(incident)
    outbox.drain(now=world.now)
    sent = Delivery.objects.filter(notification__reason=Reason.BRING_SOMEONE)
    assert {one.state for one in sent} == {DeliveryState.DROPPED}


def test_the_question_is_on_the_timeline(world, advance):
    incident = taken(world)
    advance(minutes=10)
    event = incident.events.get(kind=EventKind.TOLD, data__clock="help")
    assert [one["name"] for one in event.data["people"]] == ["Vela"]


def test_an_owner_who_cannot_be_reached_is_not_skipped_quietly(world, advance, told):
    incident = taken(world)
    Person.objects.filter(pk=world["vela"].pk).update(mobile="", email="")
    advance(minutes=11)
    assert told(incident, reason=Reason.FALLBACK) == [(10, "brandt")]


def test_whoever_got_only_news_is_told_instead_of_a_helper_who_cannot_be_reached(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=6)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=26)
    world.say(incident)
    advance(minutes=3)
    assert (6, "brandt") in told(incident, reason=Reason.TOLD_PICKED_UP)
    assert (32, "hutchins") in told(incident, reason=Reason.UPDATE)
    Person.objects.filter(pk=world["kowal"].pk).update(mobile="", email="")
    asks(world, incident, world["kowal"])
    advance(minutes=0)
    assert told(incident, reason=Reason.FALLBACK) == [(35, "brandt")]


# -- who is named


def test_who_is_named_hears_it_at_once_urgently_and_can_answer(world, advance, told):
    incident = taken(world)
    advance(minutes=2)
    asks(world, incident, world["kowal"], words="Bring a ladder")
    advance(minutes=0)
    assert told(incident, reason=Reason.HELP) == [(2, "kowal")]
    helped = Notification.objects.get(reason=Reason.HELP)
    assert (helped.is_urgent, helped.wants_answer, helped.note) == (True, True, "Bring a ladder.")
    delivery = helped.deliveries.get(channel="sms")
    assert (delivery.rank, delivery.state) == (Rank.URGENT, DeliveryState.DELIVERED)
    assert "Vela asks you to help." in delivery.text


def test_a_role_off_shift_is_told_why_it_is_them(world, advance, told):
    world.now = world.at("23:00")
    incident = taken(world)
    asks(world, incident, Role.IT_SPECIALIST)
    advance(minutes=0)
    note = Notification.objects.get(reason=Reason.HELP).note
    assert note == "Nobody on shift as IT specialist, so Kowal is told off shift."


def test_a_gap_is_said_in_the_language_of_who_is_told(world, advance):
    Person.objects.filter(pk=world["kowal"].pk).update(language="es")
    world.now = world.at("23:00")
    asks(world, taken(world), Role.IT_SPECIALIST)
    advance(minutes=0)
    assert Notification.objects.get(reason=Reason.HELP).note.startswith("Nadie de turno")


def test_a_vendor_is_not_written_to(world, advance, told):
    incident = taken(world)
    asks(world, incident, make_vendor("inkmarrow"))
    advance(minutes=5)
    assert told(incident, reason=Reason.HELP) == []


def test_helpers_are_told_the_end_like_everybody_else(world, advance, told):
    incident = taken(world)
    asks(world, incident, world["kowal"])
    advance(minutes=1)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(minutes=1)
    assert (1, "kowal") in told(incident, reason=Reason.TOLD_MOVING)


def test_asking_stops_no_clock(world, advance, told):
    incident = taken(world)
    asks(world, incident, world["kowal"])
    advance(minutes=16)
    assert told(incident, clock="containment") == [(15, "kowal"), (15, "brandt")]
    advance(minutes=45)
    assert Event.objects.filter(incident=incident, kind=EventKind.LAPSED).count() == 1


def test_two_askings_at_once_tell_each_person_once(world, advance, told):
    incident = taken(world)
    asks(world, incident, Role.IT_LEAD)
    asks(world, incident, Role.IT_LEAD)
    asks(world, incident, Role.IT_SPECIALIST)
    advance(minutes=0)
    assert sorted(told(incident, reason=Reason.HELP)) == [(0, "brandt"), (0, "kowal")]
