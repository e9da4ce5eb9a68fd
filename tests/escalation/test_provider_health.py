"""How a provider does: five failures in a row put it down, a message that went through brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from escalation import health, outbox
from escalation.channels import ChannelDown, open_channel, providers_of
from escalation.channels.twilio import Status
from escalation.models import Delivery, DeliveryState, Notification, ProviderHealth, Reason
from escalation.outbox import receipts
from escalation.outbox.lineup import LineUp, down_until
from tests.emulators.twilio import TOKEN, Emulator
from tests.escalation.gateways import FIRST, SECOND, SECOND_ONE, raised, two_gateways

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(settings: Any, world: Any) -> Iterator[tuple[Emulator, Emulator]]:
    with two_gateways(settings, world) as both:
        yield both


# --- it takes nothing ---


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
