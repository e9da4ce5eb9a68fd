"""Answering a text message from the outbox: the whole loop without any account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.models import Delivery, Did, Inbound
from incidents import lifecycle
from incidents.models import Status
from tests.factories import fresh
from tests.screens.reading import poll, words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]


def text_to(name: str) -> Delivery:
    return Delivery.objects.filter(channel="sms", notification__person__username=name).latest("pk")


def answer(client: Client, name: str, text: str, reference: str = "r1") -> Any:
    asked = {"text": text, "reference": reference, "next": "/outbox/?channel=sms"}
    return client.post(f"/outbox/{text_to(name).pk}/reply/", asked)


def test_texting_the_number_back_takes_the_incident_and_shows_the_reply(
    world: Any, advance: Advance, as_: As
) -> None:
    incident, client = world.raise_it(), as_("tillery")
    advance(minutes=1)
    response = answer(client, "vela", str(incident.number))
    assert response.headers["Location"] == f"/outbox/?channel=sms#m-{text_to('vela').pk}"
    assert fresh(incident).status == Status.ACKNOWLEDGED and fresh(incident).owner == world["vela"]
    assert Inbound.objects.get().reply in words(client.get("/outbox/?channel=sms"))


def test_sending_it_twice_answers_once(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it()
    advance(minutes=1)
    for _n in range(2):
        answer(as_("tillery"), "vela", f"{incident.number} spare printer is in")
    assert Inbound.objects.count() == 1


def test_where_anything_really_goes_out_nobody_texts_back_from_here(
    world: Any, advance: Advance, as_: As, settings: Any
) -> None:
    incident = world.raise_it()
    advance(minutes=1)
    settings.EMAIL_URL = "smtp://mail.example:25"
    assert answer(as_("hutchins"), "vela", str(incident.number)).status_code == 404
    assert fresh(incident).status == Status.RAISED
    assert "replybox" not in as_("hutchins").get("/outbox/").content.decode()


def test_who_does_not_see_the_message_does_not_answer_it(world: Any, advance: Advance) -> None:
    from tests import factories as make

    incident = world.raise_it()
    advance(minutes=1)
    client = Client()
    client.force_login(make.make_person("Ola Stranger", site=make.make_site("ELSE")))
    assert answer(client, "vela", str(incident.number)).status_code == 404
    assert fresh(incident).status == Status.RAISED


def test_only_the_newest_text_to_a_number_has_a_box_and_an_open_page_learns_of_a_reply(
    world: Any, advance: Advance, as_: As
) -> None:
    incident, client = world.raise_it(), as_("tillery")
    world.raise_it()
    advance(minutes=1)
    mine = Delivery.objects.filter(channel="sms", notification__person=world["vela"])
    assert mine.count() == 2
    page = poll(client, "/outbox/?person=vela&channel=sms", "messages")
    assert page.content.decode().count('class="replybox"') == 1
    answer(client, "vela", str(incident.number))
    again = poll(client, "/outbox/?person=vela&channel=sms", "messages", page.headers["ETag"])
    assert again.status_code == 200


def test_answers_cost_one_query_however_many(world: Any, advance: Advance, as_: As) -> None:
    incident, client = world.raise_it(), as_("tillery")
    advance(minutes=1)
    client.get("/outbox/")
    with CaptureQueriesContext(connection) as none:
        client.get("/outbox/")
    for number in range(5):
        answer(client, "vela", f"{incident.number} word {number}", reference=str(number))
    with CaptureQueriesContext(connection) as some:
        client.get("/outbox/")
    assert len(some) == len(none)


def test_a_mail_is_answered_from_the_outbox_as_from_a_mailbox(world: Any, advance: Advance, as_: As) -> None:
    incident, client = world.raise_it(), as_("tillery")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=31)
    sent = Delivery.objects.filter(channel="email", notification__person=world["tillery"]).latest("pk")
    for _n in range(2):
        client.post(f"/outbox/{sent.pk}/reply/", {"text": "Hold the 11:40 shuttle", "reference": "r1"})
    heard = Inbound.objects.get()
    assert (heard.person, heard.incident, heard.did) == (world["tillery"], incident, Did.WORDS)
    page = words(client.get(f"/outbox/?mail={sent.pk}"))
    assert "Hold the 11:40 shuttle" in page and str(Did.WORDS.label) in page
    assert incident.events.filter(words="Hold the 11:40 shuttle", by=world["tillery"]).count() == 1
