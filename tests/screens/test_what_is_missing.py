"""The closing refusal on the screen: exactly what is missing, and where each of it is done."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from incidents.lifecycle.closing import what_is_missing
from incidents.models import Incident, Status
from tests.factories import Floor, fresh, place_fix, reach

pytestmark = pytest.mark.django_db


def listed(client: Client, incident: Incident) -> dict[str, str]:
    """Sentence → address."""
    page = client.get(incident.get_absolute_url()).content.decode()
    part = re.search(r'<ul class="missing">(.*?)</ul>', page, re.S)
    assert part
    links = re.findall(r'<a href="([^"]+)">(.*?)</a>', part[1])
    return {unescape(sentence): address for address, sentence in links}


def test_each_sentence_leads_to_where_it_is_done(client: Client, floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    client.force_login(floor.tech)
    found = listed(client, incident)
    assert list(found) == what_is_missing(fresh(incident), by=floor.tech)
    (bandage,) = incident.countermeasures.all()
    assert found["A countermeasure that stops it coming back is missing."].endswith("/countermeasures/add/")
    assert found["The bandage “Spare printer” is still on."] == bandage.get_absolute_url()
    assert found["Why it happened is not written yet."].endswith("/cause/")
    assert found["Why nothing caught it is not written yet."].endswith("/cause/")
    assert found["Somebody from the floor has to confirm that production runs."].endswith("/confirm/")
    for address in found.values():
        client.force_login(floor.supervisor)
        assert client.get(address).status_code == 200


def test_what_is_being_proved_leads_to_its_page(client: Client, floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    fix = place_fix(floor, incident)
    client.force_login(floor.tech)
    assert listed(client, incident)[f"“{fix.what}” is not proved yet."] == fix.get_absolute_url()
