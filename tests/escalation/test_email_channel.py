"""Email over a real SMTP conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from escalation.channels import ChannelDown, PermanentFailure, TemporaryFailure, open_channel
from escalation.channels.email import build
from escalation.models import Delivery
from tests.escalation.sink import Sink, running_sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(world, advance) -> Delivery:
    world.raise_it("stopped")
    advance(minutes=10)
    found = Delivery.objects.filter(channel="email").select_related("notification__incident")[0]
    found.subject, found.text, found.html = "Línea parada", "Está parada.\n", "<p>Está parada.</p>"
    return found


@pytest.fixture
def sink(letter: Delivery, settings: Any) -> Iterator[Sink]:
    with running_sink() as (found, url):
        settings.EMAIL_URL = url
        settings.EMAIL_FROM = "OpsDesk Millbrook <alerts@ops.example.com>"
        yield found


def test_an_email_arrives_with_both_parts_and_the_headers_of_a_machine(sink, letter):
    with open_channel("email") as sender:
        receipt = sender.send(letter)
    (message,) = sink.messages
    assert message["Subject"] == "Línea parada"
    assert message["To"] == letter.address
    assert message["From"] == "OpsDesk Millbrook <alerts@ops.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == receipt.reference
    plain, html = message.iter_parts()
    assert (plain.get_content_type(), plain.get_content().strip()) == ("text/plain", "Está parada.")
    assert (html.get_content_type(), html.get_content().strip()) == (
        "text/html",
        "<p>Está parada.</p>",
    )


def test_messages_about_one_incident_stay_together(sink, letter):
    number = letter.notification.incident.number
    with open_channel("email") as sender:
        sender.send(letter)
        sender.send(letter)
    assert {m["References"] for m in sink.messages} == {f"<incident-{number}@ops.example.com>"}
    assert len({m["Message-ID"] for m in sink.messages}) == 1


def test_a_batch_goes_over_one_connection(sink, letter):
    with open_channel("email") as sender:
        for _unused in range(10):
            sender.send(letter)
    assert len(sink.raw) == 10
    assert sink.connections == 1


def test_a_line_that_starts_with_a_dot_survives(sink, letter):
    letter.text = "One\n.\n.two\n"
    with open_channel("email") as sender:
        sender.send(letter)
    plain = next(iter(sink.messages[0].iter_parts()))
    assert plain.get_content().splitlines()[:3] == ["One", ".", ".two"]


def test_every_line_of_a_message_ends_as_smtp_wants_and_is_short(letter):
    letter.html = "<p>" + "Größe " * 500 + "</p>"
    message = build(letter)
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert message.isascii()


def test_a_subject_cannot_smuggle_a_header_in(letter):
    letter.subject = "Stopped\r\nBcc: everybody@example.com"
    assert b"\r\nBcc" not in build(letter)


@pytest.mark.parametrize("address", ["", "nobody", "a b@example.com", "a@b@example.com", "a@x.com,b@x.com"])
def test_an_address_that_is_none_fails_for_good(sink, letter, address):
    letter.address = address
    with open_channel("email") as sender, pytest.raises(PermanentFailure):
        sender.send(letter)
    assert not sink.raw


@pytest.mark.parametrize(
    ("answer", "failure"),
    [("550 No such user", PermanentFailure), ("450 Mailbox busy", TemporaryFailure)],
)
def test_a_refused_recipient_fails_as_the_server_says_and_the_next_goes_out(sink, letter, answer, failure):
    sink.refuse[letter.address] = answer
    with open_channel("email") as sender:
        with pytest.raises(failure) as refused:
            sender.send(letter)
        assert answer in str(refused.value)
        letter.address = "other@example.com"
        sender.send(letter)
    assert sink.to == ["other@example.com"]


def test_a_server_that_is_going_down_is_a_channel_that_is_down(sink, letter):
    sink.answer = "421 Closing"
    with open_channel("email") as sender, pytest.raises(ChannelDown):
        sender.send(letter)


def test_a_server_that_is_not_there_is_a_channel_that_is_down(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    with pytest.raises(ChannelDown, match="cannot be used"), open_channel("email"):
        pass


def test_a_server_that_does_not_answer_is_a_channel_that_is_down(sink, letter, monkeypatch):
    monkeypatch.setattr("escalation.channels.email.TIMEOUT", 0.2)
    sink.seconds = 1.0
    with open_channel("email") as sender, pytest.raises(ChannelDown, match="does not answer"):
        sender.send(letter)


def test_a_connection_that_the_server_closed_is_opened_again(sink, letter):
    with open_channel("email") as sender:
        sender.send(letter)
        sender._server.sock.close()  # type: ignore[attr-defined]
        sender._server.sock = None  # type: ignore[attr-defined]
        sender.send(letter)
    assert len(sink.raw) == 2
    assert sink.connections == 2


def test_a_channel_without_a_sender_says_what_to_set(settings):
    settings.SMS_URL = "pigeon://nobody"
    with pytest.raises(ChannelDown, match="sandbox"):
        open_channel("sms")
