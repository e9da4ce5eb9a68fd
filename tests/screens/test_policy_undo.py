"""An override is taken back on a screen: what it changes is said before, who and why stays afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.defaults import DEFAULT_CLOCKS
from escalation.models import Policy
from escalation.policies import publish, withdraw
from tests import factories as make
from tests.screens.reading import labels, words
from tests.screens.test_policy_editor import fields_of

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]

SLOWER = {
    **DEFAULT_CLOCKS["S1"],
    "response": [{**step, "after": step["after"] * 2} for step in DEFAULT_CLOCKS["S1"]["response"]],
}


@pytest.fixture
def override(world: Any) -> Policy:
    return publish(by=world["hutchins"], severity="S1", clocks=SLOWER, why="Slower", area=world.area)


def undo(policy: Policy) -> str:
    return f"/setup/policies/{policy.pk}/as-elsewhere/"


def test_it_is_offered_where_an_override_is_read_and_changed(world: Any, as_: As, override: Policy) -> None:
    client = as_("hutchins")
    for address in ("", f"{override.pk}/", f"{override.pk}/edit/"):
        assert "Do as everywhere else" in labels(client.get(f"/setup/policies/{address}")), address
    usual = Policy.objects.current().get(severity="S1", site=None)
    for address in (f"{usual.pk}/", f"{usual.pk}/edit/"):
        assert "Do as everywhere else" not in labels(client.get(f"/setup/policies/{address}")), address
    assert "Do as everywhere else" not in labels(as_("brandt").get("/setup/policies/"))


def test_what_would_change_is_said_before(world: Any, advance: Any, as_: As, override: Policy) -> None:
    said = words(as_("hutchins").get(undo(override)))
    assert "Then what holds everywhere holds here too, now version 1" in said
    assert "After 5 min (was: after 10 min)" in said and "No incident is running under it." in said
    world.raise_it()
    advance(minutes=1)
    assert "1 incident is running under it and keeps it." in words(as_("hutchins").get(undo(override)))


def test_it_is_taken_back_with_a_reason_that_stays_in_the_history(
    world: Any, as_: As, override: Policy
) -> None:
    client = as_("hutchins")
    asked = {"seen": "1", "why": "Wrong area"}
    done = client.post(undo(override), asked)
    assert done.headers["Location"] == f"/setup/policies/?site={world.site.code}"
    page = words(client.get(done.headers["Location"]))
    assert f"Taken back. {world.area} does as everywhere else from now on." in page
    assert f"Different for {world.area}" not in page and f"It was different for {world.area} until" in page
    history = words(client.get(f"/setup/policies/{override.pk}/"))
    assert "Taken back by Hutchins" in history and "“Wrong area”" in history and "“Slower”" in history
    assert client.post(undo(override), asked).status_code == 409
    assert client.get(undo(override)).headers["Location"] == f"/setup/policies/{override.pk}/"


def test_without_a_reason_nothing_is_taken_back(as_: As, override: Policy) -> None:
    page = as_("hutchins").post(undo(override), {"seen": "1", "why": " "})
    assert page.status_code == 400 and 'id="why-wrong"' in page.content.decode()
    assert Policy.objects.current().filter(pk=override.pk).exists()


@pytest.mark.parametrize("seen", ["1", "", "x", "9" * 30])
def test_who_asked_before_somebody_published_sees_the_new_version(
    world: Any, as_: As, override: Policy, seen: str
) -> None:
    publish(by=None, severity="S1", clocks=SLOWER, why="Even slower", area=world.area)
    page = as_("hutchins").post(undo(override), {"seen": seen, "why": "Wrong area"})
    assert page.status_code == 409 and "Even slower" in words(page) and "Wrong area" in page.content.decode()
    assert 'name="seen" value="2"' in page.content.decode()


def test_who_edits_while_somebody_takes_it_back_loses_nothing(world: Any, as_: As, override: Policy) -> None:
    client, address = as_("hutchins"), f"/setup/policies/{override.pk}/edit/"
    data = fields_of(client.get(address)) | {"why": "Nights", "response-1-after": "7", "do": "publish"}
    withdraw(override, by=world["hutchins"], why="Wrong area")
    page = client.post(address, data)
    assert page.status_code == 409
    assert "Taken back meanwhile" in words(page) and "“Wrong area”" in words(page)
    assert "After 7 min (was: after 5 min)" in words(page)  # against what holds there now
    again = fields_of(page) | {"do": "publish"}
    assert client.post(address, again).status_code == 302
    made = Policy.objects.current().get(area=world.area)
    assert (made.version, made.why) == (2, "Nights")
    assert "It was different" not in words(client.get("/setup/policies/"))


@pytest.mark.parametrize("name", ["brandt", "tillery", "vela"])
def test_only_who_may_publish_there_takes_it_back(as_: As, override: Policy, name: str) -> None:
    assert as_(name).get(undo(override)).status_code == 403
    assert as_(name).post(undo(override), {"seen": "1", "why": "No"}).status_code == 403
    assert Policy.objects.current().filter(pk=override.pk).exists()


def test_the_list_needs_as_many_queries_for_many_taken_back_as_for_one(world: Any, as_: As) -> None:
    client = as_("hutchins")

    def queries(places: int) -> int:
        for _n in range(places):
            area = make.make_area(site=world.site)
            gone = publish(by=None, severity="S1", clocks=SLOWER, why="x", area=area)
            withdraw(gone, by=None, why="x")
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/setup/policies/").status_code == 200
        return len(seen)

    queries(1)
    assert queries(1) == queries(3)
