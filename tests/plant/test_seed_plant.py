"""The demo plant: all the file names is there, everybody can be reached, a second run adds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from plant.duty import DutyBook
from plant.models import Area, Flow, Line, Person, Role, RoleAssignment, Site, Station, System, Vendor
from plant.seed import seed_plant
from plant.working_time import WorkingTime
from tests.factories import DETROIT

FILE = Path(__file__).parents[2] / "escalation" / "demo" / "demo_plant.yaml"
TUESDAY = datetime(2026, 6, 2, 9, tzinfo=DETROIT)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(
    data: dict[str, Any], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, Any]]:
    """The file, with its plant built until the last test has run."""
    with django_db_blocker.unblock(), transaction.atomic():
        seed_plant(data, now=timezone.now())
        yield data
        transaction.set_rollback(True)


@pytest.fixture
def seeded(built: dict[str, Any], db: None) -> dict[str, Any]:
    """The plant as it was built; what the test does to it is undone."""
    return built


def test_everything_the_file_names_is_there(seeded: dict[str, Any]) -> None:
    assert Site.objects.count() == len(seeded["sites"])
    assert Person.objects.count() == len(seeded["people"])
    assert Vendor.objects.filter(contacts__is_escalation=True).count() == len(seeded["vendors"])
    assert System.objects.count() == len(seeded["systems"])
    assert (Area.objects.count(), Line.objects.count(), Station.objects.count()) == (9, 16, 44)


def test_a_second_run_adds_nothing_and_keeps_passwords(seeded: dict[str, Any]) -> None:
    def rows() -> dict[str, list[Any]]:
        models = apps.get_app_config("plant").get_models()
        return {model.__name__: sorted(model.objects.values_list("pk", flat=True)) for model in models}  # type: ignore[attr-defined]

    before = rows()
    vela = Person.objects.get(username="vela")
    vela.set_password("my own words")
    vela.save()
    seed_plant(seeded, now=timezone.now())
    assert rows() == before
    assert Person.objects.get(username="vela").check_password("my own words")


def test_everybody_can_sign_in_and_be_reached(seeded: dict[str, Any], settings: Any) -> None:
    for person in Person.objects.all():
        person.full_clean(exclude=["password"])
        assert person.mobile and person.email
    assert Person.objects.get(username="okafor").check_password(settings.DEMO_PASSWORD)
    assert Person.objects.get(username="okafor").mobile == "+13135550101"
    assert set(Person.objects.filter(language="es").values_list("username", flat=True)) == {"jimenez", "cruz"}


def test_a_few_numbers_and_addresses_are_not_verified_yet(seeded: dict[str, Any]) -> None:
    untried = Person.objects.filter(Q(mobile_verified_at=None) | Q(email_verified_at=None))
    assert set(untried.values_list("username", flat=True)) == {"ellis", "kowalczyk", "vance"}


def test_roles_are_held_for_the_right_places(seeded: dict[str, Any]) -> None:
    expected: dict[str, tuple[Role, dict[str | None, list[str]]]] = {
        "vela": (Role.IT_TECH, {"MBK": [], "DSC": []}),
        "tillery": (Role.PRODUCTION_MANAGER, {"MBK": [], "DSC": []}),
        "prewitt": (Role.MATERIALS_MANAGER, {"MBK": [], "DSC": []}),
        "fairbanks": (Role.IT_DIRECTOR, {None: []}),
        "jimenez": (Role.SUPERVISOR, {"MBK": ["MBK-ASM", "MBK-PNT"]}),
        "baptiste": (Role.SUPERVISOR, {"MBK": ["MBK-MLD"]}),
        "pruitt": (Role.SUPERVISOR, {"MBK": ["MBK-RCV", "MBK-SHP"]}),
        "petty": (Role.TEAM_LEADER, {"MBK": ["MBK-ASM"]}),
        "ellis": (Role.TEAM_LEADER, {"MBK": ["MBK-RCV"]}),
        "adair": (Role.SUPERVISOR, {"DSC": []}),
        "rahimi": (Role.SUPPORT, {"MBK": []}),
    }
    for username, (role, where) in expected.items():
        held = RoleAssignment.objects.filter(person__username=username, role=role).select_related("site")
        assert held.count() == Person.objects.get(username=username).role_assignments.count(), username
        found = {one.site and one.site.code: sorted(area.code for area in one.areas.all()) for one in held}
        assert found == where, username


def test_each_line_serves_its_flow(seeded: dict[str, Any]) -> None:
    expected = {
        "SHP-DOCK": Flow.SHIPPING,
        "RCV-DOCK": Flow.RECEIVING,
        "RCV-HB": Flow.MATERIAL_MOVES,
        "WHS-01": Flow.SHIPPING,
        "SEQ-A": Flow.SHIPPING,
        "QLB-01": Flow.RECORDS,
        "ASM-D1": Flow.PRODUCTION,
        "INF-SRV": Flow.PRODUCTION,
    }
    assert dict(Line.objects.filter(code__in=expected).values_list("code", "flow")) == expected


def test_a_station_depends_on_the_systems_behind_its_devices(seeded: dict[str, Any]) -> None:
    station = Station.objects.get(code="ASM-D1-060")
    assert set(station.systems.values_list("code", flat=True)) == {"label", "scan"}
    assert not Station.objects.filter(systems=None).exists()


def test_on_a_tuesday_the_right_people_are_on_duty(seeded: dict[str, Any]) -> None:
    expected = [
        (Role.IT_TECH, "ASM-D1-060", 9, {"vela"}),
        (Role.IT_TECH, "ASM-D1-060", 15, {"ishida"}),
        (Role.IT_TECH, "SEQ-A-010", 15, {"ishida"}),
        (Role.SUPERVISOR, "ASM-D1-060", 9, {"jimenez"}),
        (Role.SUPERVISOR, "ASM-D1-060", 23, {"kowalczyk"}),
        (Role.SUPERVISOR, "SHP-DOCK-030", 15, {"moreau"}),
        (Role.SUPERVISOR, "SEQ-A-010", 9, {"adair"}),
        (Role.TEAM_LEADER, "ASM-D1-060", 9, {"cruz", "petty"}),
        (Role.IT_DIRECTOR, "SEQ-A-010", 9, {"fairbanks"}),
    ]
    book = DutyBook.load(TUESDAY)
    for role, place, hour, told in expected:
        answer = book.on_duty(role, Station.objects.get(code=place), TUESDAY.replace(hour=hour))
        assert {person.username for person in answer.people} == told
        assert not answer.is_gap


def test_a_technician_is_on_shift_at_every_hour_from_sunday_night_to_friday_night(
    seeded: dict[str, Any],
) -> None:
    sunday_night = datetime(2026, 5, 31, 22, tzinfo=DETROIT)
    book = DutyBook.load(sunday_night)
    site = Site.objects.get(code="MBK")
    for hour in range(5 * 24):
        assert not book.on_duty(Role.IT_TECH, site, sunday_night + timedelta(hours=hour)).is_gap


def test_both_plants_rest_on_thanksgiving_and_work_on_veterans_day(seeded: dict[str, Any]) -> None:
    holiday, veterans = (datetime(2026, 11, day, 9, tzinfo=DETROIT) for day in (26, 11))
    hours = WorkingTime.load(DutyBook.load(veterans))
    for area in Area.objects.filter(code__in=["MBK-ASM", "DSC-SEQ"]):
        assert hours.is_working(area, veterans) and not hours.is_working(area, holiday)


def test_the_last_resort_of_both_sites_is_the_it_manager(seeded: dict[str, Any]) -> None:
    assert {site.last_resort.username for site in Site.objects.all() if site.last_resort} == {"hutchins"}
