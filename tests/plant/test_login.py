"""Signing in, the way home by role, the code on a station, and one's own settings."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.authtoken.models import Token

from plant.models import Person, Role, Station
from tests.factories import make_person, make_site, make_station

pytestmark = pytest.mark.django_db

PASSWORD = "a quiet line"


@pytest.fixture(autouse=True)
def _no_earlier_tries() -> None:
    cache.clear()


@pytest.fixture
def person() -> Person:
    return make_person("Marcus Vela", roles=[Role.IT_TECH], site=make_site(), password=PASSWORD)


@pytest.fixture
def station() -> Station:
    return make_station("ASM-D1-060")


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    response = client.post("/login/", {"username": name, "password": password, **more})
    return response.status_code, response.get("Location", "")


def test_a_user_name_and_a_password_sign_in(client: Client, person: Person) -> None:
    assert sign_in(client, person.username) == (302, "/")


def test_an_email_address_in_any_case_signs_in(client: Client, person: Person) -> None:
    assert sign_in(client, person.email.upper()) == (302, "/")


def test_a_wrong_password_says_so_without_saying_which_part_was_wrong(client: Client, person: Person) -> None:
    known = client.post("/login/", {"username": person.username, "password": "no"})
    unknown = client.post("/login/", {"username": "nobody", "password": "no"})
    sentence = "That name and password do not go together."
    assert sentence in known.content.decode() and sentence in unknown.content.decode()


def test_somebody_who_left_cannot_sign_in(client: Client, person: Person) -> None:
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert sign_in(client, person.email)[0] == 200


def test_guessing_is_slowed_down_even_with_the_right_password(client: Client, person: Person) -> None:
    for _attempt in range(10):
        sign_in(client, person.username, "wrong")
    response = client.post("/login/", {"username": person.username, "password": PASSWORD})
    assert "Too many wrong passwords" in response.content.decode()


def test_one_person_guessing_does_not_lock_out_another(client: Client, person: Person) -> None:
    for _attempt in range(12):
        sign_in(client, "somebody-else", "wrong")
    assert sign_in(client, person.username)[0] == 302


def test_the_page_asked_for_is_opened_after_signing_in(client: Client, person: Person) -> None:
    assert sign_in(client, person.username, next="/incidents/")[1] == "/incidents/"


def test_an_address_elsewhere_is_not_followed_after_signing_in(client: Client, person: Person) -> None:
    assert sign_in(client, person.username, next="https://elsewhere.example.com/")[1] == "/"


def test_signing_out_takes_a_tap_and_not_just_a_link(client: Client, person: Person) -> None:
    client.force_login(person)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/profile/").headers["Location"].startswith("/login/")


def test_demo_logins_are_shown_in_the_demo_only(client: Client, person: Person, settings: object) -> None:
    settings.DEMO = True  # type: ignore[attr-defined]
    assert person.name in client.get("/login/").content.decode()
    settings.DEMO = False  # type: ignore[attr-defined]
    page = client.get("/login/").content.decode()
    assert person.name not in page and "demo" not in page


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.PRODUCTION_MANAGER, "/dashboard/"),
        (Role.MATERIALS_MANAGER, "/dashboard/"),
        (Role.PLANT_MANAGER, "/dashboard/"),
        (Role.SUPERVISOR, "/dashboard/"),
        (Role.IT_LEAD, "/dashboard/"),
        (Role.IT_TECH, "/work/"),
        (Role.IT_SPECIALIST, "/work/"),
        (Role.TEAM_LEADER, "/raise/"),
    ],
)
def test_home_depends_on_the_role(client: Client, role: Role, home: str) -> None:
    client.force_login(make_person(roles=[role], site=make_site()))
    assert client.get("/").headers["Location"] == home


def test_an_operator_without_a_role_starts_at_raising(client: Client) -> None:
    client.force_login(make_person(site=make_site()))
    assert client.get("/").headers["Location"] == "/raise/"


def test_home_without_a_login_is_the_login(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/login/"


def test_the_code_on_a_station_opens_raising_there_and_is_remembered(
    client: Client, station: Station
) -> None:
    response = client.get("/q/asm-d1-060")
    assert response.headers["Location"] == "/raise/?where=station:ASM-D1-060"
    assert client.get("/").headers["Location"] == "/raise/"
    assert "Raise an issue without signing in" in client.get("/login/").content.decode()


def test_an_unknown_station_code_says_so_in_plain_words(client: Client) -> None:
    response = client.get("/q/NO-SUCH")
    assert response.status_code == 404
    assert "No station has the code NO-SUCH" in response.content.decode()


def test_a_forged_station_cookie_is_nothing(client: Client, station: Station) -> None:
    client.cookies["station"] = station.code
    assert client.get("/raise/").headers["Location"].startswith("/login/")


def test_a_device_can_leave_its_station(client: Client, station: Station) -> None:
    client.get("/q/ASM-D1-060")
    client.post("/station/leave/")
    assert client.get("/").headers["Location"] == "/login/"


def test_the_language_of_the_person_wins_over_that_of_the_tablet(client: Client, person: Person) -> None:
    client.force_login(person)
    client.post("/language/", {"language": "es", "next": "/profile/"})
    person.refresh_from_db()
    assert person.language == "es"
    assert '<html lang="es"' in client.get("/profile/").content.decode()


def test_a_tablet_switches_its_language_without_a_login(client: Client) -> None:
    response = client.post("/language/", {"language": "es", "next": "/login/"})
    assert response.headers["Location"] == "/login/"
    assert '<html lang="es"' in client.get("/login/").content.decode()


def test_an_unknown_language_changes_nothing(client: Client, person: Person) -> None:
    client.force_login(person)
    client.post("/language/", {"language": "xx"})
    person.refresh_from_db()
    assert person.language == "en"


def test_dark_is_drawn_by_the_server_from_the_first_byte(client: Client) -> None:
    client.post("/theme/", {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/login/").content.decode()
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get("/login/").content.decode()


def test_a_new_password_keeps_the_person_signed_in(client: Client, person: Person) -> None:
    client.force_login(person)
    new = "trucks leave at nine"
    given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/profile/password/", given).status_code == 302
    assert client.get("/profile/").status_code == 200
    person.refresh_from_db()
    assert person.check_password(new)


def test_a_weak_password_is_refused_in_words(client: Client, person: Person) -> None:
    client.force_login(person)
    given = {"old_password": PASSWORD, "new_password1": "12345678901", "new_password2": "12345678901"}
    response = client.post("/profile/password/", given)
    assert response.status_code == 400
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a_new_token_ends_the_one_before(client: Client, person: Person) -> None:
    client.force_login(person)
    client.post("/profile/token/")
    first = Token.objects.get(user=person).key
    client.post("/profile/token/")
    second = Token.objects.get(user=person).key
    assert first != second
    shown = client.get("/profile/")
    assert second in shown.content.decode() and first not in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]  # not in the browser of a shared tablet either


def test_nobody_sees_a_profile_without_signing_in(client: Client) -> None:
    assert client.get("/profile/").status_code == 302
