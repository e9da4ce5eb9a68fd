"""The whole ladder: on shift here, higher up, off shift, last resort; and what is said about a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from plant.duty import DutyAnswer, DutyBook, DutyLevel, NobodyToTell, who_is_on_duty
from plant.models import Person, Role
from tests.factories import (
    DETROIT,
    crew_of,
    make_area,
    make_line,
    make_person,
    make_site,
    make_station,
    make_three_shifts,
    make_two_shifts,
    make_two_two_three,
)

pytestmark = pytest.mark.django_db

WEDNESDAY = datetime(2026, 6, 3, 9, tzinfo=DETROIT)
"""Nine in the morning: SH1 is on."""
NIGHT = datetime(2026, 6, 3, 23, 30, tzinfo=DETROIT)
SATURDAY = datetime(2026, 6, 6, 9, tzinfo=DETROIT)


@pytest.fixture
def plant() -> Any:
    """A site with two areas, three shifts on weekdays and nobody in it yet."""
    site = make_site("MBK")
    assembly = make_area("ASM", site=site)
    paint = make_area("PNT", site=site, name="Paint")
    pattern = make_three_shifts(site=site, days=5)
    line = make_line("D1", area=assembly)
    return SimpleNamespace(
        site=site,
        assembly=assembly,
        paint=paint,
        line=line,
        station=make_station("D1-060", line=line),
        first=crew_of(pattern, "SH1"),
        second=crew_of(pattern, "SH2"),
        third=crew_of(pattern, "SH3"),
    )


def names(answer: DutyAnswer) -> list[str]:
    return [person.name for person in answer.people]


def test_who_is_on_shift_in_the_area_comes_first(plant: Any) -> None:
    make_person("Here", roles=[Role.SUPERVISOR], areas=[plant.assembly], crew=plant.first)
    make_person("Everywhere", roles=[Role.SUPERVISOR], site=plant.site, crew=plant.first)
    make_person("Paint", roles=[Role.SUPERVISOR], areas=[plant.paint], crew=plant.first)
    answer = who_is_on_duty(Role.SUPERVISOR, plant.assembly, WEDNESDAY)
    assert (names(answer), answer.level, answer.is_gap) == (["Here"], DutyLevel.AREA, False)
    assert answer.note == ""


@pytest.mark.parametrize("where", ["station", "line", "assembly"])
def test_a_station_and_a_line_are_answered_by_their_area(plant: Any, where: str) -> None:
    make_person("Here", roles=[Role.TEAM_LEADER], areas=[plant.assembly], crew=plant.first)
    make_person("Paint", roles=[Role.TEAM_LEADER], areas=[plant.paint], crew=plant.first)
    assert names(who_is_on_duty(Role.TEAM_LEADER, getattr(plant, where), WEDNESDAY)) == ["Here"]


def test_the_site_answers_for_an_area_whose_own_people_are_off_and_says_so(plant: Any) -> None:
    make_person("Here", roles=[Role.SUPERVISOR], areas=[plant.assembly], crew=plant.second)
    make_person("Everywhere", roles=[Role.SUPERVISOR], site=plant.site, crew=plant.first)
    answer = who_is_on_duty(Role.SUPERVISOR, plant.assembly, WEDNESDAY)
    assert (names(answer), answer.level, answer.is_gap) == (["Everywhere"], DutyLevel.SITE, True)
    assert answer.note == "Nobody on shift as supervisor in Final Assembly, so Everywhere is told."


def test_a_role_held_only_for_the_whole_site_leaves_no_gap(plant: Any) -> None:
    make_person("Marcus Vela", roles=[Role.IT_TECH], site=plant.site, crew=plant.first)
    answer = who_is_on_duty(Role.IT_TECH, plant.station, WEDNESDAY)
    assert (names(answer), answer.level, answer.is_gap) == (["Marcus Vela"], DutyLevel.SITE, False)


def test_corporate_people_on_shift_come_after_those_of_the_site(plant: Any) -> None:
    make_person("Local", roles=[Role.IT_SPECIALIST], site=plant.site, crew=plant.second)
    make_person("Corporate", roles=[Role.IT_SPECIALIST], corporate=True, crew=plant.first)
    answer = who_is_on_duty(Role.IT_SPECIALIST, plant.site, WEDNESDAY)
    assert (names(answer), answer.level, answer.is_gap) == (["Corporate"], DutyLevel.SITE, True)


def test_holders_who_are_off_shift_are_told_when_nobody_is_on(plant: Any) -> None:
    make_person("Omar Haddad", roles=[Role.IT_TECH], site=plant.site, crew=plant.first)
    answer = who_is_on_duty(Role.IT_TECH, plant.station, NIGHT)
    assert (names(answer), answer.level, answer.is_gap) == (["Omar Haddad"], DutyLevel.OFF_SHIFT, True)
    assert answer.note == "Nobody on shift as IT technician, so Omar Haddad is told off shift."


def test_several_who_are_off_shift_are_all_told_nearest_first_then_by_name(plant: Any) -> None:
    make_person("Zoe", roles=[Role.SUPERVISOR], areas=[plant.assembly], crew=plant.first)
    make_person("bea", roles=[Role.SUPERVISOR], areas=[plant.assembly], crew=plant.second)
    make_person("Adam", roles=[Role.SUPERVISOR], site=plant.site, crew=plant.first)
    make_person("Paint", roles=[Role.SUPERVISOR], areas=[plant.paint], crew=plant.first)
    answer = who_is_on_duty(Role.SUPERVISOR, plant.line, SATURDAY)
    assert names(answer) == ["bea", "Zoe", "Adam"]
    assert answer.note == "Nobody on shift as supervisor, so bea, Zoe and Adam are told off shift."


def test_somebody_with_a_shift_role_and_no_roster_counts_as_off_shift(plant: Any) -> None:
    make_person("Unrostered", roles=[Role.IT_TECH], site=plant.site)
    answer = who_is_on_duty(Role.IT_TECH, plant.site, WEDNESDAY)
    assert (answer.level, answer.is_gap) == (DutyLevel.OFF_SHIFT, True)


@pytest.mark.parametrize("rostered", [True, False])
def test_a_manager_off_shift_is_no_gap(plant: Any, rostered: bool) -> None:
    crew = plant.first if rostered else None
    make_person("Grant Tillery", roles=[Role.PRODUCTION_MANAGER], site=plant.site, crew=crew)
    answer = who_is_on_duty(Role.PRODUCTION_MANAGER, plant.station, NIGHT)
    assert (names(answer), answer.level, answer.is_gap) == (["Grant Tillery"], DutyLevel.OFF_SHIFT, False)


def test_the_last_resort_is_told_when_nobody_holds_the_role_here(plant: Any) -> None:
    plant.site.last_resort = make_person("Dale Hutchins", site=plant.site)
    plant.site.save()
    make_person("Paint", roles=[Role.SUPERVISOR], areas=[plant.paint], crew=plant.first)
    answer = who_is_on_duty(Role.SUPERVISOR, plant.station, WEDNESDAY)
    assert (names(answer), answer.level, answer.is_gap) == (["Dale Hutchins"], DutyLevel.LAST_RESORT, True)
    assert answer.note == (
        "Nobody can be found as supervisor for Final Assembly, so Dale Hutchins is told instead."
    )


def test_without_a_last_resort_a_manager_then_a_superuser_then_anybody_is_told(plant: Any) -> None:
    anybody = make_person("Anybody", site=plant.site)
    rungs = [
        (make_person("IT manager", roles=[Role.IT_MANAGER], site=plant.site), ["IT manager"]),
        (make_person("Plant manager", roles=[Role.PLANT_MANAGER], site=plant.site), ["Plant manager"]),
        (make_person("Root", site=plant.site, is_superuser=True), ["Root"]),
    ]
    for person, expected in rungs:
        answer = who_is_on_duty(Role.SUPERVISOR, plant.site, WEDNESDAY)
        assert (names(answer), answer.level, answer.is_gap) == (expected, DutyLevel.LAST_RESORT, True)
        Person.objects.filter(pk=person.pk).update(is_active=False)
    assert who_is_on_duty(Role.SUPERVISOR, plant.site, WEDNESDAY).people == (anybody,)


def test_a_last_resort_of_another_site_is_better_than_nobody(plant: Any) -> None:
    other = make_site("DSC", name="Dunmore")
    make_person("Elsewhere", roles=[Role.IT_MANAGER], site=other)
    assert names(who_is_on_duty(Role.IT_TECH, plant.station, WEDNESDAY)) == ["Elsewhere"]


def test_only_a_database_without_active_people_is_an_error(plant: Any) -> None:
    make_person("Gone", roles=[Role.IT_TECH], site=plant.site, crew=plant.first, is_active=False)
    with pytest.raises(NobodyToTell, match="add a person who is active"):
        who_is_on_duty(Role.IT_TECH, plant.site, WEDNESDAY)


def test_inactive_people_are_never_told(plant: Any) -> None:
    plant.site.last_resort = make_person("Left", site=plant.site, is_active=False)
    plant.site.save()
    make_person("Gone", roles=[Role.IT_TECH], site=plant.site, crew=plant.first, is_active=False)
    make_person("Still here", roles=[Role.IT_TECH], site=plant.site, crew=plant.second)
    assert names(who_is_on_duty(Role.IT_TECH, plant.site, WEDNESDAY)) == ["Still here"]
    assert names(who_is_on_duty(Role.SUPERVISOR, plant.site, WEDNESDAY)) == ["Still here"]


def test_another_site_is_not_asked(plant: Any) -> None:
    other = make_site("DSC", name="Dunmore")
    make_person("Other", roles=[Role.IT_TECH], site=other, crew=plant.first)
    make_person("Ours", roles=[Role.IT_TECH], site=plant.site, crew=plant.second)
    assert names(who_is_on_duty(Role.IT_TECH, plant.station, WEDNESDAY)) == ["Ours"]


def test_a_role_for_two_sites_answers_for_both(plant: Any) -> None:
    other = make_site("DSC", name="Dunmore")
    both = make_person("Both", roles=[Role.IT_TECH], site=plant.site, crew=plant.first)
    both.role_assignments.create(role=Role.IT_TECH, site=other)
    for site in (plant.site, other):
        answer = who_is_on_duty(Role.IT_TECH, site, WEDNESDAY)
        assert (names(answer), answer.is_gap) == (["Both"], False)


def test_about_a_whole_site_its_areas_answer_when_nobody_holds_the_role_for_all_of_it(plant: Any) -> None:
    make_person("Assembly", roles=[Role.SUPERVISOR], areas=[plant.assembly], crew=plant.first)
    make_person("Paint", roles=[Role.SUPERVISOR], areas=[plant.paint], crew=plant.first)
    make_person("Nights", roles=[Role.SUPERVISOR], areas=[plant.paint], crew=plant.third)
    answer = who_is_on_duty(Role.SUPERVISOR, plant.site, WEDNESDAY)
    assert (names(answer), answer.level, answer.is_gap) == (["Assembly", "Paint"], DutyLevel.AREA, False)


def test_about_a_whole_site_those_who_hold_the_role_for_all_of_it_come_first(plant: Any) -> None:
    make_person("Assembly", roles=[Role.SUPERVISOR], areas=[plant.assembly], crew=plant.first)
    make_person("Everywhere", roles=[Role.SUPERVISOR], site=plant.site, crew=plant.first)
    answer = who_is_on_duty(Role.SUPERVISOR, plant.site, WEDNESDAY)
    assert (names(answer), answer.level, answer.is_gap) == (["Everywhere"], DutyLevel.SITE, False)


def test_somebody_who_holds_the_role_twice_is_told_once(plant: Any) -> None:
    person = make_person("Twice", roles=[Role.SUPERVISOR], areas=[plant.assembly], crew=plant.first)
    person.role_assignments.create(role=Role.SUPERVISOR, site=None)
    assert names(who_is_on_duty(Role.SUPERVISOR, plant.line, SATURDAY)) == ["Twice"]


def test_the_roster_changes_on_its_days(plant: Any) -> None:
    vela = make_person("Marcus Vela", roles=[Role.IT_TECH], site=plant.site)
    make_person("Zed", roles=[Role.IT_TECH], site=plant.site)
    vela.rosters.create(crew=plant.first, first_day=WEDNESDAY.date(), last_day=WEDNESDAY.date())
    book = DutyBook.load(WEDNESDAY)
    told = [names(book.on_duty(Role.IT_TECH, plant.site, WEDNESDAY + timedelta(days=n))) for n in (-1, 0, 1)]
    assert told == [["Marcus Vela", "Zed"], ["Marcus Vela"], ["Marcus Vela", "Zed"]]


def test_the_shift_change_at_22_brings_the_night_roster(plant: Any) -> None:
    for name, crew in (("First", plant.first), ("Second", plant.second), ("Third", plant.third)):
        make_person(name, roles=[Role.IT_TECH], site=plant.site, crew=crew)
    book = DutyBook.load(WEDNESDAY)
    ten = datetime(2026, 6, 3, 22, tzinfo=DETROIT)
    moments = [
        ten - timedelta(seconds=1),
        ten,
        ten + timedelta(hours=8, seconds=-1),
        ten + timedelta(hours=8),
    ]
    told = [names(book.on_duty(Role.IT_TECH, plant.station, at)) for at in moments]
    assert told == [["Second"], ["Third"], ["Third"], ["First"]]


@pytest.mark.parametrize(
    ("evening", "hours"),
    [(datetime(2026, 3, 7, 22, tzinfo=DETROIT), 7), (datetime(2026, 10, 31, 22, tzinfo=DETROIT), 9)],
    ids=["spring", "autumn"],
)
def test_on_the_nights_the_clock_changes_one_crew_follows_the_other(evening: datetime, hours: int) -> None:
    site = make_site()
    pattern = make_three_shifts(site=site)
    for code in ("SH1", "SH2", "SH3"):
        make_person(code, roles=[Role.IT_TECH], site=site, crew=crew_of(pattern, code))
    book = DutyBook.load(evening)
    start = evening.astimezone(UTC)
    told = [
        book.on_duty(Role.IT_TECH, site, start + timedelta(minutes=minute))
        for minute in range(-1, hours * 60 + 1)
    ]
    assert [names(answer) for answer in told] == [["SH2"], *[["SH3"]] * (hours * 60), ["SH1"]]
    assert not any(answer.is_gap for answer in told)


def test_a_two_two_three_has_one_crew_on_at_every_hour_of_a_year() -> None:
    site = make_site()
    pattern = make_two_two_three(site=site)
    for code in "ABCD":
        make_person(f"Crew {code}", roles=[Role.SUPERVISOR], site=site, crew=crew_of(pattern, code))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    book = DutyBook.load(start, until=start + timedelta(days=366))
    hours_worked: dict[str, int] = {}
    for hour in range(365 * 24):
        answer = book.on_duty(Role.SUPERVISOR, site, start + timedelta(hours=hour))
        assert len(answer.people) == 1
        assert not answer.is_gap
        hours_worked[answer.people[0].name] = hours_worked.get(answer.people[0].name, 0) + 1
    assert sum(hours_worked.values()) == 365 * 24
    assert all(abs(worked - 365 * 6) <= 24 for worked in hours_worked.values())


def test_between_two_shifts_and_the_next_morning_there_is_a_gap() -> None:
    site = make_site()
    pattern = make_two_shifts(site=site)
    for code in ("D1", "D2"):
        make_person(code, roles=[Role.IT_TECH], site=site, crew=crew_of(pattern, code))
    book = DutyBook.load(WEDNESDAY)
    gaps = [
        book.on_duty(Role.IT_TECH, site, datetime(2026, 6, 3, hour, tzinfo=DETROIT)).is_gap
        for hour in range(24)
    ]
    assert gaps == [True] * 5 + [False] * 18 + [True]


def test_now_is_meant_when_no_moment_is_given(plant: Any) -> None:
    boss = make_person("Boss", roles=[Role.IT_MANAGER], site=plant.site)
    assert who_is_on_duty(Role.IT_MANAGER, plant.site).people == (boss,)


def test_a_moment_without_a_zone_or_outside_of_the_book_or_an_unknown_role_is_an_error(plant: Any) -> None:
    make_person("Boss", roles=[Role.IT_MANAGER], site=plant.site)
    book = DutyBook.load(WEDNESDAY)
    with pytest.raises(ValueError, match="without a time zone"):
        book.on_duty(Role.IT_TECH, plant.site, WEDNESDAY.replace(tzinfo=None))
    with pytest.raises(ValueError, match="This book knows"):
        book.on_duty(Role.IT_TECH, plant.site, WEDNESDAY + timedelta(days=60))
    with pytest.raises(ValueError, match="juggler"):
        book.on_duty("juggler", plant.site, WEDNESDAY)


def test_a_book_takes_the_same_queries_however_many_people_and_stations(
    plant: Any, django_assert_num_queries: Any
) -> None:
    def ask_everything() -> None:
        book = DutyBook.load(WEDNESDAY)
        for role in Role:
            for place in (plant.station, plant.line, plant.assembly, plant.site):
                assert book.on_duty(role, place, WEDNESDAY).people

    make_person("One", roles=[Role.IT_MANAGER], site=plant.site, areas=[plant.paint], crew=plant.first)
    with django_assert_num_queries(9):
        ask_everything()
    for number in range(30):
        make_person(f"P{number}", roles=list(Role)[:3], areas=[plant.assembly], crew=plant.first)
        make_station(line=make_line(area=make_area(site=plant.site)))
    make_two_two_three(site=plant.site, areas=[plant.paint])
    with django_assert_num_queries(9):
        ask_everything()


def test_the_people_in_an_answer_know_their_roles_without_a_query(
    plant: Any, django_assert_num_queries: Any
) -> None:
    make_person("One", roles=[Role.IT_TECH], areas=[plant.assembly], crew=plant.first)
    answer = who_is_on_duty(Role.IT_TECH, plant.station, WEDNESDAY)
    with django_assert_num_queries(0):
        assert answer.people[0].holds(Role.IT_TECH, site=plant.site, area=plant.assembly)
        assert answer.note == ""
