"""The week on the roster: people by days, cover applied, gaps marked, and who may see whose row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plant.duty import DutyBook
from plant.models import Area, CalendarEntry, CoverKind, Role
from plant.roster.week import Week, WeekBuilder, local_midnight
from plant.working_time import WorkingTime
from tests.factories import (
    DETROIT,
    crew_of,
    make_area,
    make_cover,
    make_person,
    make_site,
    make_three_shifts,
    put_on_roster,
)

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 6, 1)
WEEK = "/setup/roster/?week=2026-W23"


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=DETROIT)


@pytest.fixture
def plant() -> Any:
    """Vela works first shift, Ishida second, nobody third; Brandt leads on first, Hutchins manages."""
    site = make_site("MBK")
    area = make_area("MBK-ASM", site=site)
    pattern = make_three_shifts(site=site, days=5)
    first, second = crew_of(pattern, "SH1"), crew_of(pattern, "SH2")
    site.last_resort = make_person("Dale Hutchins", roles=[Role.IT_MANAGER], site=site, crew=first)
    site.save()
    return SimpleNamespace(
        site=site,
        area=area,
        pattern=pattern,
        first=first,
        second=second,
        hutchins=site.last_resort,
        vela=make_person("Marcus Vela", roles=[Role.IT_TECH], site=site, crew=first),
        ishida=make_person("Jun Ishida", roles=[Role.IT_TECH], site=site, crew=second),
        brandt=make_person("Keisha Brandt", roles=[Role.IT_LEAD], site=site, crew=first),
    )


def week_of(plant: Any, monday: date = MONDAY, **asked: Any) -> Week:
    start = local_midnight(plant.site, monday)
    book = DutyBook.load(start, until=start + timedelta(days=9))
    areas = list(Area.objects.filter(site=plant.site))
    builder = WeekBuilder(WorkingTime.load(book), plant.site, areas, monday=monday, now=start)
    return builder.week(**asked)


def row_of(week: Week, name: str) -> list[str]:
    """A person's days in short: the shift, what is left of it, or for whom."""
    rows = [row for section in week.sections for row in section.people if row.person.name == name]
    said = []
    for cell in rows[0].cells:
        words = []
        for turn in cell.turns:
            if turn.instead_of:
                words.append(f"for {turn.instead_of}")
            elif turn.is_away:
                words.append("away")
            else:
                words.append(turn.code)
        said.append("+".join(words) or ("away" if cell.away else "-"))
    return said


def coverage(week: Week, role: Role, shift: str) -> list[str]:
    section = next(one for one in week.sections if one.role == role)
    row = next(one for one in section.shifts if one.name == shift)
    return [_said(cell) for cell in row.cells]


def _said(cell: Any) -> str:
    if cell is None:
        return "-"
    if cell.closed:
        return cell.closed
    return "gap" if cell.missing else ",".join(person.get_short_name() for person in cell.people)


def test_a_week_shows_every_shift_by_roster(plant: Any) -> None:
    assert row_of(week_of(plant), "Marcus Vela") == ["SH1"] * 5 + ["-", "-"]


def test_who_is_away_and_who_stands_in_are_both_shown(plant: Any) -> None:
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=at(2, 6))
    week = week_of(plant)
    assert row_of(week, "Marcus Vela")[1] == "away"
    assert row_of(week, "Jun Ishida")[1] == "for Marcus Vela+SH2"


def test_cover_for_a_part_of_a_shift_cuts_it(plant: Any) -> None:
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=at(2, 10), ends_at=at(2, 12))
    rows = {row.person.name: row for section in week_of(plant).sections for row in section.people}
    (turn,) = rows["Marcus Vela"].cells[1].turns
    assert [(part.starts_at, part.is_away) for part in turn.parts] == [
        (at(2, 6), False),
        (at(2, 10), True),
        (at(2, 12), False),
    ]
    taken = rows["Jun Ishida"].cells[1].turns[0]
    assert (taken.starts_at, taken.ends_at) == (at(2, 10), at(2, 12))


def test_somebody_without_a_shift_is_shown_as_away_on_days_off(plant: Any) -> None:
    make_cover(plant.ishida, starts_at=at(5, 0), ends_at=at(8, 0), kind=CoverKind.HOLIDAY)
    assert row_of(week_of(plant), "Jun Ishida")[4:] == ["away", "away", "away"]


def test_cover_of_a_night_shift_does_not_make_the_next_day_off_look_away(plant: Any) -> None:
    night = make_person("Lena", roles=[Role.IT_TECH], site=plant.site, crew=crew_of(plant.pattern, "SH3"))
    make_cover(night, starts_at=at(5, 22), ends_at=at(6, 6))
    assert row_of(week_of(plant), "Lena")[4:] == ["away", "-", "-"]


def test_a_shift_with_nobody_on_is_a_gap_and_says_who_is_told(plant: Any) -> None:
    week = week_of(plant)
    assert coverage(week, Role.IT_TECH, "SH1") == ["Marcus"] * 5 + ["-", "-"]
    assert coverage(week, Role.IT_TECH, "SH3") == ["gap"] * 5 + ["-", "-"]
    section = next(one for one in week.sections if one.role == Role.IT_TECH)
    gap = next(row for row in section.shifts if row.name == "SH3").cells[0]
    assert gap is not None
    assert [person.name for person in gap.missing[0].told] == ["Jun Ishida", "Marcus Vela"]
    assert gap.missing[0].is_whole


def test_no_gap_is_counted_while_the_plant_stands_still(plant: Any) -> None:
    before = week_of(plant).missing
    CalendarEntry.objects.create(
        site=plant.site, kind="shutdown", name="Summer", starts_at=at(1, 0), ends_at=at(2, 22)
    )
    week = week_of(plant)
    assert coverage(week, Role.IT_TECH, "SH3")[:2] == ["Summer", "gap"]
    assert week.missing < before
    assert [day.note for day in week.days][:3] == ["Summer", "Summer", ""]


def test_an_area_leaves_only_who_is_for_it(plant: Any) -> None:
    other = make_area(site=plant.site, name="Paint")
    make_person("Boone", roles=[Role.SUPERVISOR], areas=[other], crew=plant.first)
    week = week_of(plant, area=plant.area)
    assert Role.SUPERVISOR not in {section.role for section in week.sections}
    assert "Boone" in [row.person.name for one in week_of(plant, area=other).sections for row in one.people]


@pytest.mark.parametrize(("monday", "hours"), [(date(2026, 3, 2), 23), (date(2026, 10, 26), 25)])
def test_the_sunday_of_the_clock_change_has_its_true_length(plant: Any, monday: date, hours: int) -> None:
    sunday = week_of(plant, monday).days[6]
    assert sunday.ends_at - sunday.starts_at == timedelta(hours=hours)


def test_a_shift_of_that_night_is_shown_by_the_clock_on_the_wall(plant: Any, client: Client) -> None:
    pattern = make_three_shifts(site=plant.site, areas=[plant.area])
    make_person("Lena", roles=[Role.IT_TECH], site=plant.site, crew=crew_of(pattern, "SH3"))
    client.force_login(plant.hutchins)
    page = client.get("/setup/roster/?week=2026-W44").content.decode()
    assert "22:00–06:00" in page and "22:00–05:00" not in page


# --- the screen ---------------------------------------------------------------------------------------------


def shown(client: Client, person: Any, address: str = WEEK) -> str:
    client.force_login(person)
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def test_nobody_sees_the_week_without_signing_in(client: Client) -> None:
    assert client.get(WEEK).headers["Location"].startswith("/login/")


def test_leads_and_managers_see_every_row_and_others_their_own(plant: Any, client: Client) -> None:
    row = '<th scope="row">Jun Ishida'
    assert row in shown(client, plant.brandt) and row in shown(client, plant.hutchins)
    assert row in shown(client, plant.ishida)
    page = shown(client, plant.vela)
    assert row not in page and '<th scope="row">Marcus Vela' in page
    assert "Jun Ishida" in page, "who is on is no secret"


def test_why_somebody_is_away_is_not_for_everybody(plant: Any, client: Client) -> None:
    make_cover(plant.vela, starts_at=at(2, 6), kind=CoverKind.SICK)
    worker = make_person("Pat Operator", site=plant.site)
    assert "Sick" in shown(client, plant.brandt)
    assert "Sick" not in shown(client, worker)


def test_only_planners_are_offered_to_change_it(plant: Any, client: Client) -> None:
    assert "/setup/roster/cover/" in shown(client, plant.brandt)
    assert "/setup/roster/cover/" not in shown(client, plant.vela)


def test_another_site_is_not_there_for_who_does_not_see_it(plant: Any, client: Client) -> None:
    make_site("DSC", name="Dunmore")
    client.force_login(plant.hutchins)
    assert client.get("/setup/roster/?site=DSC").status_code == 404


@pytest.mark.parametrize("name", ["2026-W99", "nonsense", "9999-W01", "2026-W23%00"])
def test_a_week_that_does_not_exist_is_this_week_or_refused(plant: Any, client: Client, name: str) -> None:
    client.force_login(plant.hutchins)
    assert client.get(f"/setup/roster/?week={name}").status_code in (200, 400)


def test_the_week_costs_the_same_queries_however_many_people(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    client.get(WEEK)
    with CaptureQueriesContext(connection) as few:
        client.get(WEEK)
    for number in range(12):
        person = make_person(f"Tech {number}", roles=[Role.IT_TECH], site=plant.site, crew=plant.second)
        make_cover(person, stand_in=plant.vela, starts_at=at(3, 14))
        put_on_roster(
            make_person(f"Other {number}", areas=[plant.area], roles=[Role.SUPERVISOR]), plant.first
        )
    with CaptureQueriesContext(connection) as many:
        client.get(WEEK)
    assert len(many) == len(few)
    assert len(few) <= 25


EVERY_SHIFT = "Somebody is on for every shift this week"


def headline(page: str) -> str:
    return page.split("<h1>")[1].split("</h1>")[0]


def test_everybody_on_is_claimed_only_when_every_role_is_held_and_every_shift_filled(
    plant: Any, client: Client
) -> None:
    make_person("Lena", roles=[Role.IT_TECH], site=plant.site, crew=crew_of(plant.pattern, "SH3"))
    assert headline(shown(client, plant.hutchins, f"{WEEK}&role=it_tech")) == EVERY_SHIFT
    for shift in ("SH1", "SH2", "SH3"):
        crew = crew_of(plant.pattern, shift)
        for role in (Role.IT_LEAD, Role.IT_SPECIALIST, Role.TEAM_LEADER):
            make_person(f"{role} {shift}", roles=[role], site=plant.site, crew=crew)
    page = shown(client, plant.hutchins)
    assert headline(page) == "1 role has nobody at all"
    assert "Nobody holds this role: <b>Supervisor</b>" in page
    paint = make_area(site=plant.site, name="Paint")
    for shift in ("SH1", "SH2", "SH3"):
        crew = crew_of(plant.pattern, shift)
        make_person(f"sv {shift}", roles=[Role.SUPERVISOR], areas=[plant.area], crew=crew)
    page = shown(client, plant.hutchins)
    assert headline(page) == "1 role has nobody at all"
    assert "<b>Supervisor</b> (Paint)" in page
    assert headline(shown(client, plant.hutchins, f"{WEEK}&area={plant.area.code}")) == EVERY_SHIFT
    assert headline(shown(client, plant.hutchins, f"{WEEK}&area={paint.code}")) != EVERY_SHIFT


@pytest.mark.parametrize(
    ("role", "said"),
    [("supervisor", "1 role has nobody at all"), ("it_manager", "No shift has to be covered this week")],
)
def test_where_nobody_is_asked_for_nobody_is_said_to_be_on(
    plant: Any, client: Client, role: str, said: str
) -> None:
    assert headline(shown(client, plant.hutchins, f"{WEEK}&role={role}")) == said


def test_a_week_in_which_the_plant_stands_still_claims_nothing(plant: Any, client: Client) -> None:
    CalendarEntry.objects.create(
        site=plant.site, kind="shutdown", name="Summer", starts_at=at(1, 0), ends_at=at(8, 0)
    )
    page = shown(client, plant.hutchins, f"{WEEK}&role=it_tech")
    assert headline(page) == "No shift has to be covered this week"


def test_the_week_speaks_spanish_too(plant: Any, client: Client) -> None:
    plant.hutchins.language = "es"
    plant.hutchins.save()
    make_cover(plant.vela, starts_at=at(2, 6))
    page = shown(client, plant.hutchins)
    assert "Nadie" in page and "Nobody" not in page


def test_times_are_those_of_the_site_that_is_looked_at(plant: Any, client: Client) -> None:
    away = make_site("LIS", name="Lisbon", timezone="Europe/Lisbon")
    pattern = make_three_shifts(site=away)
    make_person("Rui", roles=[Role.IT_TECH], site=away, crew=crew_of(pattern, "SH1"))
    director = make_person("Noreen", roles=[Role.IT_DIRECTOR], site=plant.site, corporate=True)
    page = shown(client, director, f"{WEEK}&site=LIS")
    assert "06:00–14:00" in page
    assert datetime(2026, 6, 1, 5, tzinfo=UTC) == datetime(2026, 6, 1, 6, tzinfo=away.tz)
