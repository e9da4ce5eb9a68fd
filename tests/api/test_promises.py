"""Promises by API: the list for everybody, a person's own only for who may, and the verbs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from countermeasures.models import Promise
from countermeasures.promises import lifecycle as promises
from countermeasures.promises.models import PromiseKind
from incidents import lifecycle
from plant.models import Role
from tests.api.calls import program
from tests.factories import Floor, make_person, make_site, plan_fix, raise_

URL = "/api/v1/promises/"


@pytest.fixture
def promise(floor: Floor) -> Promise:
    now = timezone.now()
    due_on = now.astimezone(floor.site.tz).date() + timedelta(days=3)
    found = plan_fix(floor, raise_(floor, now=now), due_on=due_on, now=now)
    return Promise.objects.get(countermeasure=found, kind=PromiseKind.FIX)


def test_whom_the_incident_waits_on_is_said_in_the_list_and_in_the_ledger(
    floor: Floor, promise: Promise, django_assert_num_queries: Any
) -> None:
    assert program(floor.operator).get(URL).json()["results"][0]["waits_on"] == ""
    assert promise.incident is not None
    until = timezone.now() + timedelta(days=2)
    lifecycle.acknowledge(promise.incident.number, by=floor.tech)
    lifecycle.wait_on(promise.incident.number, by=floor.tech, on="vendor", name="Label maker", until=until)
    said = program(floor.operator).get(URL).json()["results"][0]
    assert (said["waits_on"], parse_datetime(said["waits_until"])) == ("Label maker", until)
    client = Client()
    client.force_login(floor.operator)
    for path in ("/promises/", f"/promises/{promise.pk}/"):
        assert "Label maker" in client.get(path).content.decode(), path
    line = Promise.objects.for_ledger().get(pk=promise.pk)
    with django_assert_num_queries(0):
        assert line.waits_on and line.waits_until


def test_the_list_says_who_promised_what_and_by_when(floor: Floor, promise: Promise) -> None:
    said = program(floor.operator).get(URL).json()["results"]
    assert [(one["person"], one["kind"], one["outcome"]) for one in said] == [
        (floor.tech.username, "fix", "open")
    ]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.IT_TECH, 200),
        (Role.IT_LEAD, 200),
        (Role.IT_MANAGER, 200),
        (Role.PRODUCTION_MANAGER, 200),
        (Role.MATERIALS_MANAGER, 200),
        (Role.PLANT_MANAGER, 200),
        (Role.IT_DIRECTOR, 200),
        (Role.IT_SPECIALIST, 403),
        (Role.SUPERVISOR, 403),
        (Role.TEAM_LEADER, 403),
        (Role.DEPT_MANAGER, 403),
        (Role.SUPPORT, 403),
    ],
)
def test_the_list_of_one_person_is_for_them_their_lead_and_managers(
    floor: Floor, promise: Promise, role: Role, status: int
) -> None:
    caller = program(floor.who(role))
    assert caller.get(URL, {"person": floor.tech.username}).status_code == status
    seen = [row["person"] for row in caller.get(f"{URL}people/").json()]
    assert (floor.tech.username in seen) == (status == 200)


def test_a_new_date_and_what_is_in_the_way(floor: Floor, promise: Promise) -> None:
    caller = program(floor.tech)
    day = (promise.due_at + timedelta(days=9)).date().isoformat()
    said = caller.post(f"{URL}{promise.pk}/new-date/", {"due_on": day, "reason": "Part is late"}).json()
    assert (said["due_on"], said["moved"], said["slipped"]) == (day, 1, False)
    said = caller.post(f"{URL}{promise.pk}/in-the-way/", {"in_the_way": "part"}).json()
    assert said["in_the_way"] == "part"
    assert caller.post(f"{URL}{promise.pk}/new-date/", {"due_on": day}).status_code == 400


def test_keeping_it_needs_the_evidence_that_the_countermeasure_needs(floor: Floor, promise: Promise) -> None:
    caller = program(floor.tech)
    assert caller.post(f"{URL}{promise.pk}/keep/", {}).status_code == 400
    assert caller.post(f"{URL}{promise.pk}/keep/", {"words": "Seen"}).json()["outcome"] == "kept"


def test_promises_of_another_site_do_not_exist(promise: Promise) -> None:
    stranger = program(make_person("Stranger", roles=[Role.IT_MANAGER], site=make_site()))
    assert stranger.get(URL).json()["results"] == []
    assert stranger.post(f"{URL}{promise.pk}/keep/", {"words": "x"}).status_code == 404
    assert stranger.post(f"{URL}{promise.pk}/in-the-way/", {"in_the_way": "part"}).status_code == 403


def test_promises_are_narrowed_by_team_incident_and_day(floor: Floor, promise: Promise) -> None:
    caller = program(floor.manager)
    assert promise.incident is not None and promise.due_on is not None
    number, after = promise.incident.number, promise.due_on + timedelta(days=1)

    def found(**query: Any) -> int:
        return len(caller.get(URL, {"kind": "fix", **query}).json()["results"])

    assert (found(team="it"), found(team="floor")) == (1, 0)
    assert (found(incident=number), found(incident=number + 1)) == (1, 0)
    assert (found(due_before=after), found(due_before=promise.due_on)) == (1, 0)
    assert caller.get(URL, {"team": "nobody"}).status_code == 400


@pytest.mark.parametrize(
    ("role", "lists"),
    [
        (Role.IT_TECH, True),
        (Role.IT_LEAD, True),
        (Role.PRODUCTION_MANAGER, True),
        (Role.IT_SPECIALIST, False),
        (Role.SUPERVISOR, False),
        (Role.TEAM_LEADER, False),
        (Role.SUPPORT, False),
    ],
)
def test_what_ended_late_is_listed_by_name_only_to_who_sees_the_row_and_counted_for_all(
    floor: Floor, promise: Promise, role: Role, lists: bool
) -> None:
    caller = program(floor.who(role))
    late = promise.due_at + timedelta(hours=1)
    promises.say_why(promise.pk, by=floor.tech, in_the_way="part", now=late)
    assert len(caller.get(URL).json()["results"]) == 1, "what is open is for everybody"
    promises.keep(promise.pk, by=floor.tech, now=late)
    for asked in ({}, {"outcome": "late"}, {"site": floor.site.code}):
        assert bool(caller.get(URL, asked).json()["results"]) == lists
    page = Client()
    page.force_login(floor.who(role))
    assert caller.get(f"{URL}{promise.pk}/").status_code == (200 if lists else 404)
    assert page.get(f"/promises/{promise.pk}/").status_code == (200 if lists else 403)
    numbers = caller.get(f"{URL}numbers/").json()
    assert (numbers["kept"], numbers["late"], numbers["open"]) == (0, 1, 0)
    assert numbers["in_the_way"] == [{"reason": "A part or a delivery", "count": 1}]
    assert caller.get(f"{URL}numbers/", {"team": "production"}).json()["late"] == 0
