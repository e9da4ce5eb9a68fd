"""The page that shows IT managers what came in."""

from __future__ import annotations

import pytest
from django.test import Client

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
