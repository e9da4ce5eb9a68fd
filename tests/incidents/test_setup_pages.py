"""Setup: an IT manager changes tiles and numbers; incidents and countermeasures are only read there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from incidents.models import Category, Incident, SeverityRule, Status
from plant.models import Person, Role
from tests.factories import Floor, make_floor, raise_, reach


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def manager(floor: Floor) -> Client:
    return browser(floor.who(Role.IT_MANAGER))


READ_ONLY = ["incidents_incident", "countermeasures_countermeasure", "countermeasures_cause"]
PAGES = ["incidents_category", "incidents_severityrule", *READ_ONLY]


@pytest.mark.parametrize("page", PAGES)
def test_an_it_manager_finds_every_list(floor: Floor, manager: Client, page: str) -> None:
    reach(floor, Status.CLOSED)
    assert manager.get(reverse(f"admin:{page}_changelist")).status_code == 200


@pytest.mark.parametrize("role", [Role.IT_LEAD, Role.PRODUCTION_MANAGER, Role.SUPERVISOR])
def test_nobody_else_comes_in(floor: Floor, role: Role) -> None:
    answer = browser(floor.who(role)).get(reverse("admin:incidents_severityrule_changelist"))
    assert answer.status_code in (302, 403)


def numbers_of(severity: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    rule, _new = SeverityRule.objects.get_or_create(severity=severity)
    body = {"update_every_minutes": "20", "bandage_days": "5", "proving_days": "45", **changes}
    return reverse("admin:incidents_severityrule_change", args=[rule.pk]), body


def test_the_numbers_of_a_severity_are_a_setting(manager: Client) -> None:
    assert manager.post(*numbers_of("S1")).status_code == 302
    rule = SeverityRule.of("S1")
    assert (rule.update_every_minutes, rule.bandage_days, rule.proving_days) == (20, 5, 45)


def test_how_long_the_same_again_is_a_repeat_is_a_setting(manager: Client) -> None:
    assert manager.post(*numbers_of("S1", repeat_days="120")).status_code == 302
    assert SeverityRule.of("S1").repeat_days == 120
    assert manager.post(*numbers_of("S1", repeat_days="")).status_code == 302
    assert SeverityRule.of("S1").repeat_days == 120


def test_no_word_owed_is_an_empty_field(manager: Client) -> None:
    assert manager.post(*numbers_of("S3", update_every_minutes="")).status_code == 302
    assert SeverityRule.of("S3").update_every is None


@pytest.mark.parametrize(
    "changes",
    [
        {"update_every_minutes": "0"},
        {"bandage_days": "0"},
        {"proving_days": "0"},
        {"bandage_days": "1000"},
        {"proving_days": ""},
        {"repeat_days": "0"},
    ],
)
def test_a_number_that_makes_no_sense_is_refused(manager: Client, changes: dict[str, str]) -> None:
    before = SeverityRule.of("S1").bandage_days
    assert manager.post(*numbers_of("S1", **changes)).status_code == 200
    assert SeverityRule.of("S1").bandage_days == before


def test_a_severity_is_neither_added_nor_removed(manager: Client) -> None:
    where, _body = numbers_of("S1")
    assert manager.get(reverse("admin:incidents_severityrule_add")).status_code == 403
    assert manager.post(where.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_a_tile_is_added_and_switched_off(floor: Floor, manager: Client) -> None:
    tile = {"code": "robot", "name": "Robot", "name_es": "Robot", "icon": "i-robot", "position": "5"}
    assert manager.post(reverse("admin:incidents_category_add"), tile).status_code == 302
    made = Category.objects.get(code="robot")
    assert not made.is_active  # the box was not ticked
    assert manager.post(reverse("admin:incidents_category_delete", args=[made.pk])).status_code == 403


@pytest.mark.parametrize("page", READ_ONLY)
def test_what_the_verbs_change_is_not_changed_here(floor: Floor, manager: Client, page: str) -> None:
    incident = reach(floor, Status.CLOSED)
    pk = {
        "incidents_incident": incident.pk,
        "countermeasures_countermeasure": incident.countermeasures.all()[0].pk,
        "countermeasures_cause": incident.cause.pk,  # type: ignore[attr-defined]
    }[page]
    before = Incident.objects.filter(pk=incident.pk).values().get()
    where = reverse(f"admin:{page}_change", args=[pk])
    assert manager.get(where).status_code == 200
    assert manager.post(where, {"status": "raised", "title": "Never happened"}).status_code == 403
    assert manager.get(reverse(f"admin:{page}_add")).status_code == 403
    assert manager.post(reverse(f"admin:{page}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert Incident.objects.filter(pk=incident.pk).values().get() == before


def test_not_even_a_superuser_changes_an_incident_here(floor: Floor) -> None:
    floor.operator.is_superuser = floor.operator.is_staff = True
    floor.operator.save()
    where = reverse("admin:incidents_incident_change", args=[raise_(floor).pk])
    assert browser(floor.operator).post(where, {"title": "x"}).status_code == 403


def test_another_sites_incidents_are_not_shown(floor: Floor, manager: Client) -> None:
    other = raise_(make_floor())
    assert other.code not in manager.get(reverse("admin:incidents_incident_changelist")).content.decode()
    where = reverse("admin:incidents_incident_change", args=[other.pk])
    assert manager.get(where).status_code == 302
