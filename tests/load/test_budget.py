"""At most two text messages per person in ten minutes, then one digest; what must not wait does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from escalation import outbox, watch
from escalation.channels import ChannelDown, PermanentFailure
from escalation.engine import tick
from escalation.gsm7 import septets
from escalation.models import Delivery, DeliveryState, Notification, Reason
from escalation.outbox import sending, together
from incidents import lifecycle
from incidents.models import EventKind, Severity
from tests import factories as make

pytestmark = pytest.mark.django_db


def raise_(world: Any, count: int, impact: str = "at_risk") -> list[Any]:
    """So many incidents, each on a line of its own."""
    found = []
    for _unused in range(count):
        station = make.make_station(line=make.make_line(area=world.area))
        found.append(world.raise_it(impact, station=station))
    tick(now=world.now)
    return found


def state_of(incident: Any, name: str, channel: str = "sms") -> Delivery:
    return Delivery.objects.get(
        notification__incident=incident,
        notification__person__username=name,
        channel=channel,
        notification__reason=Reason.STEP,
    )


# --- the budget ---


def test_two_go_as_themselves_and_the_third_waits(world, sms):
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    assert len(sms.texts("vela")) == 2
    (third,) = raise_(world, 1)
    outbox.deliver_due("sms", world.now)
    assert len(sms.texts("vela")) == 2
    waiting = state_of(third, "vela")
    assert (waiting.state, waiting.attempt, waiting.lease_until) == (DeliveryState.QUEUED, 0, None)
    assert waiting.not_before == world.now + timedelta(minutes=10)


def test_when_the_window_opens_all_that_waits_is_one_message(world, sms, advance):
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    waiting = raise_(world, 3)
    outbox.deliver_due("sms", world.now)
    advance(minutes=10)
    assert len(sms.texts("vela")) == 3
    text = sms.texts("vela")[-1]
    assert text.startswith("3 things: ")
    assert all(f"INC-{one.number}" in text for one in waiting)
    assert septets(text) <= 160
    carrier = Delivery.objects.get(notification__reason=Reason.DIGEST)
    assert text.endswith(f"/a/{carrier.notification.token}")
    assert carrier.state == DeliveryState.SENT
    assert {state_of(one, "vela").state for one in waiting} == {DeliveryState.BUNDLED}
    assert {state_of(one, "vela").bundled_into for one in waiting} == {carrier}


def test_more_at_once_than_there_are_places_is_one_message_at_once(world, sms):
    raise_(world, 3)
    outbox.deliver_due("sms", world.now)
    assert [text[:9] for text in sms.texts("vela")] == ["3 things:"]


def test_what_was_answered_meanwhile_is_left_out(world, sms, advance):
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    _first, second, _third = raise_(world, 3)
    outbox.deliver_due("sms", world.now)
    lifecycle.acknowledge(second.number, by=world["vela"], now=world.now)
    advance(minutes=10)
    text = sms.texts("vela")[-1]
    assert text.startswith("2 things: ")
    assert f"INC-{second.number}" not in text
    assert state_of(second, "vela").state == DeliveryState.DROPPED


def test_a_single_one_that_is_left_goes_as_itself(world, sms, advance):
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    first, second = raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    lifecycle.acknowledge(second.number, by=world["vela"], now=world.now)
    advance(minutes=10)
    told = Notification.objects.get(incident=first, person=world["vela"], reason=Reason.STEP)
    assert [text for text in sms.texts("vela") if text.endswith(f"/a/{told.token}")]


def test_nothing_is_sent_when_nothing_is_needed_any_more(world, sms, advance):
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    waiting = raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    for one in waiting:
        lifecycle.acknowledge(one.number, by=world["vela"], now=world.now)
    outbox.deliver_due("sms", world.now + timedelta(minutes=10))
    assert len(sms.texts("vela")) == 2
    carrier = Delivery.objects.get(notification__reason=Reason.DIGEST)
    assert carrier.state == DeliveryState.DROPPED


def test_a_line_going_down_and_safety_go_through_at_once(world, sms):
    raise_(world, 4)
    outbox.deliver_due("sms", world.now)
    for impact in ("stopped", "stopped", "safety"):
        (incident,) = raise_(world, 1, impact)
        outbox.deliver_due("sms", world.now)
        assert state_of(incident, "vela").state == DeliveryState.SENT


def test_the_second_word_about_a_line_down_counts_in_the_budget(world, sms, advance):
    incident = world.raise_it("stopped")
    advance(minutes=26)  # the managers have been told twice: at 10 and at 25 minutes
    raise_(world, 2, "stopped")
    advance(minutes=14)
    texts = [one for one in sms.texts("hutchins") if f"INC-{incident.number} " in one]
    assert len(texts) >= 2


def test_an_incident_that_got_worse_goes_through_at_once(world, sms):
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    (third,) = raise_(world, 1)
    lifecycle.change_severity(
        third.number, by=world["tillery"], severity=Severity.S1, reason="It stops us", now=world.now
    )
    tick(now=world.now)
    outbox.deliver_due("sms", world.now)
    assert any(f"INC-{third.number} " in text for text in sms.texts("vela"))


def test_whom_somebody_asks_in_person_hears_it_at_once(world, sms):
    raise_(world, 4)
    outbox.deliver_due("sms", world.now)
    incident = raise_(world, 1)[0]
    lifecycle.assign(incident.number, by=world["brandt"], to=world["vela"], now=world.now)
    tick(now=world.now)
    outbox.deliver_due("sms", world.now)
    asked = Delivery.objects.get(notification__reason=Reason.ASSIGNED)
    assert asked.state == DeliveryState.SENT


def test_practice_does_not_use_the_budget_of_what_is_real(world, sms):
    for _unused in range(2):
        world.raise_it("at_risk", is_drill=True)
    tick(now=world.now)
    outbox.deliver_due("sms", world.now)
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    real = Delivery.objects.filter(notification__incident__is_drill=False, channel="sms")
    assert {one.state for one in real} == {DeliveryState.SENT}


def test_waiting_for_the_budget_is_no_trouble_of_the_watch(world, sms):
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    later = world.now + timedelta(minutes=5)
    kinds = {trouble.kind for trouble in watch.diagnose(watch.look(), later)}
    assert watch.Kind.UNSENT not in kinds
    assert not Notification.objects.filter(reason=Reason.FALLBACK).exists()


# --- when it fails ---


def over_the_budget(world: Any) -> list[Any]:
    raise_(world, 2)
    outbox.deliver_due("sms", world.now)
    waiting = raise_(world, 3)
    outbox.deliver_due("sms", world.now)
    return waiting


def test_a_digest_that_fails_for_good_fails_what_it_carries_and_each_goes_another_way(world, sms, mail):
    waiting = over_the_budget(world)
    sms.fails = lambda _delivery: PermanentFailure("unknown number")
    outbox.drain(world.now + timedelta(minutes=10))
    for one in waiting:
        failed = state_of(one, "vela")
        assert (failed.state, failed.error) == (DeliveryState.FAILED, "unknown number")
        assert state_of(one, "vela", "email").state == DeliveryState.SENT
        assert one.events.filter(kind=EventKind.NOT_REACHED).exists()


def test_while_the_channel_is_down_each_goes_another_way_once(world, sms, mail):
    waiting = over_the_budget(world)
    sms.fails = lambda _delivery: ChannelDown("no answer")
    at = world.now + timedelta(minutes=10)
    for minutes in range(5):
        sending._down_until.clear()
        outbox.drain(at + timedelta(minutes=minutes))
    for one in waiting:
        assert state_of(one, "vela", "email").state == DeliveryState.SENT
        assert state_of(one, "vela").state == DeliveryState.BUNDLED
    sms.fails = lambda _delivery: None
    sending._down_until.clear()
    outbox.drain(at + timedelta(minutes=20))
    assert sms.texts("vela")[-1].startswith("3 things: ")


def test_one_whose_way_cannot_be_found_keeps_the_digest_alive(world, sms, mail, monkeypatch):
    over_the_budget(world)
    sms.fails = lambda _delivery: PermanentFailure("unknown number")

    def breaks(*_unused: object) -> None:
        raise KeyError("nothing")

    with monkeypatch.context() as broken:
        broken.setattr(together.fallback, "find_another_way", breaks)
        outbox.deliver_due("sms", world.now + timedelta(minutes=10))
    carrier = Delivery.objects.get(notification__reason=Reason.DIGEST)
    assert carrier.state == DeliveryState.QUEUED
    outbox.drain(carrier.not_before)
    carrier.refresh_from_db()
    assert carrier.state == DeliveryState.FAILED


def test_a_sender_that_dies_with_a_digest_loses_nothing(world, sms):
    waiting = over_the_budget(world)
    at = world.now + timedelta(minutes=10)

    def dies(_delivery: Delivery) -> Exception:
        return KeyboardInterrupt()  # type: ignore[return-value]

    sms.fails = dies
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver_due("sms", at)
    assert {state_of(one, "vela").state for one in waiting} == {DeliveryState.BUNDLED}
    sms.fails = lambda _delivery: None
    later = at + outbox.LEASE
    outbox.take_back_expired(later)
    outbox.deliver_due("sms", later)
    assert sms.texts("vela")[-1].startswith("3 things: ")


def test_a_crash_while_it_is_made_leaves_everything_waiting(world, sms, monkeypatch):
    waiting = over_the_budget(world)
    at = world.now + timedelta(minutes=10)

    def breaks(*_unused: object, **_named: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(Delivery.objects, "create", breaks)
        with pytest.raises(RuntimeError):
            outbox.deliver_due("sms", at)
    assert {state_of(one, "vela").state for one in waiting} == {DeliveryState.QUEUED}
    assert not Notification.objects.filter(reason=Reason.DIGEST).exists()
    outbox.deliver_due("sms", at)
    assert sms.texts("vela")[-1].startswith("3 things: ")
