"""Real threads on PostgreSQL: whoever comes second sees what the first one did, and nothing is done twice."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from incidents import lifecycle
from incidents.models import Event, EventKind, Impact, Incident, Status
from opsdesk.errors import Refused
from plant.models import Role
from tests.factories import Floor, fresh, make_floor, make_person, raise_, reach

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together; what each returned or raised."""
    start = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(n: int, call: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[n] = call()
        except Exception as error:
            results[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, call)) for n, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def floor() -> Floor:
    return make_floor()


def codes(results: list[Any]) -> list[str]:
    return sorted(result.code for result in results if isinstance(result, Refused))


def test_of_eight_technicians_one_gets_it(floor: Floor) -> None:
    incident = raise_(floor)
    techs = [make_person(f"Tech {n}", roles=[Role.IT_TECH], site=floor.site) for n in range(8)]
    results = at_once(
        *(lambda tech=tech: lifecycle.acknowledge(incident.number, by=tech) for tech in techs)  # type: ignore[misc]
    )
    assert codes(results) == ["already_taken"] * 7
    now = fresh(incident)
    assert (now.status, now.version) == (Status.ACKNOWLEDGED, 2)
    assert now.events.filter(kind=EventKind.ACKNOWLEDGED).get().by == now.owner


def test_a_double_tap_acknowledges_once(floor: Floor) -> None:
    incident, tech = raise_(floor), floor.tech
    results = at_once(*[lambda: lifecycle.acknowledge(incident.number, by=tech, seen_version=1)] * 6)
    assert all(isinstance(result, Incident) for result in results)
    assert incident.events.filter(kind=EventKind.ACKNOWLEDGED).count() == 1


def test_of_two_on_the_same_screen_the_second_is_told_it_is_stale(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    tech, lead = floor.tech, floor.who(Role.IT_LEAD)
    said: dict[str, Any] = {"conditions": "No labels", "actions": "Swapping", "needs": "No needs"}
    results = at_once(
        lambda: lifecycle.post_update(incident.number, by=tech, seen_version=2, **said),
        lambda: lifecycle.post_update(incident.number, by=lead, seen_version=2, **said),
    )
    assert codes(results) == ["stale"]
    assert incident.updates.count() == 1


def test_two_taps_on_product_is_moving_make_one_bandage(floor: Floor) -> None:
    incident, tech = reach(floor, Status.ACKNOWLEDGED), floor.tech
    results = at_once(*[lambda: lifecycle.contain(incident.number, by=tech, what="Spare printer")] * 4)
    assert codes(results) == ["wrong_status"] * 3
    assert incident.countermeasures.count() == 1


def test_a_resent_raise_is_one_incident_however_concurrently(floor: Floor) -> None:
    asked: dict[str, Any] = {
        "by": floor.operator,
        "category": floor.category,
        "impact": Impact.STOPPED,
        "station": floor.station,
        "client_id": uuid.uuid4(),
    }
    results = at_once(*[lambda: lifecycle.raise_incident(**asked)] * 8)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert sorted(is_new for _incident, is_new in results) == [False] * 7 + [True]
    assert len({incident.number for incident, _is_new in results}) == 1
    assert Incident.objects.count() == Event.objects.count() == 1


def test_raising_at_once_gives_different_numbers(floor: Floor) -> None:
    asked: dict[str, Any] = {
        "by": floor.operator,
        "category": floor.category,
        "impact": Impact.NONE,
        "line": floor.line,
    }
    results = at_once(*[lambda: lifecycle.raise_incident(**asked)] * 8)
    assert len({incident.number for incident, _is_new in results}) == 8


def test_different_verbs_at_once_all_leave_their_line(floor: Floor) -> None:
    incident, tech = reach(floor, Status.ACKNOWLEDGED), floor.tech
    people = [make_person(f"Person {n}", site=floor.site) for n in range(5)]
    results = at_once(
        lambda: lifecycle.contain(incident.number, by=tech, what="Spare printer"),
        *(
            lambda person=person: lifecycle.add_words(incident.number, by=person, words="It smokes")  # type: ignore[misc]
            for person in people
        ),
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    versions = list(incident.events.order_by("id").values_list("version", flat=True))
    assert versions == list(range(1, 9))
    assert fresh(incident).version == 8
