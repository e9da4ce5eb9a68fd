"""How much the database is asked: a number per call that does not grow with what is in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation import engine
from incidents import lifecycle
from incidents.models import Impact, Status
from plant.models import Role
from tests.api.calls import program
from tests.factories import NOW, Floor, make_floor, raise_, reach


@pytest.fixture(autouse=True)
def _a_team(floor: Floor) -> None:
    for role in Role:
        floor.who(role)


def queries(client: Any, method: str, where: str, body: Any = None) -> list[str]:
    """The statements of one call; made once before, because a first call also fills caches."""
    getattr(client, method)(f"/api/v1/{where}", body)
    with CaptureQueriesContext(connection) as captured:
        answer = getattr(client, method)(f"/api/v1/{where}", body)
    assert answer.status_code in (200, 201), answer.json()
    return [query["sql"] for query in captured.captured_queries]


def test_raising_asks_the_same_however_much_there_is(floor: Floor) -> None:
    client = program(floor.tech)
    asked = {"station": floor.station.code, "category": floor.category.code, "impact": "stopped"}
    few = queries(client, "post", "incidents/", asked)
    for _n in range(10):
        reach(floor, Status.CONTAINED)
    engine.tick(NOW)
    many = queries(client, "post", "incidents/", asked)
    assert len(many) == len(few) <= 24, "\n".join(many)


def test_the_list_asks_the_same_for_one_and_for_many(floor: Floor) -> None:
    client = program(floor.tech)
    raise_(floor)
    engine.tick(NOW)
    few = queries(client, "get", "incidents/")
    for status in Status:
        for impact in (Impact.STOPPED, Impact.AT_RISK, Impact.WORKAROUND):
            reach(floor, status, impact)
    paused = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK)
    lifecycle.confirm_running(reach(floor, Status.CONTAINED).number, by=floor.supervisor)
    engine.tick(NOW)
    many = queries(client, "get", "incidents/")
    assert paused.pk
    assert len(many) <= len(few) + 3 <= 22, "\n".join(many)


def test_one_incident_asks_the_same_with_a_long_story(floor: Floor) -> None:
    client, incident = program(floor.tech), raise_(floor)
    engine.tick(NOW)
    few = queries(client, "get", f"incidents/{incident.number}/")
    for n in range(20):
        lifecycle.add_words(incident.number, by=floor.operator, words=f"Word {n}")
    many = queries(client, "get", f"incidents/{incident.number}/")
    assert len(many) == len(few) <= 20, "\n".join(many)


def test_the_timeline_asks_the_same_with_a_long_story(floor: Floor) -> None:
    client, incident = program(floor.tech), raise_(floor)
    few = queries(client, "get", f"incidents/{incident.number}/timeline/")
    for n in range(20):
        lifecycle.add_words(incident.number, by=floor.operator, words=f"Word {n}")
    many = queries(client, "get", f"incidents/{incident.number}/timeline/")
    assert len(many) == len(few) <= 5, "\n".join(many)


def test_the_roster_is_not_read_again_within_seconds(floor: Floor, settings: Any) -> None:
    settings.DUTY_BOOK_SECONDS = 60
    client = program(floor.tech)
    asked = {"station": floor.station.code, "category": floor.category.code, "impact": "stopped"}
    assert len(queries(client, "post", "incidents/", asked)) <= 15
    settings.DUTY_BOOK_SECONDS = 0
    assert len(queries(client, "post", "incidents/", asked)) > 16


def test_a_place_that_is_newer_than_the_roster_is_known(settings: Any) -> None:
    settings.DUTY_BOOK_SECONDS = 60
    for _n in range(2):
        floor = make_floor()
        for role in Role:
            floor.who(role)
        asked = {"station": floor.station.code, "category": floor.category.code, "impact": "stopped"}
        answer = program(floor.tech).post("/api/v1/incidents/", asked)
        people = {person["username"] for person in answer.json()["next_step"]["people"]}
        assert floor.tech.username in people


@pytest.mark.parametrize("verb", ["acknowledge", "arrive"])
def test_a_verb_asks_little(floor: Floor, verb: str) -> None:
    client, incident = program(floor.tech), raise_(floor)
    client.get(f"/api/v1/incidents/{incident.number}/")
    with CaptureQueriesContext(connection) as captured:
        client.post(f"/api/v1/incidents/{incident.number}/{verb}/", {})
    assert len(captured) <= 28, "\n".join(query["sql"] for query in captured.captured_queries)
