"""Setup for IT managers: who comes in, what they see, and what is refused in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from plant.models import CalendarEntry, Cover, Crew, Person, Role, ShiftPattern, Site, SiteCalendar
from tests.factories import (
    crew_of,
    make_area,
    make_cover,
    make_line,
    make_person,
    make_site,
    make_station,
    make_system,
    make_three_shifts,
    make_vendor,
)

pytestmark = pytest.mark.django_db

PLANT = [model._meta.model_name for model in admin.site._registry if model._meta.app_label == "plant"]


@pytest.fixture
def site() -> Site:
    return make_site("MBK")


@pytest.fixture
def manager(site: Site) -> Person:
    return make_person("Dale Hutchins", roles=[Role.IT_MANAGER], site=site)


@pytest.fixture
def client(client: Client, manager: Person) -> Client:
    client.force_login(manager)
    return client


def fill(site: Site) -> None:
    """One row of everything."""
    area = make_area(site=site)
    station = make_station(line=make_line(area=area))
    station.systems.add(make_system(vendor=make_vendor()))
    pattern = make_three_shifts(site=site, areas=[area])
    person = make_person("Somebody", roles=[Role.SUPERVISOR], areas=[area], crew=crew_of(pattern, "SH1"))
    make_cover(person, starts_at=timezone.now())
    SiteCalendar.objects.get_or_create(site=site, defaults={"country": "US"})
    now = timezone.now()
    entry = CalendarEntry.objects.create(
        site=site, name="Stop", starts_at=now, ends_at=now + timedelta(days=1)
    )
    entry.areas.set([area])


def said(response: Any) -> str:
    """The page as text; fails when the form was accepted, so that a test sees what was refused."""
    assert response.status_code == 200
    return str(response.content.decode())


# --- who comes in -------------------------------------------------------------------------------------------


def test_somebody_who_has_not_signed_in_is_sent_to_the_one_sign_in_page() -> None:
    response = Client().get("/admin/plant/person/")
    assert response.status_code == 302
    assert Client().get(response["Location"])["Location"].startswith("/login/?next=/admin/plant/person/")


@pytest.mark.parametrize("role", [role for role in Role if role != Role.IT_MANAGER])
def test_no_other_role_comes_in(site: Site, role: Role) -> None:
    client = Client()
    client.force_login(make_person(roles=[role], site=site))
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/plant/person/add/", follow=True).status_code == 403


def test_an_it_manager_who_left_does_not_come_in(client: Client, manager: Person) -> None:
    Person.objects.filter(pk=manager.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def test_staff_without_the_role_sees_only_what_it_was_given(site: Site) -> None:
    client = Client()
    client.force_login(make_person("Staff", site=site, is_staff=True))
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/plant/line/").status_code == 403


@pytest.mark.parametrize("model", PLANT)
def test_the_it_manager_opens_every_page_in_the_same_queries_however_many_rows(
    client: Client, site: Site, model: str, django_assert_max_num_queries: Any
) -> None:
    fill(site)
    address = reverse(f"admin:plant_{model}_changelist")
    with django_assert_max_num_queries(16) as few:
        assert client.get(address).status_code == 200
    for _number in range(5):
        fill(site)
    with django_assert_max_num_queries(len(few)):
        assert client.get(address, {"q": ""}).status_code == 200
    row = admin.site._registry[_model(model)].get_queryset(_request(client)).first()
    assert row is not None
    assert client.get(reverse(f"admin:plant_{model}_change", args=[row.pk])).status_code == 200
    assert client.get(reverse(f"admin:plant_{model}_add")).status_code == (403 if model == "crew" else 200)


def _model(name: str) -> Any:
    return next(model for model in admin.site._registry if model._meta.model_name == name)


def _request(client: Client) -> Any:
    return client.get("/admin/").wsgi_request


def test_everything_of_the_plant_can_be_set_up() -> None:
    assert set(PLANT) == {
        "site",
        "area",
        "line",
        "station",
        "system",
        "vendor",
        "person",
        "shiftpattern",
        "crew",
        "roster",
        "cover",
        "sitecalendar",
        "calendarentry",
    }


def test_rows_of_other_sites_are_not_shown(client: Client) -> None:
    line = make_line("OTHER-1", name="Somewhere else")
    assert "Somewhere else" not in said(client.get("/admin/plant/line/"))
    assert client.get(f"/admin/plant/line/{line.pk}/change/").status_code == 302
    assert "Dunmore" not in said(client.get("/admin/plant/site/"))


# --- people -------------------------------------------------------------------------------------------------


def test_an_it_manager_adds_a_person_who_can_then_sign_in(client: Client, site: Site) -> None:
    words = {
        "username": "vela",
        "name": "Marcus Vela",
        "site": site.pk,
        "email": "vela@example.com",
        "mobile": "+13135550114",
        "language": "en",
        "usable_password": "true",
        "password1": "floor-tablet-7",
        "password2": "floor-tablet-7",
    }
    assert client.post("/admin/plant/person/add/", words).status_code == 302
    assert Client().login(username="vela", password="floor-tablet-7")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("mobile", "555-0114", "This is no telephone number"),
        ("password2", "something else", "password"),
        ("username", "taken", "already exists"),
        ("name", "", "This field is required"),
    ],
)
def test_a_person_with_a_mistake_is_refused_in_words(
    client: Client, site: Site, field: str, value: str, sentence: str
) -> None:
    make_person("Taken", username="taken")
    words = {
        "username": "vela",
        "name": "Marcus Vela",
        "site": site.pk,
        "language": "en",
        "usable_password": "true",
        "password1": "floor-tablet-7",
        "password2": "floor-tablet-7",
        field: value,
    }
    assert sentence in said(client.post("/admin/plant/person/add/", words))
    assert not Person.objects.filter(username="vela").exists()


def person_page(person: Person, **changes: Any) -> dict[str, Any]:
    """What the change page posts: no new role and no new roster unless a test adds one."""
    rows = {
        f"{name}-{part}_FORMS": 0 for name in ("role_assignments", "rosters") for part in ("TOTAL", "INITIAL")
    }
    return {
        "username": person.username,
        "name": person.name,
        "site": person.site_id or "",
        "language": "en",
        "is_active": "on",
        **rows,
        **changes,
    }


def test_an_it_manager_gives_a_role_for_some_areas(client: Client, site: Site) -> None:
    person, area = make_person("Boone", site=site), make_area(site=site)
    role = {
        "role_assignments-TOTAL_FORMS": 1,
        "role_assignments-0-role": "supervisor",
        "role_assignments-0-site": site.pk,
        "role_assignments-0-areas": [area.pk],
    }
    response = client.post(f"/admin/plant/person/{person.pk}/change/", person_page(person, **role))
    assert response.status_code == 302
    assert Person.objects.get(pk=person.pk).holds(Role.SUPERVISOR, site=site, area=area)


def test_a_role_for_an_area_of_another_site_is_refused(client: Client, site: Site) -> None:
    person, elsewhere = make_person("Boone", site=site), make_area(name="Elsewhere")
    role = {
        "role_assignments-TOTAL_FORMS": 1,
        "role_assignments-0-role": "supervisor",
        "role_assignments-0-site": site.pk,
        "role_assignments-0-areas": [elsewhere.pk],
    }
    page = said(client.post(f"/admin/plant/person/{person.pk}/change/", person_page(person, **role)))
    assert "Elsewhere is not an area of this site." in page
    assert not person.role_assignments.exists()


@pytest.mark.parametrize("where", ["every", "elsewhere"])
def test_an_it_manager_of_one_site_gives_no_role_beyond_it(
    client: Client, manager: Person, site: Site, where: str
) -> None:
    role = {
        "role_assignments-TOTAL_FORMS": 1,
        "role_assignments-0-role": "plant_manager",
        "role_assignments-0-site": "" if where == "every" else make_site("ELSE").pk,
    }
    page = said(client.post(f"/admin/plant/person/{manager.pk}/change/", person_page(manager, **role)))
    assert "You give roles for your own sites." in page
    after = Person.objects.get(pk=manager.pk)
    assert not after.is_corporate and after.site_ids == {site.pk}


def test_who_works_for_every_site_is_changed_by_somebody_who_does_too(client: Client, site: Site) -> None:
    director = make_person("Ines Director", site=None)
    director.role_assignments.create(role=Role.IT_DIRECTOR)
    assert client.get(f"/admin/plant/person/{director.pk}/password/").status_code == 403
    client.force_login(make_person("Root", site=site, is_superuser=True))
    assert client.get(f"/admin/plant/person/{director.pk}/password/").status_code == 200


def test_channels_are_written_as_words_in_order(client: Client, site: Site) -> None:
    person = make_person("Boone", site=site)
    address = f"/admin/plant/person/{person.pk}/change/"
    client.post(address, person_page(person, urgent_channels="sms, email"))
    assert Person.objects.get(pk=person.pk).urgent_channels == ["sms", "email"]
    assert 'value="sms email"' in said(client.get(address))
    wrong = said(client.post(address, person_page(person, urgent_channels="pigeon")))
    assert "pigeon is not a way to tell people. Use: sms, email" in wrong
    assert "Name each way once." in said(client.post(address, person_page(person, urgent_channels="sms sms")))


def test_no_secret_is_shown_or_taken(client: Client, site: Site) -> None:
    person = make_person("Boone", site=site, password="floor-tablet-7")
    person.set_pin("2468")
    person.save()
    page = said(client.get(f"/admin/plant/person/{person.pk}/change/"))
    assert person.password not in page
    assert person.pin_hash not in page
    changes = {"password": "x", "pin_hash": "x", "is_superuser": "on", "is_staff": "on"}
    client.post(f"/admin/plant/person/{person.pk}/change/", person_page(person, **changes))
    after = Person.objects.get(pk=person.pk)
    assert after.check_password("floor-tablet-7")
    assert after.check_pin("2468")
    assert not after.is_superuser
    assert not after.is_staff


def test_a_superuser_is_changed_by_superusers_only(client: Client, site: Site) -> None:
    root = make_person("Root", site=site, is_superuser=True)
    assert (
        client.post(f"/admin/plant/person/{root.pk}/change/", person_page(root, name="Mine")).status_code
        == 403
    )
    assert client.get(f"/admin/plant/person/{root.pk}/password/").status_code == 403
    client.force_login(root)
    assert "is_superuser" in said(client.get(f"/admin/plant/person/{root.pk}/change/"))


def test_people_are_switched_off_and_not_deleted(client: Client, site: Site) -> None:
    person = make_person("Boone", site=site)
    assert client.post(f"/admin/plant/person/{person.pk}/delete/", {"post": "yes"}).status_code == 403


# --- shifts and cover ---------------------------------------------------------------------------------------


def pattern_page(
    site: Site, *, shifts: list[tuple[str, str, str]], rotation: str, **changes: Any
) -> dict[str, Any]:
    page: dict[str, Any] = {
        "site": site.pk,
        "code": "two",
        "name": "Two shifts",
        "cycle_days": 7,
        "anchor": "2026-01-05",
        "handover_minutes": 10,
        "shifts-TOTAL_FORMS": len(shifts),
        "shifts-INITIAL_FORMS": 0,
        "crews-TOTAL_FORMS": 1,
        "crews-INITIAL_FORMS": 0,
        "crews-0-code": "A",
        "crews-0-name": "Crew A",
        "crews-0-rotation": rotation,
    }
    for number, (code, starts, ends) in enumerate(shifts):
        row = {"code": code, "name": code, "starts": starts, "ends": ends}
        page |= {f"shifts-{number}-{name}": value for name, value in row.items()}
    return page | changes


TWO_SHIFTS = [("D1", "05:00", "14:00"), ("D2", "14:00", "23:00")]


def test_a_pattern_its_shifts_and_its_crews_are_made_on_one_page(client: Client, site: Site) -> None:
    page = pattern_page(site, shifts=TWO_SHIFTS, rotation="D1 D1 D1, D2 D2 - -")
    assert client.post("/admin/plant/shiftpattern/add/", page).status_code == 302
    assert Crew.objects.get().rotation == ["D1", "D1", "D1", "D2", "D2", "", ""]
    pattern = ShiftPattern.objects.get()
    assert 'value="D1 D1 D1 D2 D2 - -"' in said(client.get(f"/admin/plant/shiftpattern/{pattern.pk}/change/"))


@pytest.mark.parametrize(
    ("rotation", "sentence"),
    [
        ("D1 D1", "Give one shift for each of the 7 days of the cycle."),
        ("D1 D1 D1 D1 D1 D1 D9", "D9 is not a shift of this pattern."),
        ("", "This field is required."),
    ],
)
def test_a_rotation_that_does_not_fit_is_refused_in_words(
    client: Client, site: Site, rotation: str, sentence: str
) -> None:
    page = pattern_page(site, shifts=TWO_SHIFTS, rotation=rotation)
    assert sentence in said(client.post("/admin/plant/shiftpattern/add/", page))
    assert not ShiftPattern.objects.exists()


def test_a_shift_that_is_being_removed_cannot_be_in_a_rotation(client: Client, site: Site) -> None:
    page = pattern_page(site, shifts=TWO_SHIFTS, rotation="D1 D1 D1 D2 D2 - -", **{"shifts-1-DELETE": "on"})
    assert "D2 is not a shift of this pattern." in said(client.post("/admin/plant/shiftpattern/add/", page))


def cover_page(absent: Person, stand_in: Person | None, *, hours: int = 8) -> dict[str, Any]:
    start = timezone.localtime().replace(microsecond=0)
    end = start + timedelta(hours=hours)
    return {
        "absent": absent.pk,
        "stand_in": stand_in.pk if stand_in else "",
        "starts_at_0": start.date(),
        "starts_at_1": start.time(),
        "ends_at_0": end.date(),
        "ends_at_1": end.time(),
        "kind": "swap",
    }


def test_an_it_manager_enters_cover(client: Client, site: Site) -> None:
    absent, stand_in = make_person("Vela", site=site), make_person("Ishida", site=site)
    assert client.post("/admin/plant/cover/add/", cover_page(absent, stand_in)).status_code == 302
    assert Cover.objects.get().stand_in == stand_in


def test_cover_that_cannot_be_is_refused_in_words(client: Client, site: Site) -> None:
    vela, ishida = make_person("Vela", site=site), make_person("Ishida", site=site)
    gone = make_person("Gone", site=site, is_active=False)
    make_cover(ishida, starts_at=timezone.now())
    refused = [
        (cover_page(vela, vela), "Nobody can stand in for themselves."),
        (cover_page(vela, None, hours=-1), "Cover must end after it starts."),
        (cover_page(vela, gone), "Gone has left."),
        (cover_page(vela, ishida), "Ishida is away then too."),
    ]
    for page, sentence in refused:
        assert sentence in said(client.post("/admin/plant/cover/add/", page))
    assert Cover.objects.count() == 1
