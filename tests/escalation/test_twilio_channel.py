"""Text messages over Twilio's REST API, against a gateway that speaks it on loopback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from escalation.channels import (
    ChannelDown,
    Failed,
    OptedOut,
    Paused,
    PermanentFailure,
    RefusedHere,
    open_channel,
)
from escalation.channels.twilio import client as rest
from escalation.channels.twilio import client_of
from escalation.models import Delivery
from tests.emulators.twilio import NUMBER, TOKEN, Emulator, running_twilio

TO = "+13135550142"


@pytest.fixture
def twilio(settings: Any) -> Iterator[Emulator]:
    with running_twilio() as found:
        settings.SMS_URL = found.address
        yield found


def text(number: str = TO, words: str = "INC-1042 LINE DOWN") -> Delivery:
    return Delivery(pk=7, channel="sms", address=number, text=words)


def send(delivery: Delivery | None = None) -> Any:
    with open_channel("sms") as sender:
        return sender.send(delivery or text())


def test_a_text_is_handed_over_with_the_number_that_answers_come_back_to(twilio):
    receipt = send(text(words="Línea parada"))
    (message,) = twilio.sent
    assert (message["to"], message["from"], message["body"]) == (TO, NUMBER, "Línea parada")
    assert receipt.reference == message["sid"]
    assert receipt.provider == "twilio 127.0.0.1"
    assert not receipt.delivered


def test_receipts_are_asked_for_only_where_the_gateway_can_reach_us(twilio, settings):
    send()
    settings.BASE_URL = "https://ops.example.com"
    send()
    assert [one["callback"] for one in twilio.sent] == ["", "https://ops.example.com/sms/twilio/status"]


def test_many_texts_go_over_a_few_connections_that_stay_open(twilio):
    for _turn in range(3):
        with open_channel("sms") as sender, ThreadPoolExecutor(20) as threads:
            list(threads.map(sender.send, [text() for _unused in range(20)]))
    assert len(twilio.sent) == 60
    assert twilio.connections <= rest.AT_ONCE
    assert twilio.most_at_once <= rest.AT_ONCE


@pytest.mark.parametrize(
    ("code", "failure"),
    [(21610, OptedOut), (21211, PermanentFailure), (21614, PermanentFailure), (21408, RefusedHere)],
)
def test_a_refused_number_fails_as_its_code_says(twilio, code, failure):
    twilio.refuse[TO] = code
    with pytest.raises(Failed, match=str(code)) as refused:
        send()
    assert type(refused.value) is failure
    assert refused.value.elsewhere == (failure is RefusedHere)


def test_a_gateway_that_has_too_much_to_do_says_how_long_it_wants_to_be_left_alone(twilio):
    twilio.busy, twilio.retry_after = 1, "20"
    with pytest.raises(Paused) as paused:
        send()
    assert 20 <= (paused.value.retry_after or 0) <= 22
    send()
    assert len(twilio.sent) == 1


@pytest.mark.parametrize(
    ("asked", "low", "high"),
    [
        ("", 5, 5.5),
        ("soon", 5, 5.5),
        ("-3", 5, 5.5),
        ("inf", 5, 5.5),
        ("nan", 5, 5.5),
        ("86400", 300, 300),
    ],
)
def test_a_pause_without_a_usable_length_is_a_short_one_and_none_is_for_ever(asked, low, high):
    paused = rest.failure("api.example", 429, {}, asked)
    assert isinstance(paused, Paused)
    assert low <= (paused.retry_after or 0) <= high


@pytest.mark.parametrize("http", [401, 403, 404, 500, 503])
def test_a_gateway_that_refuses_us_is_down_whoever_the_text_is_for(http):
    assert isinstance(rest.failure("api.example", http, {}), ChannelDown)


def test_a_gateway_that_is_down_or_gone_is_a_channel_that_is_down(twilio, settings):
    twilio.down = True
    with pytest.raises(ChannelDown, match="503"):
        send()
    settings.SMS_URL = "twilio+http://AC1:x@127.0.0.1:1?from=%2B15550100000"
    with pytest.raises(ChannelDown, match="ConnectError"):
        send()


def test_a_connection_that_is_half_open_is_given_up(twilio, monkeypatch):
    twilio.hangs = True
    monkeypatch.setattr(client_of(twilio.address)._http, "timeout", httpx.Timeout(0.2))
    with pytest.raises(ChannelDown, match="does not answer"):
        send()


def test_a_slow_gateway_is_waited_for(twilio):
    twilio.seconds = 0.05
    assert send().reference


def test_how_far_a_text_got_can_be_asked_one_by_one_and_for_all(twilio):
    twilio.ends[TO] = ("undelivered", 30003)
    first, second = send().reference, send(text("+13135550143")).reference
    client, since = client_of(twilio.address), datetime.now(UTC) - timedelta(minutes=1)
    assert client.status(first) == rest.Status(first, "undelivered", 30003)
    assert [one.reference for one in client.statuses(since)] == [second, first]
    assert list(client.statuses(datetime.now(UTC) + timedelta(minutes=1))) == []


def test_a_long_list_is_read_page_by_page(twilio, monkeypatch):
    monkeypatch.setattr(rest, "PAGE", 2)
    sent = [send().reference for _unused in range(5)]
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert [one.reference for one in client_of(twilio.address).statuses(since)] == sent[::-1]


def test_replies_can_be_fetched_oldest_first_without_what_we_sent(twilio):
    send()
    twilio.text(TO, "1042")
    twilio.text(TO, "help 1042")
    found = client_of(twilio.address).incoming(datetime.now(UTC) - timedelta(minutes=1))
    assert [(one.sender, one.to, one.text) for one in found] == [
        (TO, NUMBER, "1042"),
        (TO, NUMBER, "help 1042"),
    ]
    assert len({one.reference for one in found}) == 2


def test_the_token_is_in_no_error_and_no_log(twilio, settings, caplog):
    caplog.set_level(logging.DEBUG)
    send()
    settings.SMS_URL = twilio.address.replace(TOKEN, "a-wrong-but-secret-one")
    with pytest.raises(ChannelDown) as refused:
        send()
    said = caplog.text + str(refused.value)
    assert "secret" not in said
    assert TOKEN not in said
