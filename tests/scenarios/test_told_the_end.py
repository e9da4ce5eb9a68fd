"""Whoever was told is told the end: quietly, once, by the same way, however they came to hear of it."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

import pytest

from escalation import outbox
from escalation.answering import answer
from escalation.defaults import DEFAULT_CLOCKS
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState, Notification, Rank, Reason
from escalation.outbox.claims import claim
from escalation.policies import publish
from incidents import lifecycle
from incidents.models import Incident

END = {
    "picked_up": Reason.TOLD_PICKED_UP,
    "moving": Reason.TOLD_MOVING,
    "closed": Reason.TOLD_CLOSED,
}


def bring_to(world, incident: Incident, end: str) -> None:
    """Vela takes it, gets product moving, and it is closed: as far as `end`."""
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    if end != "picked_up":
        lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    if end == "closed":
        lifecycle.accept_no_fix(
            incident.number,
            by=world["tillery"],
            reason="The line is scrapped",
            review_on=world.now.date() + timedelta(days=30),
            now=world.now,
        )


def by_step(world, advance, incident: Incident) -> str:
    return "jimenez"


def by_fallback(world, advance, incident: Incident) -> str:
    """Nobody reaches Tillery, and no higher level is left: somebody else hears instead."""
    advance(minutes=11)
    told = Notification.objects.filter(incident=incident, person=world["tillery"]).latest("id")
    failed = told.deliveries.get(channel="email")
    told.deliveries.update(state=DeliveryState.FAILED, failed_at=world.now)
    failed.refresh_from_db()
    outbox.fallback.find_another_way(failed, world.now)
    advance(minutes=0)
    return Notification.objects.get(incident=incident, reason=Reason.FALLBACK).person.username


def by_being_asked_to_take_it(world, advance, incident: Incident) -> str:
    lifecycle.assign(incident.number, by=world["hutchins"], to=world["ishida"], now=world.now)
    return "ishida"


def by_being_asked_to_help(world, advance, incident: Incident) -> str:
    lifecycle.ask_help(incident.number, by=world["vela"], who=world["sorensen"], now=world.now)
    return "sorensen"


@pytest.mark.parametrize("told_by", [by_step, by_fallback, by_being_asked_to_take_it, by_being_asked_to_help])
@pytest.mark.parametrize("end", END)
def test_whoever_was_told_is_told_the_end_quietly_once_and_by_the_same_way(world, advance, told_by, end):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    who = told_by(world, advance, incident)
    advance(minutes=1)
    before = Notification.objects.filter(incident=incident, person=world[who]).latest("id")
    bring_to(world, incident, end)
    advance(minutes=5)
    news = Notification.objects.filter(incident=incident, person=world[who], reason=END[end])
    assert news.count() == 1
    assert not news[0].is_urgent
    assert ways(news[0]) == ways(before)
    assert set(news[0].deliveries.values_list("rank", flat=True)) == {Rank.QUIET}
    assert set(news[0].deliveries.values_list("state", flat=True)) <= {"delivered", "bundled"}


def ways(notification: Notification) -> set[str]:
    return set(notification.deliveries.values_list("channel", flat=True))


def test_who_was_asked_again_hears_the_end_once(world, advance):
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    clocks["response"][2]["answer"] = True
    publish(by=None, severity="S1", clocks=clocks, why="Each answers for themselves")
    incident = world.raise_it("stopped")
    advance(minutes=21)
    bring_to(world, incident, "moving")
    advance(minutes=1)
    news = Notification.objects.filter(incident=incident, reason=Reason.TOLD_MOVING, person=world["prewitt"])
    assert news.count() == 1


def test_who_answered_still_hears_the_end(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=11)
    for name in ("tillery", "jimenez"):
        token = Notification.objects.filter(incident=incident, person=world[name]).latest("id").token
        answer(token, now=world.now)
    bring_to(world, incident, "moving")
    advance(minutes=1)
    assert {"tillery", "jimenez"} <= {who for _minute, who in told(incident, reason=Reason.TOLD_MOVING)}


def test_who_does_it_is_not_told_of_it(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    bring_to(world, incident, "moving")
    advance(minutes=1)
    assert "vela" not in {who for _minute, who in told(incident, reason=Reason.TOLD_MOVING)}


def test_whose_message_was_dropped_before_it_went_out_hears_nothing(world, advance):
    incident = world.raise_it("stopped")
    tick(now=world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=1)
    jimenez = Delivery.objects.filter(notification__person=world["jimenez"])
    assert list(jimenez.values_list("state", flat=True)) == [DeliveryState.DROPPED]
    bring_to(world, incident, "moving")
    advance(minutes=1)
    assert jimenez.count() == 1


def test_whose_message_was_taken_and_then_dropped_hears_nothing(world, advance):
    """A sender had claimed it when somebody took the incident: it asks again before it sends."""
    incident = world.raise_it("stopped")
    tick(now=world.now)
    claim("sms", limit=100, now=world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    tick(now=world.now)
    jimenez = Delivery.objects.filter(notification__person=world["jimenez"]).order_by("id")
    assert list(jimenez.values_list("state", flat=True)) == ["sending", "queued"]  # the news waits too
    jimenez.filter(state="sending").update(state="dropped", lease_until=None)
    outbox.drain(now=world.now)
    assert list(jimenez.values_list("state", flat=True)) == ["dropped", "dropped"]


def test_whose_message_was_being_sent_hears_the_end(world):
    incident = world.raise_it("stopped")
    tick(now=world.now)
    claim("sms", limit=100, now=world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    tick(now=world.now)
    jimenez = Delivery.objects.filter(notification__person=world["jimenez"]).order_by("id")
    jimenez.filter(state="sending").update(state="sent", sent_at=world.now, lease_until=None)
    outbox.drain(now=world.now)
    assert jimenez.latest("id").state == DeliveryState.DELIVERED


def test_whom_nothing_reached_hears_nothing(world, advance):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    jimenez = Delivery.objects.filter(notification__person=world["jimenez"])
    jimenez.update(state=DeliveryState.FAILED, sent_at=None, delivered_at=None, failed_at=world.now)
    bring_to(world, incident, "moving")
    advance(minutes=1)
    assert jimenez.count() == 1
