"""How texts get to us: the gateway's signed call, or asking it, against a gateway on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from escalation.inbound import polling
from escalation.models import Did, Inbound
from incidents.models import Incident, Status
from tests.emulators.twilio import NUMBER, Call, Emulator, running_twilio
from tests.factories import Floor, fresh, raise_

pytestmark = pytest.mark.django_db

URL = "https://ops.example.com/sms/twilio/inbound"


@pytest.fixture
def gateway(settings: Any, monkeypatch: Any) -> Iterator[Emulator]:
    monkeypatch.setattr(polling, "_rests_until", {})
    with running_twilio() as found:
        settings.SMS_URL = found.address
        settings.BASE_URL = "https://ops.example.com"
        yield found


@pytest.fixture
def incident(floor: Floor) -> Incident:
    return raise_(floor, now=timezone.now())


def post(call: Call, **changes: str) -> Any:
    return Client().post(
        "/sms/twilio/inbound", {**call.fields, **changes}, headers={"X-Twilio-Signature": call.signature}
    )


def test_a_signed_call_acts_and_is_answered_in_the_same_breath(floor, incident, gateway):
    call = gateway.inbound_call(gateway.text(floor.tech.mobile, f"ok {incident.number}"), URL)
    answer = post(call)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert f"you have INC-{incident.number} since" in answer.content.decode()
    assert fresh(incident).owner == floor.tech


def test_the_same_call_again_does_nothing_again(floor, incident, gateway):
    call = gateway.inbound_call(gateway.text(floor.tech.mobile, f"{incident.number} spare is in"), URL)
    first, second = post(call), post(call)
    assert first.content == second.content
    assert fresh(incident).updates.count() == 1


def test_a_forged_call_is_refused_and_does_nothing(floor, incident, gateway):
    call = gateway.inbound_call(gateway.text("+15550001111", f"{incident.number}"), URL)
    assert post(call, From=floor.tech.mobile).status_code == 403
    unsigned = Client().post("/sms/twilio/inbound", call.fields)
    assert unsigned.status_code == 403
    assert (fresh(incident).status, Inbound.objects.count()) == (Status.RAISED, 0)


def test_where_there_is_no_account_every_call_is_refused(settings, gateway, floor):
    call = gateway.inbound_call(gateway.text(floor.tech.mobile, "ok"), URL)
    settings.SMS_URL = "sandbox://"
    assert post(call).status_code == 403


def test_words_in_the_reply_cannot_break_the_answer(floor, incident, gateway):
    floor.tech.name = "<Tom & Co>"
    floor.tech.save(update_fields=["name"])
    call = gateway.inbound_call(gateway.text(floor.tech.mobile, f"{incident.number}"), URL)
    assert "<Tom" not in post(call).content.decode()


def test_without_a_public_address_the_gateway_is_asked_and_the_answer_texted(floor, incident, gateway):
    gateway.text(floor.tech.mobile, f"ok {incident.number}")
    assert polling.poll() == 1
    assert fresh(incident).owner == floor.tech
    (reply,) = gateway.texts_to(floor.tech.mobile)
    assert f"you have INC-{incident.number}" in reply


def test_asking_again_neither_acts_nor_answers_again(floor, incident, gateway):
    gateway.text(floor.tech.mobile, f"{incident.number} spare is in")
    assert [polling.poll() for _unused in range(3)] == [1, 0, 0]
    assert fresh(incident).updates.count() == 1
    assert len(gateway.texts_to(floor.tech.mobile)) == 1


def test_what_the_gateway_has_posted_is_not_answered_by_the_poll(floor, incident, gateway):
    message = gateway.text(floor.tech.mobile, f"ok {incident.number}")
    post(gateway.inbound_call(message, URL))
    assert polling.poll() == 0
    assert gateway.texts_to(floor.tech.mobile) == []


def test_a_gateway_that_is_down_loses_no_answer(floor, incident, gateway, monkeypatch):
    gateway.text(floor.tech.mobile, f"ok {incident.number}")
    gateway.down = True
    assert polling.poll() == 0
    gateway.down = False
    assert polling.poll() == 0, "it rests"
    monkeypatch.setattr(polling, "_rests_until", {})
    assert polling.poll() == 1
    assert Inbound.objects.get().did == Did.TOOK_IT


def test_an_answer_that_the_gateway_refuses_is_not_tried_for_ever(floor, incident, gateway):
    gateway.text(floor.tech.mobile, f"ok {incident.number}", to=NUMBER)
    gateway.refuse[floor.tech.mobile] = 21610
    polling.poll()
    polling.poll()
    posts = [one for one in gateway.requests if one.startswith("POST")]
    assert len(posts) == 1
