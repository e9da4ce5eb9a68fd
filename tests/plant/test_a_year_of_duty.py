"""Every minute of a year has an answer, in areas of every kind of shift, through both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plant.duty import DutyBook
from plant.models import Area, Role, Site
from tests.factories import (
    DETROIT,
    crew_of,
    make_area,
    make_cover,
    make_person,
    make_site,
    make_three_shifts,
    make_two_shifts,
    make_two_two_three,
)

pytestmark = pytest.mark.django_db

START, END = datetime(2026, 1, 1, tzinfo=DETROIT), datetime(2027, 1, 1, tzinfo=DETROIT)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def areas() -> list[Area]:
    """3×8 on weekdays, 12 h rotating 2-2-3, two shifts; a technician in every crew; three weeks of leave."""
    site = make_site("MBK")
    places = [make_area(site=site, name=name) for name in ("Assembly", "Moulding", "Sequencing")]
    patterns = [
        make_three_shifts(site=site, areas=[places[0]], days=5),
        make_two_two_three(site=site, areas=[places[1]]),
        make_two_shifts(site=site, areas=[places[2]]),
    ]
    for place, pattern in zip(places, patterns, strict=True):
        for crew in pattern.crews.all():
            make_person(f"{place} {crew}", roles=[Role.IT_TECH], areas=[place], crew=crew)
    site.last_resort = make_person("Dale Hutchins", roles=[Role.IT_MANAGER], site=site)
    site.save()
    away = crew_of(patterns[0], "SH2").rosters.get().person
    make_cover(away, starts_at=START + timedelta(days=200), ends_at=START + timedelta(days=221))
    return places


def test_every_minute_of_a_year_has_an_answer_in_every_area(areas: list[Area]) -> None:
    """The answer of each spell, and each minute asked on its own, are the same; none is empty."""
    book = DutyBook.load(START, until=END)
    for area in areas:
        at, end = START.astimezone(UTC), END.astimezone(UTC)
        for spell in book.answers_between(Role.IT_TECH, area, at, end):
            assert spell.starts_at == at, "no hole and no overlap"
            assert spell.answer.people
            while at < spell.ends_at:
                assert book.on_duty(Role.IT_TECH, area, at) == spell.answer
                at += MINUTE
        assert at == end


def test_the_spells_of_a_year_meet_the_clock_on_the_wall(areas: list[Area]) -> None:
    """In an area with 3×8, every change falls on 06, 14 or 22 by the wall, or on a midnight of leave."""
    book = DutyBook.load(START, until=END)
    spells = book.answers_between(Role.IT_TECH, areas[0], START, END)
    hours = {spell.starts_at.astimezone(DETROIT).hour for spell in spells}
    assert hours == {0, 6, 14, 22}
    assert len(spells) > 700


def test_a_site_answers_at_every_change_too(areas: list[Area]) -> None:
    book = DutyBook.load(START, until=END)
    site: Site = areas[0].site
    spells = book.answers_between(Role.IT_TECH, site, START, END)
    assert spells[0].starts_at == START and spells[-1].ends_at == END
    assert all(spell.answer.people for spell in spells)
