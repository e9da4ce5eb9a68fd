"""Which shift is on in an area, when the next one starts, and which shifts a person has."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db.models import JSONField, Value

from plant.duty import DutyBook
from plant.models import Area, Crew, Person, Role
from tests.factories import (
    DETROIT,
    crew_of,
    make_area,
    make_person,
    make_site,
    make_three_shifts,
    make_two_shifts,
    put_on_roster,
)

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 6, 3, 9, tzinfo=DETROIT)


def shift_code(area: Area, at: datetime) -> str | None:
    span = DutyBook.load(at).shift_at(area, at)
    return span.code if span else None


def test_an_area_follows_the_pattern_that_names_it_else_that_of_its_site() -> None:
    site = make_site()
    named, other = make_area(site=site), make_area(site=site)
    make_two_shifts(site=site, areas=[named])
    make_three_shifts(site=site)
    elsewhere = make_area()
    assert shift_code(named, NINE) == "D1"
    assert shift_code(other, NINE) == "SH1"
    assert shift_code(elsewhere, NINE) is None


def test_a_shift_tells_when_it_started_and_when_it_ends() -> None:
    area = make_area()
    make_three_shifts(site=area.site)
    at = datetime(2026, 6, 4, 2, tzinfo=DETROIT)
    span = DutyBook.load(at).shift_at(area, at)
    assert span is not None
    assert span.starts_at == datetime(2026, 6, 3, 22, tzinfo=DETROIT)
    assert span.ends_at == datetime(2026, 6, 4, 6, tzinfo=DETROIT)
    assert span.starts_at.tzinfo is not None


def test_the_next_shift_starts_strictly_later_and_after_the_weekend_if_need_be() -> None:
    area = make_area()
    make_three_shifts(site=area.site, days=5)
    book = DutyBook.load(NINE)
    two = datetime(2026, 6, 3, 14, tzinfo=DETROIT)
    assert book.next_shift_starts(area, NINE) == two
    assert book.next_shift_starts(area, two) == two + timedelta(hours=8)
    friday = datetime(2026, 6, 5, 23, tzinfo=DETROIT)
    assert book.next_shift_starts(area, friday) == datetime(2026, 6, 8, 6, tzinfo=DETROIT)


def test_an_area_without_shifts_has_no_next_one() -> None:
    area = make_area()
    assert DutyBook.load(NINE).next_shift_starts(area, NINE) is None


def test_the_shifts_of_a_person_follow_their_rosters() -> None:
    site = make_site()
    pattern = make_three_shifts(site=site, days=5)
    person: Person = make_person(site=site)
    put_on_roster(person, crew_of(pattern, "SH1"), last_day=date(2026, 6, 3))
    put_on_roster(person, crew_of(pattern, "SH3"), first_day=date(2026, 6, 5))
    start = datetime(2026, 6, 1, tzinfo=DETROIT)
    spans = DutyBook.load(start).shifts_of(person, start, start + timedelta(days=7))
    assert [(span.day.day, span.code) for span in spans] == [(1, "SH1"), (2, "SH1"), (3, "SH1"), (5, "SH3")]


def test_somebody_who_was_never_rostered_has_no_shifts() -> None:
    person = make_person()
    book = DutyBook.load(NINE)
    assert book.shifts_of(person, NINE, NINE + timedelta(days=7)) == []
    assert not book.is_on_shift(person, NINE)


@pytest.mark.parametrize("rotation", [[], "junk", {"a": 1}, None, ["SH1", None, ["x"], 7], ["ZZ"]])
def test_a_rotation_nobody_can_read_is_days_off_and_stops_nothing(rotation: object) -> None:
    area = make_area()
    pattern = make_three_shifts(site=area.site)
    person = make_person("Marcus Vela", roles=[Role.IT_TECH], site=area.site, crew=crew_of(pattern, "SH1"))
    Crew.objects.filter(pattern=pattern).update(rotation=Value(rotation, JSONField()))
    book = DutyBook.load(NINE)
    assert book.on_duty(Role.IT_TECH, area, NINE).people == (person,)
    assert isinstance(book.shifts_of(person, NINE, NINE + timedelta(days=7)), list)
