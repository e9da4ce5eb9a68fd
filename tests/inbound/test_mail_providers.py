"""Providers of mail that call us: who may, what an answer and a bounce do, and what a forged call does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from escalation.channels.email import message_id
from escalation.models import Delivery, DeliveryState, Did, Inbound
from incidents.models import EventKind, Incident, Status
from opsdesk.urls import urlpatterns as ours
from tests.inbound.letters import bounce, reply

urlpatterns = [path("mail/", include("anymail.urls")), *ours]
"""As with INBOUND_SECRET set."""

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

SECRET, KEY = "opsdesk:only-for-this-test", "mailgun-signs-with-this"


@pytest.fixture(autouse=True)
def account(settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": KEY}


@pytest.fixture
def letter(world: Any, advance: Any) -> Delivery:
    """The mail that a technician got about a line that is down."""
    vela = world["vela"]
    vela.urgent_channels = ["email"]
    vela.save(update_fields=["urgent_channels"])
    world.raise_it("stopped")
    advance(minutes=1)
    return Delivery.objects.select_related("notification").get(notification__person=vela, channel="email")


def basic(secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}


def signature(key: str = KEY, token: str = "t" * 50) -> dict[str, str]:
    made = hmac.new(key.encode(), f"1762268400{token}".encode(), hashlib.sha256).hexdigest()
    return {"token": token, "timestamp": "1762268400", "signature": made}


def mailgun(raw: bytes, *, secret: str = SECRET, key: str = KEY) -> int:
    """A route of Mailgun posts a whole mail to us; the HTTP status."""
    form = {"recipient": "replies@ops.example.com", "body-mime": raw.decode(), **signature(key)}
    return Client().post("/mail/mailgun/inbound_mime/", form, headers=basic(secret)).status_code


def mailgun_says(about: str, to: str, *, key: str = KEY, **said: Any) -> int:
    """An event of Mailgun about a mail that we sent."""
    known = {"event": "failed", "severity": "permanent", "recipient": to, "timestamp": 1762268400.0}
    known |= {"message": {"headers": {"message-id": about.strip("<>")}}, **said}
    body = json.dumps({"signature": signature(key), "event-data": known})
    found = Client().post("/mail/mailgun/tracking/", body, content_type="application/json", headers=basic())
    return found.status_code


def postmark_says(to: str, kind: str = "HardBounce", *, secret: str = SECRET) -> int:
    """An event of Postmark, which has an id of its own for a mail and signs nothing."""
    said = {"RecordType": "Bounce", "Type": kind, "MessageID": "883953f4", "Email": to, "ID": 42}
    said |= {"BouncedAt": "2025-11-04T15:00:00Z", "Description": "The server was unable to deliver"}
    answer = Client().post(
        "/mail/postmark/tracking/", json.dumps(said), content_type="application/json", headers=basic(secret)
    )
    return answer.status_code


def state(letter: Delivery) -> str:
    return str(Delivery.objects.get(pk=letter.pk).state)


# --- answers ---


def test_an_answer_that_a_provider_brings_takes_it_once_however_often_it_is_brought(world, letter):
    raw = bytes(reply(letter, "ok"))
    assert [mailgun(raw), mailgun(raw)] == [200, 200]
    incident = Incident.objects.get()
    assert (incident.status, incident.owner) == (Status.ACKNOWLEDGED, world["vela"])
    assert incident.events.filter(kind=EventKind.ACKNOWLEDGED).count() == 1
    assert [one.did for one in Inbound.objects.all()] == [Did.TOOK_IT]


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"secret": ""}, id="nobody"),
        pytest.param({"secret": "opsdesk:guessed"}, id="another password"),
        pytest.param({"key": "guessed"}, id="another signature"),
    ],
)
def test_a_forged_call_is_refused_and_does_nothing(letter, forged, caplog):
    assert mailgun(bytes(reply(letter, "ok")), **forged) == 400
    assert Incident.objects.get().status == Status.RAISED
    assert not Inbound.objects.exists()
    assert SECRET.partition(":")[2] not in caplog.text
    assert KEY not in caplog.text


def test_who_is_not_the_reader_of_a_mail_does_not_answer_for_them_by_a_provider_either(letter):
    assert mailgun(bytes(reply(letter, "ok", sender="thief@example.net"))) == 200
    assert Incident.objects.get().status == Status.RAISED
    assert [one.did for one in Inbound.objects.all()] == [Did.UNKNOWN_SENDER]


def test_bytes_that_are_no_mail_are_taken_and_do_nothing(letter):
    assert mailgun(b"\xef\xbb\xbfno header at all\r\n\r\n\xc3\xa9") == 200
    assert Incident.objects.get().status == Status.RAISED


def test_a_report_that_comes_as_a_mail_marks_the_message_as_failed(letter):
    assert mailgun(bounce(letter)) == 200
    assert state(letter) == DeliveryState.FAILED


# --- what came back ---


def test_what_did_not_arrive_has_failed_and_goes_another_way_once(world, letter):
    about = message_id(letter)
    assert [mailgun_says(about, letter.address), mailgun_says(about, letter.address)] == [200, 200]
    assert state(letter) == DeliveryState.FAILED
    ways = Delivery.objects.filter(notification=letter.notification).order_by("id")
    assert [one.channel for one in ways] == ["email", "sms"]
    incident = Incident.objects.get()
    assert incident.events.filter(kind=EventKind.NOT_REACHED).count() == 1


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"severity": "temporary"}, id="it is tried again there"),
        pytest.param({"event": "delivered"}, id="it arrived"),
        pytest.param({"event": "opened"}, id="a scanner opened it"),
        pytest.param({"event": "clicked"}, id="a scanner followed its link"),
    ],
)
def test_what_is_no_failure_changes_nothing(letter, said):
    before = state(letter)
    assert mailgun_says(message_id(letter), letter.address, **said) == 200
    assert state(letter) == before
    assert Incident.objects.get().status == Status.RAISED


def test_a_forged_failure_is_refused(letter):
    before = state(letter)
    assert mailgun_says(message_id(letter), letter.address, key="guessed") == 400
    assert postmark_says(letter.address, secret="") == 400
    assert state(letter) == before


def test_where_the_provider_has_ids_of_its_own_the_newest_mail_to_that_address_has_failed(letter):
    Delivery.objects.filter(pk=letter.pk).update(sent_at=timezone.now())
    assert postmark_says(letter.address.upper(), "Transient") == 200
    assert state(letter) != DeliveryState.FAILED
    assert postmark_says(letter.address.upper()) == 200
    assert state(letter) == DeliveryState.FAILED
    assert "unable to deliver" in Delivery.objects.get(pk=letter.pk).error


def test_a_failure_of_a_mail_that_is_not_ours_is_nobodys(letter):
    before = state(letter)
    made_up = f"<delivery-{letter.pk:x}-0123456789abcdef@ops.example.com>"
    assert mailgun_says(made_up, "stranger@example.net") == 200
    assert postmark_says("stranger@example.net") == 200
    assert state(letter) == before


# --- no provider set up ---


@pytest.mark.urls("opsdesk.urls")
def test_without_a_secret_there_is_no_such_address():
    assert mailgun(b"") == 404
