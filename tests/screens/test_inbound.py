"""The page that shows IT managers what came in."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from escalation.inbound.sms import take_sms
from plant.models import Role
from tests.factories import NOW, Floor, make_person, make_site, raise_

pytestmark = pytest.mark.django_db


def page(person, query: str = "") -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(f"/setup/inbound/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_message_shows_who_sent_it_what_it_did_and_what_was_answered(floor: Floor):
    incident = raise_(floor)
    take_sms(sender=floor.tech.mobile, text=f"ok {incident.number}", reference="1", provider="x", now=NOW)
    take_sms(sender="+4917012345", text="<b>hm", reference="2", provider="x", now=NOW)
    shown = page(floor.who(Role.IT_MANAGER))
    assert incident.code in shown
    assert "Took it" in shown
    assert f"you have {incident.code}" in shown
    assert "From nobody we know" in shown
    assert "&lt;b&gt;hm" in shown
    unclear = page(floor.who(Role.IT_MANAGER), "?show=unclear")
    assert "Took it" not in unclear
    assert "From nobody we know" in unclear


def test_nothing_yet_says_so(floor: Floor):
    assert "Nothing came in yet" in page(floor.who(Role.IT_MANAGER))


def test_only_an_it_manager_reads_it(floor: Floor):
    client = Client()
    client.force_login(floor.tech)
    assert client.get("/setup/inbound/").status_code == 403


def test_another_sites_messages_stay_there(floor: Floor):
    incident = raise_(floor)
    take_sms(sender=floor.tech.mobile, text=f"{incident.number}", reference="1", provider="x", now=NOW)
    stranger = make_person("Other", roles=[Role.IT_MANAGER], site=make_site())
    assert incident.code not in page(stranger)


def test_programs_read_the_same(floor: Floor):
    incident = raise_(floor)
    take_sms(sender=floor.tech.mobile, text=f"ok {incident.number}", reference="1", provider="x", now=NOW)
    take_sms(sender="+4917012345", text="hm", reference="2", provider="x", now=NOW)
    client = APIClient()
    client.force_authenticate(floor.who(Role.IT_MANAGER))
    unknown, took = client.get("/api/v1/inbound/").json()["results"]
    assert (took["did"], took["incident"], took["person"]["username"]) == (
        "took_it",
        incident.number,
        floor.tech.username,
    )
    assert (unknown["did"], unknown["person"], unknown["incident"]) == ("unknown_sender", None, None)
    (unclear,) = client.get("/api/v1/inbound/?show=unclear&channel=sms").json()["results"]
    assert unclear == unknown
    assert client.get("/api/v1/inbound/?channel=email").json()["results"] == []
    client.force_authenticate(floor.tech)
    assert client.get("/api/v1/inbound/").status_code == 403
