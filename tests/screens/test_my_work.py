"""My work: the one job that presses most, what was promised, and who can help."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from countermeasures import lifecycle as fixes
from incidents import lifecycle
from incidents.models import Incident, Status
from tests.factories import fresh
from tests.screens.reading import labels, poll, words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]


def take(world: Any, incident: Incident, name: str = "vela") -> Incident:
    return lifecycle.acknowledge(incident.number, by=world[name], now=world.now)


def test_nothing_to_do_says_so(world: Any, as_: As) -> None:
    assert "Nothing needs you" in words(as_("vela").get("/work/"))


def test_the_job_is_what_is_not_moving_and_runs_out_next(world: Any, as_: As) -> None:
    moving = take(world, world.raise_it(title="Moving"))
    lifecycle.contain(moving.number, by=world["vela"], what="Spare printer", now=world.now)
    take(world, world.raise_it("at_risk", title="Later", cover_until=world.now + timedelta(hours=3)))
    soon = take(world, world.raise_it("at_risk", title="Now", cover_until=world.now + timedelta(hours=1)))
    response = as_("vela").get("/work/")
    assert response.context["job"].incident == soon
    assert [one.incident.title for one in response.context["next"]] == ["Later", "Moving"]


def test_the_clock_is_huge_and_says_until_whom(world: Any, advance: Advance, as_: As) -> None:
    take(world, world.raise_it())
    advance(minutes=12)
    text = words(as_("vela").get("/work/"))
    assert "3:00 until Kowal and Brandt are told" in text and "Open 12 min." in text


def test_my_last_word_is_shown_as_mine(world: Any, as_: As) -> None:
    incident = take(world, world.raise_it())
    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="Blank",
        actions="New head",
        needs="No needs",
        now=world.now,
    )
    world.now += timedelta(minutes=4)
    assert "You said, 4 min ago New head" in words(as_("vela").get("/work/"))


def test_what_nobody_has_is_offered_to_whoever_was_told(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it()
    advance(minutes=1)
    response = as_("vela").get("/work/")
    assert "Nobody has this yet, and you were told." in words(response)
    assert "I’ll take it" in labels(response)
    assert "Nothing needs you" in words(as_("ishida").get("/work/"))  # off shift, not told
    as_("vela").post(f"/incidents/{incident.number}/acknowledge/", {"next": "/work/"})
    assert fresh(incident).status == Status.ACKNOWLEDGED


def test_being_asked_to_take_it_makes_it_my_job(world: Any, as_: As) -> None:
    incident = take(world, world.raise_it())
    lifecycle.assign(incident.number, by=world["brandt"], to=world["kowal"], now=world.now)
    response = as_("kowal").get("/work/")
    assert "You were asked to take this." in words(response) and "I’ll take it" in labels(response)


def test_what_i_promised_is_in_the_order_in_which_it_is_due(world: Any, as_: As) -> None:
    incident = take(world, world.raise_it())
    fixes.add(
        incident.number,
        by=world["vela"],
        kind="permanent",
        what="Order a spare",
        owner=world["vela"],
        due_on=world.now.date(),
        now=world.now,
    )
    text = words(as_("vela").get("/work/"))
    assert re.search(r"You promised Say what’s new INC-\d+ 10:30 Order a spare INC-\d+ Today", text)


def test_who_can_help_has_a_phone_number_and_is_never_oneself(world: Any, as_: As) -> None:
    take(world, world.raise_it(), "kowal")
    body = as_("kowal").get("/work/").content.decode()
    helpers = re.findall(r'href="tel:([^"]+)"', body)
    assert helpers == [world["brandt"].mobile]
    assert "IT lead, on shift now" in words(as_("kowal").get("/work/"))


def test_verbs_come_back_here(world: Any, as_: As) -> None:
    take(world, world.raise_it())
    assert "/update/?next=/work/" in as_("vela").get("/work/").content.decode()


def test_an_unchanged_page_is_answered_304(world: Any, as_: As) -> None:
    client = as_("vela")
    incident = world.raise_it()
    first = poll(client, "/work/", "work")
    assert poll(client, "/work/", "work", first.headers["ETag"]).status_code == 304
    take(world, incident)
    assert poll(client, "/work/", "work", first.headers["ETag"]).status_code == 200


def test_the_number_of_queries_does_not_grow_with_my_work(world: Any, advance: Advance, as_: As) -> None:
    client = as_("vela")
    for _n in range(2):
        take(world, world.raise_it("at_risk"))
    advance(minutes=1)
    client.get("/work/")
    with CaptureQueriesContext(connection) as few:
        client.get("/work/")
    for _n in range(15):
        take(world, world.raise_it("at_risk"))
    advance(minutes=1)
    with CaptureQueriesContext(connection) as many:
        client.get("/work/")
    assert len(many) == len(few) <= 40, [query["sql"][:100] for query in many]
