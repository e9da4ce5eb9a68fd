"""The figures beside the navigation say what the list, the board and the ledger call open."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from countermeasures import lifecycle as fixes
from countermeasures.board import Asked, board
from countermeasures.context import Counts
from countermeasures.models import Kind, Promise
from incidents.context import MOST
from incidents.models import Impact, Incident, Severity, Status
from plant.models import Person, Role
from tests.factories import NOW, Floor, make_floor, make_person, place_fix, plan_fix, raise_, reach

pytestmark = pytest.mark.django_db


@pytest.fixture
def far(floor: Floor) -> Floor:
    """Another site. At both: each status, practice, a fix that failed with a next try, one without."""
    far = make_floor(code="FAR")
    for place in (floor, far):
        for status in Status:
            reach(place, status)
        raise_(place, Impact.NONE)
        raise_(place, is_drill=True)
        for has_next_try in (True, False):
            failed = place_fix(place, reach(place, Status.CONTAINED))
            fixes.check(failed.pk, by=place.supervisor, effective=False, measured="Twice", now=NOW)
            if has_next_try:
                plan_fix(place, failed.incident)
        given_up = plan_fix(place, reach(place, Status.CONTAINED, Impact.AT_RISK))
        fixes.withdraw(given_up.pk, by=place.tech, reason="No budget", now=NOW)
    return far


def readers(here: Floor, far: Floor) -> list[Person]:
    everywhere = make_person("Everywhere", roles=[Role.IT_DIRECTOR], site=None)
    return [
        here.manager,
        here.tech,
        here.operator,
        far.manager,
        everywhere,
        make_person("Nowhere", site=None),
    ]


def figures(person: Person) -> dict[str, int]:
    known = Counts(person)
    return {name: getattr(known, name) for name in Counts.ROWS}


def what_the_pages_call_open(person: Person) -> dict[str, int]:
    opened = Incident.objects.open().visible_to(person).filter(is_drill=False)
    pressing = opened.filter(severity__in=(Severity.S1, Severity.S2))
    pressing = pressing.exclude(status__in=(Status.CONTAINED, Status.RESOLVED))
    site = person.site
    return {
        "open": opened.count(),
        "urgent": (pressing.at_site(site) if site else pressing).count(),
        "mine": opened.owned_by(person).count(),
        "countermeasures": board(Asked(), site=site, person=person, now=NOW).counts["open"] if site else 0,
        "promises": Promise.objects.open().filter(site=site).count() if site else 0,
    }


def test_the_figures_are_what_the_list_the_board_and_the_ledger_call_open(floor: Floor, far: Floor) -> None:
    for person in readers(floor, far):
        assert figures(person) == what_the_pages_call_open(person), person
    assert all(figures(floor.manager)[name] for name in ("open", "urgent", "countermeasures", "promises"))
    assert figures(floor.tech)["mine"]


def test_counting_stops_one_after_what_is_shown(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    for _each in range(MOST + 2):
        fixes.add(incident.number, by=floor.tech, kind=Kind.PREVENTIVE, what="Look", strength="warn", now=NOW)
    assert Counts(floor.manager).countermeasures == MOST + 1


def test_all_figures_are_one_query_and_stand_beside_their_pages(client: Client, floor: Floor) -> None:
    place_fix(floor, reach(floor, Status.CONTAINED), now=NOW - timedelta(days=1))
    assert figures(floor.manager)["open"] == 1  # and the reader's roles are read
    with CaptureQueriesContext(connection) as asked:
        figures(floor.manager)
    assert len(asked) == 1
    client.force_login(floor.manager)
    page = client.get("/promises/").content.decode()
    assert re.findall(r"(Incidents|Countermeasures)<b>(\d+)</b>", page) == [
        ("Incidents", "1"),
        ("Countermeasures", "2"),
    ]


def test_the_rail_of_the_floor_asks_for_its_one_figure_alone(floor: Floor) -> None:
    reach(floor, Status.ACKNOWLEDGED)
    assert Counts(floor.tech).mine == 1
    with CaptureQueriesContext(connection) as asked:
        assert Counts(floor.tech).mine == 1
    assert "severity" not in asked[0]["sql"]
