"""Several providers of one channel: the next is tried on an error, or when no receipt comes in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from escalation import health, outbox
from escalation.channels import ChannelDown, open_channel, providers_of
from escalation.channels.twilio import Status
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState, Notification, ProviderHealth, Reason
from escalation.outbox import receipts
from escalation.outbox.lineup import LineUp, down_until
from incidents import lifecycle
from incidents.models import EventKind
from tests.emulators.twilio import TOKEN, Emulator, running_twilio

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def two(settings: Any, world: Any) -> Iterator[tuple[Emulator, Emulator]]:
    """Two gateways with the plant's clock, the second under another name of this machine."""
    down_until.clear()
    with running_twilio() as first, running_twilio() as second:
        first.clock = second.clock = lambda: world.now
        settings.SMS_URL = f"{first.address} {second.address.replace('127.0.0.1', 'localhost')}"
        yield first, second


def raised(world: Any, impact: str = "stopped") -> Any:
    incident = world.raise_it(impact)
    tick(now=world.now)
    return incident


def of(world: Any, name: str = "vela") -> list[tuple[str, str, str]]:
    """Channel, provider and state of what one person was sent, in order."""
    rows = Delivery.objects.filter(notification__person=world[name]).order_by("id")
    return [(one.channel, one.provider, str(one.state)) for one in rows]


def number(world: Any, name: str = "vela") -> str:
    return str(world[name].mobile)


FIRST, SECOND_ONE = "twilio 127.0.0.1", "twilio localhost"


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


# --- health ---


def fail_often(world: Any, times: int) -> None:
    for _unused in range(times):
        down_until.clear()
        raised(world)
        outbox.deliver_due("sms", world.now)


def test_a_provider_that_fails_five_times_in_a_row_is_marked_down_and_only_probed(world, two):
    first, _second = two
    first.down = True
    fail_often(world, 5)
    known = ProviderHealth.objects.get(name=FIRST)
    assert known.is_down
    asked = len(first.requests)
    world.now += SECOND
    fail_often(world, 1)
    assert len(first.requests) <= asked + 1, "one message may be risked as a probe, no more"
    first.down = False
    world.now += pause()
    fail_often(world, 1)
    known.refresh_from_db()
    assert not known.is_down
    assert (known.failures, known.since) == (0, world.now)


def pause() -> timedelta:
    """Until the first provider is tried again, after all its failures so far."""
    return health.pause_after(ProviderHealth.objects.get(name=FIRST).failures)


def five_fail(world: Any) -> None:
    """The first provider takes none of five messages."""
    with LineUp("sms", lambda one: open_channel("sms", one)) as line_up:
        for _message in range(5):
            line_up.failed(line_up.providers[0], ChannelDown("503"), world.now)
    down_until.clear()


def told_of_it() -> list[bool]:
    told = Notification.objects.filter(reason=Reason.PROVIDER).order_by("id")
    return [one.data["is_down"] for one in told]


def test_a_provider_that_is_down_is_probed_though_no_message_comes_and_it_is_told_that_it_is_back(world, two):
    first, _second = two
    first.down = True
    five_fail(world)
    outbox.deliver_due("sms", world.now)
    outbox.deliver_due("sms", world.now + pause() - SECOND)
    assert [one.split()[0] for one in first.requests] == ["GET"], "one question, and no message"
    assert ProviderHealth.objects.get(name=FIRST).is_down
    first.down = False
    down_until.clear()
    outbox.deliver_due("sms", world.now + pause())
    assert not ProviderHealth.objects.get(name=FIRST).is_down
    assert told_of_it() == [True, False]


def test_an_account_that_answers_while_its_texts_fail_is_back_once_and_then_only_by_a_text(world, two):
    first, _second = two
    for _outage in range(3):
        five_fail(world)
        world.now += pause()
        outbox.deliver_due("sms", world.now)
    assert told_of_it() == [True, False, True], "its account answers all the time"
    assert len(first.requests) == 1, "an answer that proved nothing is not asked for again"
    raised(world)
    outbox.deliver_due("sms", world.now + pause())
    known = ProviderHealth.objects.get(name=FIRST)
    assert not known.is_down and not known.is_unproved
    assert told_of_it() == [True, False, True, False]


# --- a provider that takes everything and brings nothing ---


def taken(world: Any, *numbers: str) -> list[str]:
    """References of texts that the first provider has just taken, to these numbers."""
    now, found = world.now, []
    for to in numbers:
        key = f"SM{Notification.objects.count()}"
        notification = Notification.objects.create(
            site=world["vela"].site,
            person=world["vela"],
            reason=Reason.DIGEST,
            key=key,
            due_at=now,
            created_at=now,
        )
        sent = {"state": "sent", "sent_at": now, "provider": FIRST, "provider_ref": key}
        Delivery.objects.create(
            notification=notification, channel="sms", address=to, queued_at=now, not_before=now, **sent
        )
        found.append(key)
    return found


def say_no(world: Any, references: list[str], code: int = 30003) -> None:
    """The receipts of these texts, a second apart."""
    for reference in references:
        world.now += SECOND
        receipts.record(Status(reference, "undelivered", code), world.now)


@pytest.fixture
def first_took(world: Any, two: Any) -> None:
    """The first provider has taken a text before, so that it is known to work."""
    health.worked("sms", providers_of("sms")[0], world.now)


FIVE = [f"+1555020000{n}" for n in range(5)]


def is_down() -> bool:
    return ProviderHealth.objects.get(name=FIRST).is_down


def test_a_provider_whose_texts_to_five_numbers_in_a_row_do_not_arrive_is_down_and_told_once(
    world, first_took
):
    references = taken(world, *FIVE, "+15550200008", "+15550200009")
    say_no(world, references[:4])
    assert not is_down()
    say_no(world, references[4:])
    assert is_down()
    known = ProviderHealth.objects.get(name=FIRST)
    assert known.failures == health.DOWN_AFTER, "what it had taken before makes no pause longer"
    say_no(world, taken(world, *FIVE))
    assert told_of_it() == [True]
    outbox.deliver_due("email", world.now)
    letter = Notification.objects.get(reason=Reason.PROVIDER).deliveries.get()
    assert "30003" in letter.text
    assert "It takes messages, and they do not arrive." in letter.text


@pytest.mark.parametrize(
    ("numbers", "code"),
    [([FIVE[0]] * 5, 30003), (FIVE, 21610), (FIVE, 21614)],
    ids=["the same number", "they want no texts", "numbers that take no texts"],
)
def test_what_is_wrong_with_a_number_is_not_held_against_the_provider(world, first_took, numbers, code):
    say_no(world, taken(world, *numbers), code)
    assert not is_down()


@pytest.mark.parametrize("after", [SECOND, timedelta(minutes=11)], ids=["arrives", "is never refused"])
def test_one_that_is_not_refused_in_between_ends_the_row(world, first_took, after):
    """Some countries confirm nothing that arrives: a text without a receipt is none that was refused."""
    early, between, late = taken(world, *FIVE[:4]), taken(world, "+15550209999"), taken(world, *FIVE[1:])
    say_no(world, early)
    if after == SECOND:
        receipts.record(Status(between[0], "delivered"), world.now)
    world.now += after
    say_no(world, late[:4])
    assert not is_down()
    say_no(world, taken(world, FIVE[0]))
    assert is_down()


def test_it_is_back_when_a_text_arrives_and_not_because_it_takes_one(world, two, first_took):
    first, _second = two
    say_no(world, taken(world, *FIVE))
    world.now += pause()
    outbox.deliver_due("sms", world.now)
    assert first.requests == [], "that its account answers says nothing"
    raised(world)
    outbox.deliver_due("sms", world.now)
    assert len(first.sent) == 1, "one message is risked on it"
    assert is_down()
    sent = Delivery.objects.filter(provider=FIRST).latest("id")
    assert receipts.record(Status(sent.provider_ref, "delivered"), world.now + SECOND, provider=FIRST)
    assert not is_down()
    assert told_of_it() == [True, False]


def test_what_stays_down_is_tried_more_and_more_seldom():
    assert [health.pause_after(n).total_seconds() for n in (5, 6, 7, 8, 900)] == [15, 30, 60, 120, 120]


def test_the_it_manager_hears_by_another_channel_that_it_is_down_and_that_it_is_back(world, two):
    first, _second = two
    first.down = True
    fail_often(world, 6)
    told = Notification.objects.filter(reason=Reason.PROVIDER)
    assert [one.person.username for one in told] == ["hutchins"]
    assert [one.channel for one in told[0].deliveries.all()] == ["email"]
    outbox.deliver_due("email", world.now)
    letter = told[0].deliveries.get()
    assert letter.state == DeliveryState.DELIVERED
    assert FIRST in letter.subject
    assert SECOND_ONE in letter.text
    assert TOKEN not in letter.text + letter.html
    first.down = False
    world.now += health.SELDOMEST
    fail_often(world, 2)
    assert [one.data["is_down"] for one in told.order_by("id")] == [True, False]


def test_the_card_of_a_provider_says_how_it_does(world, two):
    first, _second = two
    first.down = True
    raised(world)
    outbox.deliver_due("sms", world.now)
    cards = {one.provider: one for one in health.cards(world.now) if one.channel == "sms"}
    assert list(cards) == [FIRST, SECOND_ONE]
    assert (cards[FIRST].failed, cards[FIRST].sent) == (cards[FIRST].failures, 0)
    assert cards[FIRST].failure_rate == 1.0
    assert cards[SECOND_ONE].sent == 2
    assert cards[SECOND_ONE].oldest_queued is None
    assert TOKEN not in repr(cards)


def test_a_message_is_never_in_two_hands_on_one_channel(world, two):
    first, _second = two
    first.down = True
    raised(world)
    outbox.deliver_due("sms", world.now)
    live = Delivery.objects.filter(state__in=[DeliveryState.QUEUED, DeliveryState.SENDING])
    assert not live.exists()
