"""Who would answer: now, at any moment, and where nobody will; and the calendar's screen beside it."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from plant.calendar_forms import CalendarForm
from plant.coverage import gaps_ahead, unheld
from plant.duty import DutyBook
from plant.models import Area, CalendarEntry, CoverKind, Role, SiteCalendar
from plant.roster.board import Board, build_board
from plant.working_time import WorkingTime
from tests.factories import DETROIT, crew_of, make_area, make_cover, make_person, make_site, make_three_shifts

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 6, 3, 9, tzinfo=DETROIT)
TWO, TEN = NINE.replace(hour=14), NINE.replace(hour=22)
SIX = TEN + timedelta(hours=8)


@pytest.fixture
def plant() -> Any:
    """Technicians on first and second shift, a supervisor of assembly on first, a manager."""
    site = make_site("MBK")
    area = make_area("MBK-ASM", site=site)
    pattern = make_three_shifts(site=site)
    first, second = crew_of(pattern, "SH1"), crew_of(pattern, "SH2")
    site.last_resort = make_person("Dale Hutchins", roles=[Role.IT_MANAGER], site=site, crew=first)
    site.save()
    return SimpleNamespace(
        site=site,
        area=area,
        first=first,
        hutchins=site.last_resort,
        vela=make_person("Marcus Vela", roles=[Role.IT_TECH], site=site, crew=first),
        ishida=make_person("Jun Ishida", roles=[Role.IT_TECH], site=site, crew=second),
        boone=make_person("Derrick Boone", roles=[Role.SUPERVISOR], areas=[area], crew=first),
    )


def board_of(plant: Any, at: datetime = NINE) -> Board:
    book = DutyBook.load(at, until=at + timedelta(days=4))
    return build_board(WorkingTime.load(book), plant.site, list(Area.objects.all()), at)


def said(level: Any) -> list[tuple[str, datetime, bool]]:
    return [
        (", ".join(person.name for person, _absent in phase.people), phase.starts_at, phase.is_gap)
        for phase in level.phases
    ]


def test_now_next_and_then_follow_the_shifts(plant: Any) -> None:
    assert said(board_of(plant).it[0]) == [
        ("Marcus Vela", NINE, False),
        ("Jun Ishida", TWO, False),
        ("Jun Ishida, Marcus Vela", TEN, True),
    ]


def test_who_stands_in_is_named_with_whom_for(plant: Any) -> None:
    make_cover(plant.vela, stand_in=plant.hutchins, starts_at=NINE.replace(hour=6), kind=CoverKind.SICK)
    (now, _next, _then) = board_of(plant).it[0].phases
    assert now.people == [(plant.hutchins, "Marcus Vela")]


def test_supervisors_are_asked_area_by_area_and_managers_for_the_site(plant: Any) -> None:
    make_area(site=plant.site, name="Paint")
    board = board_of(plant)
    assert [level.place for level in board.supervisors] == [plant.area]
    assert [level.role for level in board.managers] == [Role.IT_MANAGER]


def test_off_shift_is_no_gap_while_the_plant_stands_still(plant: Any) -> None:
    CalendarEntry.objects.create(
        site=plant.site, kind="shutdown", name="Summer", starts_at=NINE, ends_at=NINE + timedelta(days=9)
    )
    board = board_of(plant)
    assert board.gaps_now == 0 and not board.gaps


def test_whoever_is_on_the_roster_of_a_holiday_is_shown_with_that_the_plant_is_closed(
    plant: Any, client: Client
) -> None:
    SiteCalendar.objects.create(site=plant.site, country="US")
    thanksgiving = NINE.replace(month=11, day=26)
    board = board_of(plant, thanksgiving)
    assert board.it[0].phases[0].closed == "Thanksgiving Day"
    assert board.supervisors[0].phases[0].closed == "Thanksgiving Day"
    assert not board.managers[0].phases[0].closed, "managers are called at any hour"
    assert not any(phase.closed for phase in board_of(plant).it[0].phases)
    client.force_login(plant.hutchins)
    page = client.get(f"/setup/duty/?at={thanksgiving:%Y-%m-%dT%H:%M}").content.decode()
    assert "Plant closed: Thanksgiving Day." in page and "Marcus Vela" in page
    stop = CalendarEntry.objects.create(
        site=plant.site, kind="downtime", name="Retooling", starts_at=NINE, ends_at=TWO
    )
    stop.areas.add(plant.area)
    make_area(site=plant.site, name="Paint")
    page = client.get(f"/setup/duty/?at={NINE:%Y-%m-%dT%H:%M}").content.decode()
    assert page.count("Closed: Retooling.") == 1 and "Plant closed" not in page, "only assembly stands still"


# --- gaps ahead ---------------------------------------------------------------------------------------------


def gaps(plant: Any, until: datetime = SIX + timedelta(hours=2)) -> list[tuple[str, str, datetime, datetime]]:
    return [
        (str(gap.role), gap.where, gap.starts_at, gap.ends_at) for gap in gaps_ahead(plant.site, NINE, until)
    ]


def test_gaps_ahead_say_role_place_time_and_who_is_told_instead(plant: Any) -> None:
    assert gaps(plant) == [
        ("supervisor", plant.area.name, TWO, SIX),
        ("it_tech", plant.site.name, TEN, SIX),
    ]
    gap = gaps_ahead(plant.site, NINE, SIX)[1]
    assert [person.name for person in gap.told] == ["Jun Ishida", "Marcus Vela"]
    assert (gap.area, gap.note.split(",")[0]) == (None, "Nobody on shift as IT technician")


def test_a_gap_is_cut_to_the_time_that_was_asked_about(plant: Any) -> None:
    assert gaps(plant, until=TEN + timedelta(hours=1))[1][3] == TEN + timedelta(hours=1)


def test_cover_closes_a_gap_and_absence_opens_one(plant: Any) -> None:
    night = make_person("Lena", roles=[Role.IT_TECH], site=plant.site)
    evening = ("it_tech", plant.site.name, TWO, TEN)
    make_cover(plant.ishida, stand_in=None, starts_at=TWO)
    assert evening in gaps(plant)
    plant.ishida.covers_needed.update(stand_in=night)
    assert evening not in gaps(plant)


def test_a_role_nobody_holds_is_a_matter_of_setup_and_no_gap(plant: Any) -> None:
    book = DutyBook.load(NINE)
    missing = unheld(book, plant.site, [plant.area])
    assert missing == {
        Role.IT_SPECIALIST: (plant.site,),
        Role.IT_LEAD: (plant.site,),
        Role.TEAM_LEADER: (plant.site,),
    }
    assert {role for role, *_rest in gaps(plant)} == {"supervisor", "it_tech"}


def test_gaps_cost_the_same_queries_whatever_the_plant(plant: Any) -> None:
    with CaptureQueriesContext(connection) as few:
        gaps_ahead(plant.site, NINE, SIX)
    for number in range(8):
        area = make_area(site=plant.site, name=f"Area {number}")
        make_person(f"Sup {number}", roles=[Role.SUPERVISOR], areas=[area], crew=plant.first)
    with CaptureQueriesContext(connection) as many:
        gaps_ahead(plant.site, NINE, SIX)
    assert len(many) == len(few) <= 13


# --- the screens --------------------------------------------------------------------------------------------


def page(client: Client, person: Any, address: str) -> str:
    client.force_login(person)
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def test_everybody_of_the_site_sees_who_is_on_but_not_every_number(plant: Any, client: Client) -> None:
    worker = make_person("Pat Operator", site=plant.site)
    address = "/setup/duty/?at=2026-06-03T09:00"
    assert "Marcus Vela" in page(client, worker, address)
    assert plant.vela.mobile not in page(client, worker, address)
    assert plant.vela.mobile in page(client, plant.hutchins, address)


@pytest.mark.parametrize("at", ["", "soon", "2026-13-01T00:00", "1850-01-01T00:00", "9999-12-31T23:59"])
def test_a_moment_that_cannot_be_is_now(plant: Any, client: Client, at: str) -> None:
    assert "Who would answer right now?" in page(client, plant.hutchins, f"/setup/duty/?at={at}")


def test_the_board_refreshes_itself_and_asks_the_same_queries(plant: Any, client: Client) -> None:
    address = "/setup/duty/"
    assert 'id="duty"' in page(client, plant.hutchins, address)
    fragment = client.get(address, headers={"HX-Request": "true", "HX-Target": "duty"}).content.decode()
    assert "<html" not in fragment and 'id="duty"' in fragment
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(8):
        area = make_area(site=plant.site, name=f"Area {number}")
        make_person(f"Sup {number}", roles=[Role.SUPERVISOR], areas=[area], crew=plant.first)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few) <= 25


def test_the_board_and_the_calendar_speak_spanish_too(plant: Any, client: Client) -> None:
    plant.hutchins.language = "es"
    plant.hutchins.save()
    assert "Nadie" in page(client, plant.hutchins, "/setup/duty/?at=2026-06-03T23:00")


@pytest.mark.parametrize(
    ("address", "english", "spanish"),
    [
        ("/setup/calendar/", "When the plant works", "Cuándo trabaja la planta"),
        ("/setup/calendar/entry/", "Planned downtime", "Paro planeado"),
        ("/setup/roster/cover/", "Who stands in", "Quién suple"),
        ("/setup/roster/swap/", "Who swaps with whom?", "¿Quién cambia con quién?"),
        ("/setup/roster/import/", "What the file looks like", "Cómo es el archivo"),
        ("/roster/mine/", "My shifts", "Mis turnos"),
    ],
)
def test_every_page_of_the_roster_is_in_both_languages(
    plant: Any, client: Client, address: str, english: str, spanish: str
) -> None:
    assert english in page(client, plant.hutchins, address)
    plant.hutchins.language = "es"
    plant.hutchins.save()
    read = page(client, plant.hutchins, address)
    assert english not in read and spanish in read


def entry(**more: Any) -> dict[str, Any]:
    return {
        "kind": "shutdown",
        "name": "Summer shutdown",
        "starts_at": f"{timezone.now().year + 1}-07-01T06:00",
        "ends_at": f"{timezone.now().year + 1}-07-14T06:00",
        **more,
    }


def test_a_shutdown_is_planned_changed_and_taken_back_on_the_screen(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    assert client.post("/setup/calendar/entry/", entry(areas=[plant.area.pk])).status_code == 302
    saved = CalendarEntry.objects.get()
    assert list(saved.areas.all()) == [plant.area]
    assert "Summer shutdown" in client.get("/setup/calendar/").content.decode()
    address = f"/setup/calendar/entry/{saved.pk}/"
    assert client.post(address, entry(name="Retooling")).status_code == 302
    saved.refresh_from_db()
    assert saved.name == "Retooling" and not saved.areas.exists()
    assert client.post(address, entry(ends_at=entry()["starts_at"])).status_code == 400
    assert client.post(f"{address}remove/").status_code == 302
    assert client.get(address).status_code == 404


def test_holidays_are_chosen_on_the_screen(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    address = "/setup/calendar/settings/"
    shown = client.get("/setup/calendar/").content.decode()
    assert '<option value="MX">Mexico</option>' in shown
    asked = {"country": "US", "subdivision": "mi", "weekend": ["5", "6"], "works_on": ["Veterans Day"]}
    assert client.post(address, asked).status_code == 302
    kept = SiteCalendar.objects.get()
    assert (kept.country, kept.subdivision, kept.works_on) == ("US", "MI", ["Veterans Day"])
    ticked = ["Labor Day", "Thanksgiving Day"]
    refused = client.post(address, {**asked, "subdivision": "QQ", "works_on": ticked})
    assert refused.status_code == 400 and "QQ is not a state or region of US." in refused.content.decode()
    assert sorted(one.key for one in refused.context["holidays"] if one.is_worked) == ticked, "none is lost"
    assert SiteCalendar.objects.get().works_on == ["Veterans Day"]


def test_every_country_has_a_name_and_is_found_by_it_in_both_languages() -> None:
    form: Any = CalendarForm()
    english = dict(form.fields["country"].choices)
    assert [code for code, name in english.items() if code == name] == ["UK"], "beside GB, which has the name"
    with override("es"):
        form = CalendarForm()
        spanish = [str(name) for _code, name in form.fields["country"].choices]
    assert spanish[1] == "Afganistán" and "España" in spanish
    assert spanish.index("Emiratos Árabes Unidos") < spanish.index("Eslovaquia") < spanish.index("Etiopía")


def test_others_read_the_calendar_and_change_nothing(plant: Any, client: Client) -> None:
    saved = CalendarEntry.objects.create(
        site=plant.site, name="Stop", starts_at=NINE, ends_at=timezone.now() + timedelta(days=1)
    )
    read = page(client, plant.vela, "/setup/calendar/")
    assert "Stop" in read and "Plan a stop" not in read
    for address in ("entry/", f"entry/{saved.pk}/", f"entry/{saved.pk}/remove/", "settings/"):
        assert client.post(f"/setup/calendar/{address}", entry()).status_code == 403
