"""Several providers of one channel: the next is tried on an error, or when no receipt comes in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from escalation import outbox
from escalation.channels.twilio import Status
from escalation.models import Delivery, DeliveryState, Reason
from escalation.outbox import receipts
from escalation.outbox.lineup import down_until
from incidents import lifecycle
from incidents.models import EventKind
from tests.emulators.twilio import Emulator
from tests.escalation.gateways import FIRST, SECOND, SECOND_ONE, number, of, raised, two_gateways

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(settings: Any, world: Any) -> Iterator[tuple[Emulator, Emulator]]:
    with two_gateways(settings, world) as both:
        yield both


# --- an error ---


def test_the_next_provider_is_tried_when_the_first_is_down(world, two):
    first, second = two
    first.down = True
    raised(world)
    outbox.deliver_due("sms", world.now)
    assert of(world) == [("sms", FIRST, "failed"), ("sms", SECOND_ONE, "sent")]
    assert len(second.texts_to(number(world))) == 1
    assert Delivery.objects.filter(channel="email").count() == 0


def test_each_attempt_keeps_its_own_reference_and_what_it_stands_in_for(world, two):
    first, second = two
    first.down = True
    raised(world)
    outbox.deliver_due("sms", world.now)
    failed, sent = Delivery.objects.filter(notification__person=world["vela"]).order_by("id")
    assert "503" in failed.error
    assert (failed.provider_ref, sent.instead_of) == ("", failed)
    assert sent.provider_ref in {one["sid"] for one in second.sent}


def test_a_number_that_takes_no_texts_is_not_tried_with_every_provider(world, two):
    first, second = two
    first.refuse[number(world)] = 21614
    raised(world)
    outbox.drain(world.now)
    assert of(world)[0] == ("sms", FIRST, "failed")
    assert not second.texts_to(number(world))
    assert [channel for channel, _p, _s in of(world)] == ["sms", "email"]


def test_who_has_asked_for_no_more_texts_gets_none_by_another_provider_either(world, two):
    first, second = two
    first.refuse[number(world)] = 21610
    raised(world)
    outbox.drain(world.now)
    assert not second.texts_to(number(world))
    world["vela"].refresh_from_db()
    assert world["vela"].stopped_mobile == world["vela"].mobile
    assert ("email", "sandbox", "delivered") in of(world)


def test_when_all_providers_fail_it_goes_by_the_next_channel(world, two):
    for gateway in two:
        gateway.down = True
    raised(world)
    outbox.drain(world.now)
    channels = of(world)
    assert ("sms", FIRST, "failed") in channels
    assert ("email", "sandbox", "delivered") in channels


def test_the_incident_is_asked_again_before_the_next_provider_is(world, two):
    first, _second = two
    first.down = True
    incident = raised(world)
    outbox.deliver_due("sms", world.now, limit=1)
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    Delivery.objects.filter(state="sent").update(state="queued", sent_at=None)
    down_until.clear()
    outbox.deliver_due("sms", world.now)
    assert {state for _c, _p, state in of(world)} <= {"failed", "dropped"}


def test_a_gateway_that_wants_a_pause_is_left_alone_and_the_next_one_sends(world, two):
    first, second = two
    first.busy, first.retry_after = 99, "30"
    raised(world)
    outbox.deliver_due("sms", world.now)
    assert len(second.sent) == 2
    asked = len(first.requests)
    down_until.clear()  # as another process, which only knows what is written down
    raised(world)
    outbox.deliver_due("sms", world.now + SECOND)
    assert len(second.sent) == 4
    assert len(first.requests) == asked


def test_several_things_in_one_message_go_by_the_next_provider_together(world, two):
    first, second = two
    first.down = True
    waiting = [raised(world, "at_risk") for _unused in range(3)]
    outbox.deliver_due("sms", world.now)
    text = second.texts_to(number(world))
    assert [one[:9] for one in text] == ["3 things:"]
    failed, sent = Delivery.objects.filter(notification__reason=Reason.DIGEST).order_by("id")
    assert (failed.state, sent.state, sent.instead_of) == (DeliveryState.FAILED, DeliveryState.SENT, failed)
    carried = Delivery.objects.filter(state=DeliveryState.BUNDLED, notification__incident__in=waiting)
    assert {one.bundled_into for one in carried} == {sent}
    assert carried.count() == 3


# --- no receipt in time ---


def test_without_a_receipt_in_time_the_next_provider_sends_it_too(world, two):
    _first, second = two
    raised(world)
    outbox.deliver_due("sms", world.now)
    assert second.sent == []
    outbox.deliver_due("sms", world.now + 59 * SECOND)
    assert second.sent == []
    outbox.deliver_due("sms", world.now + 60 * SECOND)
    assert of(world) == [("sms", FIRST, "sent"), ("sms", SECOND_ONE, "sent")]


def test_a_late_receipt_of_the_first_is_still_recorded_and_changes_nothing_else(world, two):
    raised(world)
    outbox.deliver_due("sms", world.now)
    outbox.deliver_due("sms", world.now + 60 * SECOND)
    early = Delivery.objects.filter(notification__person=world["vela"]).earliest("id")
    assert receipts.record(Status(early.provider_ref, "delivered"), world.now + 70 * SECOND)
    assert of(world) == [("sms", FIRST, "delivered"), ("sms", SECOND_ONE, "sent")]


def test_a_receipt_that_comes_before_the_next_provider_is_asked_stops_it(world, two):
    _first, second = two
    raised(world)
    outbox.deliver_due("sms", world.now)
    late = world.now + 60 * SECOND
    receipts.look_for_silent("sms", late)
    for one in Delivery.objects.filter(state="sent"):
        receipts.record(Status(one.provider_ref, "delivered"), late)
    outbox.deliver_due("sms", late)
    assert second.sent == []
    assert of(world) == [("sms", FIRST, "delivered"), ("sms", "", "dropped")]


def test_with_no_provider_left_silence_goes_by_the_next_channel_and_the_timeline_says_so(world, two):
    incident = raised(world)
    for minute in (0, 1, 2):
        outbox.drain(world.now + timedelta(minutes=minute))
    assert [channel for channel, _p, _s in of(world)] == ["sms", "sms", "email"]
    said = [event.data for event in incident.events.filter(kind=EventKind.NOT_REACHED)]
    assert {(one["tried"], one["instead"]) for one in said} == {("sms", "channel")}
    assert "No receipt" in said[0]["error"]


def test_who_has_answered_is_not_texted_again_for_want_of_a_receipt(world, two):
    incident = raised(world)
    outbox.deliver_due("sms", world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now + SECOND)
    outbox.deliver_due("sms", world.now + 61 * SECOND)
    assert of(world) == [("sms", FIRST, "sent")]


def test_what_is_not_urgent_waits_for_no_receipt(world, two):
    raised(world, "workaround")
    outbox.deliver_due("sms", world.now)
    assert set(Delivery.objects.values_list("receipt_due_at", flat=True)) == {None}


@pytest.mark.parametrize("code", [30003, 30005, 30006])
def test_a_receipt_that_says_no_sends_it_by_the_next_provider_at_once(world, two, code):
    _first, second = two
    raised(world)
    outbox.deliver_due("sms", world.now)
    sent = Delivery.objects.filter(notification__person=world["vela"]).get()
    for _twice in range(2):
        receipts.record(Status(sent.provider_ref, "undelivered", code), world.now + SECOND)
    outbox.deliver_due("sms", world.now + SECOND)
    assert of(world) == [("sms", FIRST, "failed"), ("sms", SECOND_ONE, "sent")]
    assert len(second.texts_to(number(world))) == 1


def test_a_receipt_that_is_fetched_is_of_a_text_of_that_gateway(world, two):
    """Both emulators count their texts from one, as gateways in a plant may."""
    _first, second = two
    second.end = ("delivered", 0)
    raised(world)
    outbox.deliver_due("sms", world.now)
    outbox.deliver_due("sms", world.now + 60 * SECOND)
    assert of(world) == [("sms", FIRST, "sent"), ("sms", SECOND_ONE, "delivered")]


def test_receipts_are_fetched_where_nobody_can_reach_us(world, two):
    first, _second = two
    first.end = ("delivered", 0)
    raised(world)
    outbox.deliver_due("sms", world.now)
    assert of(world) == [("sms", FIRST, "delivered")]
    assert Delivery.objects.filter(receipt_due_at__isnull=False).count() == 0


# --- pushed receipts ---


def post(client: Any, call: Any, **changes: str) -> int:
    fields, signature = {**call.fields, **changes}, call.signature
    path = call.url.removeprefix("https://ops.example.com")
    return int(client.post(path, fields, headers={"X-Twilio-Signature": signature}).status_code)


@pytest.fixture
def pushed(world: Any, two: Any, settings: Any) -> Any:
    """A text that was sent, and the call by which the gateway says that it arrived."""
    settings.BASE_URL = "https://ops.example.com"
    raised(world)
    outbox.deliver_due("sms", world.now)
    sent = Delivery.objects.filter(notification__person=world["vela"]).get()
    return two[0].receipt_call(sent.provider_ref, "delivered")


def test_a_receipt_that_is_pushed_is_recorded_once(client, world, pushed):
    assert post(client, pushed) == 204
    at = Delivery.objects.get(notification__person=world["vela"]).delivered_at
    assert post(client, pushed) == 204
    assert of(world) == [("sms", FIRST, "delivered")]
    assert Delivery.objects.get(notification__person=world["vela"]).delivered_at == at


@pytest.mark.parametrize("changes", [{"MessageStatus": "undelivered"}, {"AccountSid": "AC9"}, {"More": "1"}])
def test_an_altered_receipt_is_refused(client, world, pushed, changes):
    assert post(client, pushed, **changes) == 403
    assert of(world) == [("sms", FIRST, "sent")]


def test_a_receipt_without_a_signature_or_an_account_is_refused(client, pushed, settings):
    assert client.post("/sms/twilio/status", pushed.fields).status_code == 403
    settings.SMS_URL = "sandbox://"
    assert post(client, pushed) == 403
    assert client.get("/sms/twilio/status").status_code == 405


def test_a_message_is_never_in_two_hands_on_one_channel(world, two):
    first, _second = two
    first.down = True
    raised(world)
    outbox.deliver_due("sms", world.now)
    live = Delivery.objects.filter(state__in=[DeliveryState.QUEUED, DeliveryState.SENDING])
    assert not live.exists()
