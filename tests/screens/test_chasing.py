"""When people are asked about promises: a page and a call for the IT manager, and lines on the timeline."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from countermeasures import lifecycle as fixes
from countermeasures.models import Promise
from escalation.models import Chase, ChaseRule, TimerState
from plant.models import Person, Role
from tests.api.calls import get, program
from tests.factories import Floor, plan_fix, raise_

URL = "/setup/promises/"
HOURS = {"before": 24, "lead_after": 24, "it_manager_after": 72, "managers_after": 168, "again_every": 168}


def of(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_the_it_manager_changes_it_and_open_promises_are_planned_anew(floor: Floor) -> None:
    plan_fix(floor, raise_(floor))
    Promise.objects.update(is_unread=False)
    manager = of(floor.who(Role.IT_MANAGER))
    assert 'value="48"' in manager.get(URL).content.decode()
    assert manager.post(URL, HOURS).status_code == 302
    assert ChaseRule.objects.get(site=floor.site).before == 24
    assert set(Promise.objects.values_list("is_unread", flat=True)) == {True}


def test_managers_never_hear_before_the_lead(floor: Floor) -> None:
    answer = of(floor.who(Role.IT_MANAGER)).post(URL, {**HOURS, "managers_after": 10})
    assert answer.status_code == 400
    assert "Each of these has to come later than the one before it." in answer.content.decode()
    assert not ChaseRule.objects.exists()


@pytest.mark.parametrize("role", [Role.IT_LEAD, Role.PRODUCTION_MANAGER, Role.IT_TECH])
def test_nobody_else_changes_it(floor: Floor, role: Role) -> None:
    person = floor.who(role)
    assert of(person).post(URL, HOURS).status_code == 403
    where = f"/api/v1/escalation/promise-schedules/{floor.site.code}/"
    assert program(person).put(where, HOURS).status_code == 403


def test_programs_read_and_change_it_by_the_same_verb(floor: Floor) -> None:
    manager = floor.who(Role.IT_MANAGER)
    where = f"escalation/promise-schedules/{floor.site.code}/"
    assert get(floor.tech, where).json() == {"site": floor.site.code, **HOURS, "before": 48}
    assert program(manager).put(f"/api/v1/{where}", {"before": 12}).json()["before"] == 12
    wrong = program(manager).put(f"/api/v1/{where}", {"lead_after": 100})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "not_upward")


def test_each_question_is_a_line_of_the_timeline_and_the_page_says_the_next(
    world: Any, advance: Any, as_: Any
) -> None:
    incident = world.raise_it("workaround")
    fixes.add(
        incident.number,
        by=world["vela"],
        kind="permanent",
        what="Pin the driver of the print server",
        owner=world["vela"],
        due_on=world.now.date(),
        now=world.now,
    )
    advance(hours=24)
    said = as_("hutchins").get(f"/incidents/{incident.number}/?all=1").content.decode()
    assert "Asked about a promise: Pin the driver of the print server. Vela" in said
    promise = Promise.objects.get(kind="fix")
    armed = Chase.objects.get(promise=promise, state=TimerState.ARMED)
    Chase.objects.filter(pk=armed.pk).update(waits_for="Weekend")
    assert "It waits: Weekend" in as_("vela").get(f"/promises/{promise.pk}/").content.decode()
