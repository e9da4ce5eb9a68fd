"""The page of one countermeasure: what, who, by when, how it is proved, and every change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures import lifecycle as fixes
from incidents.models import Status
from plant.models import Role
from tests.factories import Floor, make_person, make_site, place_fix, plan_fix, reach
from tests.screens.reading import labels, poll, words

pytestmark = pytest.mark.django_db

PAGE = "/countermeasures/{}/"


def opened(person: Any, pk: int) -> Any:
    client = Client()
    client.force_login(person)
    return client.get(PAGE.format(pk))


def test_it_says_what_who_when_and_how_we_will_know(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    said = words(opened(floor.manager, found.pk))
    for sentence in (
        "Pin the driver of the print server",
        "Stop it coming back",
        floor.tech.name,
        "It is prevented",
        "Print server shows 8.4 pinned",
        "Label queue stops",
        "Wanted: None",
        f"{floor.supervisor.name}, never the owner",
        found.incident.code,
    ):
        assert sentence in said


def test_every_change_is_shown_with_what_it_was_before(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    fixes.start(found.pk, by=floor.tech, owner=floor.who(Role.IT_LEAD), due_on=found.due_on)
    said = words(opened(floor.manager, found.pk))
    assert f"{floor.tech.name} agreed who does it and by when" in said
    assert f"Owner: {floor.tech.name} → {floor.who(Role.IT_LEAD).name}" in said


def test_each_sees_the_moves_that_are_theirs(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    assert "Does it hold?" in labels(opened(floor.supervisor, found.pk))
    assert "Does it hold?" not in labels(opened(floor.tech, found.pk))
    assert labels(opened(floor.operator, found.pk)) == []


def test_a_move_made_here_comes_back_here(floor: Floor, client: Client) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    client.force_login(floor.tech)
    address = f"/countermeasures/{found.pk}/withdraw/?next={found.get_absolute_url()}"
    form = client.get(address)
    assert f'name="next" value="{found.get_absolute_url()}"' in form.content.decode()
    answer = client.post(address, {"reason": "No budget", "next": found.get_absolute_url()})
    assert answer.headers["Location"] == found.get_absolute_url()


def test_a_move_never_leads_to_another_host(floor: Floor, client: Client) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    client.force_login(floor.tech)
    answer = client.post(
        f"/countermeasures/{found.pk}/withdraw/", {"reason": "No", "next": "https://elsewhere.example/"}
    )
    assert answer.headers["Location"] == found.incident.get_absolute_url()


def test_an_unchanged_page_is_answered_without_being_drawn(floor: Floor, client: Client) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    client.force_login(floor.manager)
    address = PAGE.format(found.pk)
    first = poll(client, address, "countermeasure-live")
    assert b"<html" not in first.content
    if poll(client, address, "countermeasure-live", first["ETag"]).status_code != 304:
        first = poll(client, address, "countermeasure-live")  # a minute ended in between
        assert poll(client, address, "countermeasure-live", first["ETag"]).status_code == 304
    fixes.start(found.pk, by=floor.tech, due_on=timezone.now().date() + timedelta(days=30), reason="No part")
    assert poll(client, address, "countermeasure-live", first["ETag"]).status_code == 200


def test_it_is_seen_at_its_site_only(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    stranger = make_person("Somebody Else", roles=[Role.IT_MANAGER], site=make_site())
    assert opened(stranger, found.pk).status_code == 403
    assert opened(floor.manager, 987654).status_code == 404
