"""STOP is honoured, and nobody falls silent by it."""

from __future__ import annotations

import pytest

from escalation.inbound import opting_out
from escalation.models import Delivery, DeliveryState, Did, Notification, Reason
from escalation.reach import reach_of
from incidents.models import EventKind, Incident
from plant.models import Person
from plant.reachability import Fault

pytestmark = pytest.mark.django_db


def faults(world, name: str) -> tuple[Fault, ...]:
    return next(one.faults for one in reach_of(world.site, world.now).judged if one.person == world[name])


@pytest.mark.parametrize("word", ["STOP", "baja", "Unsubscribe."])
def test_after_stop_alerts_come_by_mail_alone(world, advance, text, word):
    heard = text("vela", word)
    assert heard.did == Did.STOPPED
    assert (
        heard.reply == "You get no more texts. Alerts come by email and IT is told. START brings them back."
    )
    world.raise_it("stopped")
    advance(minutes=1)
    told = Delivery.objects.filter(notification__person=world["vela"])
    assert {one.channel for one in told} == {"email"}


def test_the_it_manager_is_told_and_the_fault_is_shown(world, advance, text):
    text("vela", "STOP")
    notice = Notification.objects.get(reason=Reason.REACHABILITY)
    assert (notice.person, notice.data["people"][0]["name"]) == (world["hutchins"], "Vela")
    advance(minutes=1)
    assert "Vela: asked for no more text messages" in notice.deliveries.get().text
    assert Fault.SMS_STOPPED in faults(world, "vela")


def test_what_waits_for_the_number_goes_another_way(world, text):
    from escalation.engine import tick

    incident = world.raise_it("stopped")
    tick(now=world.now)
    queued = Delivery.objects.get(notification__person=world["vela"], channel="sms")
    text("vela", "STOP")
    queued.refresh_from_db()
    assert queued.state == DeliveryState.FAILED
    assert Delivery.objects.filter(notification=queued.notification, channel="email").exists()
    assert Incident.objects.get().events.filter(kind=EventKind.NOT_REACHED).exists(), incident


def test_what_waits_in_one_message_with_others_goes_another_way_too(world, text):
    from escalation.engine import tick
    from escalation.outbox.gate import admit

    for _unused in range(3):
        world.raise_it("at_risk")
    tick(now=world.now)
    assert admit("sms", limit=10, now=world.now).ids == []
    carrier = Delivery.objects.get(notification__reason=Reason.DIGEST, notification__person=world["vela"])
    text("vela", "STOP")
    carrier.refresh_from_db()
    assert carrier.state == DeliveryState.FAILED
    carried = Delivery.objects.filter(bundled_into=carrier)
    assert set(carried.values_list("state", flat=True)) == {DeliveryState.FAILED}
    told = Delivery.objects.filter(channel="email", notification__person=world["vela"])
    assert told.count() == carried.count() == 3


def test_start_brings_them_back(world, text):
    text("vela", "STOP")
    heard = text("vela", "alta")
    assert (heard.did, bool(heard.reply)) == (Did.STARTED, True)
    assert Fault.SMS_STOPPED not in faults(world, "vela")


def test_a_yes_after_stop_means_start(world, text):
    text("vela", "STOP")
    assert text("vela", "Yes").did == Did.STARTED


def test_who_stopped_still_answers_and_is_texted_nothing(world, advance, text):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    text("vela", "STOP")
    heard = text("vela", f"{incident.number}")
    assert (heard.did, heard.reply) == (Did.TOOK_IT, "")


def test_stopping_twice_tells_it_once(world, text):
    text("vela", "STOP")
    text("vela", "STOP")
    assert Notification.objects.filter(reason=Reason.REACHABILITY).count() == 1


def test_another_number_is_texted_again(world, text):
    text("vela", "STOP")
    Person.objects.filter(username="vela").update(mobile="+13135559999")
    assert not Person.objects.get(username="vela").wants_no_texts


def test_stop_holds_for_everybody_with_the_number(world, text):
    Person.objects.filter(username="tillery").update(mobile=world["vela"].mobile)
    assert len(opting_out.stop(world["vela"].mobile, now=world.now)) == 2
    assert opting_out.has_stopped(world["vela"].mobile)
