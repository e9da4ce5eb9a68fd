"""The plant for programs: what is shown to whom, in how many queries, and who is on duty."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from plant.models import CoverKind, Person, Role
from tests.factories import (
    DETROIT,
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

NINE = datetime(2026, 6, 3, 9, tzinfo=DETROIT)
LISTS = ["sites", "areas", "lines", "stations", "systems", "vendors", "people", "shifts", "cover"]


@pytest.fixture
def plant() -> Any:
    """Two sites; Vela is technician and Petty operator at Millbrook, Adair works at Dunmore only."""
    site, other = make_site("MBK"), make_site("DSC", name="Dunmore")
    area, elsewhere = make_area("MBK-ASM", site=site), make_area("DSC-SEQ", site=other)
    line = make_line("ASM-D1", area=area, buffer_minutes=45, takt_seconds=52)
    vendor = make_vendor("v_label", response_minutes=30)
    system = make_system("label", vendor=vendor)
    pattern = make_three_shifts(site=site, areas=[area], handover_minutes=10)
    first = crew_of(pattern, "SH1")
    vela = make_person("Vela", username="vela", roles=[Role.IT_TECH], site=site, crew=first)
    petty = make_person("Petty", username="petty", site=site)
    make_person("Adair", username="adair", roles=[Role.SUPERVISOR], areas=[elsewhere])
    make_station("ASM-D1-060", line=line, systems=[system])
    make_line("SEQ-A", area=elsewhere)
    make_cover(petty, stand_in=vela, starts_at=NINE, kind=CoverKind.SICK, note="Flu")
    return SimpleNamespace(site=site, area=area, vela=vela, petty=petty, first=first)


def get(person: Person, address: str, /, **params: Any) -> Any:
    client = APIClient()
    client.force_authenticate(person)
    return client.get(f"/api/v1/plant/{address}/", params)


def rows(person: Person, address: str, /, **params: Any) -> list[dict[str, Any]]:
    response = get(person, address, **params)
    assert response.status_code == 200, response.data
    return list(response.data["results"])


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_read_only_and_needs_a_login(plant: Any, name: str) -> None:
    assert APIClient().get(f"/api/v1/plant/{name}/").status_code == 401
    client = APIClient()
    client.force_authenticate(plant.vela)
    assert client.get(f"/api/v1/plant/{name}/").status_code == 200
    assert client.post(f"/api/v1/plant/{name}/", {}).status_code == 405


@pytest.mark.parametrize(
    ("name", "key", "mine", "all_of_them"),
    [
        ("sites", "code", ["MBK"], ["DSC", "MBK"]),
        ("areas", "code", ["MBK-ASM"], ["DSC-SEQ", "MBK-ASM"]),
        ("lines", "code", ["ASM-D1"], ["ASM-D1", "SEQ-A"]),
        ("people", "username", ["boss", "petty", "vela"], ["adair", "boss", "petty", "vela"]),
    ],
)
def test_people_see_their_sites_and_corporate_roles_see_all(
    plant: Any, name: str, key: str, mine: list[str], all_of_them: list[str]
) -> None:
    boss = make_person("Boss", username="boss", roles=[Role.IT_DIRECTOR], corporate=True)
    assert [row[key] for row in rows(plant.vela, name)] == mine
    assert [row[key] for row in rows(boss, name)] == all_of_them


def test_a_row_of_another_site_is_not_there(plant: Any) -> None:
    assert get(plant.vela, "lines/ASM-D1").status_code == 200
    response = get(plant.vela, "lines/SEQ-A")
    assert response.status_code == 404
    assert response.data["code"] == "not_found"


def test_a_system_without_a_site_is_seen_by_everybody_and_others_by_their_site(plant: Any) -> None:
    make_system("elsewhere", site=make_site())
    assert [row["code"] for row in rows(plant.vela, "systems")] == ["label"]


def test_rows_name_their_surroundings_by_code_and_lengths_of_time_as_iso_8601(plant: Any) -> None:
    line = rows(plant.vela, "lines")[0]
    assert (line["site"], line["area"], line["buffer"], line["takt"]) == ("MBK", "MBK-ASM", "PT45M", "PT52S")
    station = rows(plant.vela, "stations")[0]
    assert (station["line"], station["area"], station["site"]) == ("ASM-D1", "MBK-ASM", "MBK")
    assert station["systems"] == ["label"]
    vendor = rows(plant.vela, "vendors")[0]
    assert (vendor["response"], vendor["onsite"]) == ("PT30M", None)
    pattern = rows(plant.vela, "shifts")[0]
    assert pattern["areas"] == ["MBK-ASM"]
    assert pattern["handover"] == "PT10M"
    assert [shift["code"] for shift in pattern["shifts"]] == ["SH1", "SH2", "SH3"]
    assert pattern["crews"][0]["rotation"] == ["SH1"] * 7


def test_how_people_are_reached_is_for_it_and_managers_and_for_oneself(plant: Any) -> None:
    seen_by_it = {row["username"]: row["mobile"] for row in rows(plant.vela, "people")}
    assert seen_by_it == {"petty": plant.petty.mobile, "vela": plant.vela.mobile}
    seen_by_operator = {row["username"]: (row["mobile"], row["email"]) for row in rows(plant.petty, "people")}
    assert seen_by_operator == {"petty": (plant.petty.mobile, plant.petty.email), "vela": (None, None)}


def test_why_somebody_is_away_is_not_for_everybody(plant: Any) -> None:
    colleague = make_person("Colleague", site=plant.site)
    said = {
        person.name: (rows(person, "cover")[0]["kind"], rows(person, "cover")[0]["note"])
        for person in (plant.vela, plant.petty, colleague)
    }
    assert said == {"Vela": ("sick", "Flu"), "Petty": ("sick", "Flu"), "Colleague": (None, None)}


def test_people_who_left_are_not_listed(plant: Any) -> None:
    make_person("Gone", username="gone", site=plant.site, is_active=False)
    assert "gone" not in [row["username"] for row in rows(plant.vela, "people")]


@pytest.mark.parametrize(
    ("name", "params", "found"),
    [
        ("lines", {"flow": "production"}, 1),
        ("lines", {"flow": "shipping"}, 0),
        ("lines", {"area": "mbk-asm"}, 1),
        ("stations", {"q": "d1-06"}, 1),
        ("stations", {"q": "nowhere"}, 0),
        ("stations", {"system": "label"}, 1),
        ("people", {"role": "it_tech"}, 1),
        ("people", {"q": "pet"}, 1),
        ("cover", {"at": NINE.isoformat()}, 1),
        ("cover", {"at": (NINE + timedelta(days=2)).isoformat()}, 0),
        ("cover", {"person": "vela"}, 0),
    ],
    ids=str,
)
def test_lists_are_filtered(plant: Any, name: str, params: dict[str, str], found: int) -> None:
    assert len(rows(plant.vela, name, **params)) == found


def test_an_unknown_choice_in_a_filter_is_refused_in_words(plant: Any) -> None:
    response = get(plant.vela, "lines", flow="sideways")
    assert response.status_code == 400
    assert response.data["code"] == "invalid"
    assert "flow" in response.data["fields"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_queries_however_long(
    plant: Any, name: str, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(6) as first:
        rows(Person.objects.get(pk=plant.vela.pk), name)
    for number in range(10):
        area = make_area(site=plant.site)
        line = make_line(area=area)
        make_station(line=line, systems=[make_system(vendor=make_vendor(), owner=plant.vela)])
        person = make_person(f"P{number}", roles=[Role.SUPERVISOR, Role.TEAM_LEADER], areas=[area])
        make_three_shifts(site=plant.site, areas=[area])
        make_cover(person, stand_in=plant.vela, starts_at=NINE)
    with django_assert_num_queries(len(first)):
        assert len(rows(Person.objects.get(pk=plant.vela.pk), name)) > 0


def test_duty_names_the_people_the_level_and_the_shift(plant: Any) -> None:
    response = get(plant.vela, "duty", role="it_tech", place="ASM-D1-060", at=NINE.isoformat())
    assert response.status_code == 200
    assert response.data["level"] == "site"
    assert response.data["is_gap"] is False
    assert response.data["note"] == ""
    assert [person["username"] for person in response.data["people"]] == ["vela"]
    assert response.data["people"][0]["mobile"] == plant.vela.mobile
    assert response.data["shift"]["code"] == "SH1"
    assert response.json()["shift"]["starts_at"] == "2026-06-03T10:00:00Z"
    assert response.json()["at"] == "2026-06-03T13:00:00Z"


def test_duty_says_a_gap_in_words(plant: Any) -> None:
    response = get(plant.petty, "duty", role="it_tech", place="MBK", at="2026-06-04T03:00:00Z")
    assert response.data["is_gap"] is True
    assert response.data["note"] == "Nobody on shift as IT technician, so Vela is told off shift."
    assert response.data["people"][0]["mobile"] is None


def test_duty_marks_who_stands_in_for_whom(plant: Any) -> None:
    ishida = make_person("Ishida", username="ishida", site=plant.site)
    make_cover(plant.vela, stand_in=ishida, starts_at=NINE)
    response = get(plant.vela, "duty", role="it_tech", place="mbk-asm", at=NINE.isoformat())
    assert response.json()["stand_ins"] == [{"person": "ishida", "absent": "vela"}]


@pytest.mark.parametrize("place", ["ASM-D1-060", "ASM-D1", "MBK-ASM", "MBK"])
def test_duty_takes_any_code_of_a_place_and_now_when_no_time_is_given(plant: Any, place: str) -> None:
    response = get(plant.vela, "duty", role="it_tech", place=place)
    assert response.status_code == 200
    assert response.data["place"] == place


def test_the_plus_of_an_offset_may_arrive_as_a_space(plant: Any) -> None:
    response = get(plant.vela, "duty", role="it_tech", place="MBK", at="2026-06-03T15:00:00 02:00")
    assert response.json()["at"] == "2026-06-03T13:00:00Z"


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"role": "juggler", "place": "MBK"}, "unknown_role", "role"),
        ({"place": "MBK"}, "unknown_role", "role"),
        ({"role": "it_tech", "place": "NOWHERE"}, "unknown_place", "place"),
        ({"role": "it_tech"}, "unknown_place", "place"),
        ({"role": "it_tech", "place": "MBK", "at": "teatime"}, "malformed_time", "at"),
        ({"role": "it_tech", "place": "MBK", "at": "2026-06-03T09:00:00"}, "malformed_time", "at"),
        ({"role": "it_tech", "place": "MBK", "at": "2026-99-03T09:00:00Z"}, "malformed_time", "at"),
        ({"role": "it_tech", "place": "MBK", "at": "9999-12-31T23:59:59Z"}, "malformed_time", "at"),
        ({"role": "it_tech", "place": "MBK", "at": "0001-01-01T00:00:00Z"}, "malformed_time", "at"),
    ],
    ids=str,
)
def test_duty_refuses_what_it_does_not_know_with_one_sentence(
    plant: Any, params: dict[str, str], code: str, field: str
) -> None:
    response = get(plant.vela, "duty", **params)
    assert response.status_code == 400
    assert response.json()["code"] == code
    assert response.json()["message"].endswith(".")
    assert response.json()["fields"] == {field: [response.json()["message"]]}


def test_duty_at_a_site_of_others_is_not_allowed(plant: Any) -> None:
    response = get(plant.vela, "duty", role="supervisor", place="SEQ-A")
    assert response.status_code == 403
    assert response.data["code"] == "wrong_site"


def test_duty_takes_a_fixed_number_of_queries(plant: Any, django_assert_num_queries: Any) -> None:
    client = APIClient()
    client.force_authenticate(Person.objects.get(pk=plant.vela.pk))
    with django_assert_num_queries(11):  # the station, the reader's roles and the nine of the book
        client.get("/api/v1/plant/duty/", {"role": "supervisor", "place": "ASM-D1-060"})


def test_the_schema_describes_every_call_of_the_plant(capsys: pytest.CaptureFixture[str]) -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    assert {f"/api/v1/plant/{name}/" for name in [*LISTS, "duty"]} <= set(paths)
    assert "plant" not in capsys.readouterr().err
