"""Swap, holiday, sick: who is away is replaced by whoever stands in, or passed over."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from plant.duty import DutyAnswer, DutyBook, DutyLevel, who_is_on_duty
from plant.models import Cover, CoverKind, Role
from tests.factories import (
    DETROIT,
    crew_of,
    make_area,
    make_cover,
    make_person,
    make_site,
    make_three_shifts,
)

pytestmark = pytest.mark.django_db

SIX = datetime(2026, 6, 3, 6, tzinfo=DETROIT)
NINE = datetime(2026, 6, 3, 9, tzinfo=DETROIT)


@pytest.fixture
def plant() -> Any:
    """Vela works the first shift as technician, Ishida the second; Hutchins is the last resort."""
    site = make_site("MBK")
    pattern = make_three_shifts(site=site, days=5)
    first, second = crew_of(pattern, "SH1"), crew_of(pattern, "SH2")
    vela = make_person("Marcus Vela", roles=[Role.IT_TECH], site=site, crew=first)
    ishida = make_person("Jun Ishida", roles=[Role.IT_TECH], site=site, crew=second)
    site.last_resort = make_person("Dale Hutchins", roles=[Role.IT_MANAGER], site=site, crew=first)
    site.save()
    return SimpleNamespace(
        site=site, first=first, second=second, vela=vela, ishida=ishida, hutchins=site.last_resort
    )


def told(answer: DutyAnswer) -> tuple[list[str], DutyLevel, bool]:
    return [person.name for person in answer.people], answer.level, answer.is_gap


@pytest.mark.parametrize("kind", CoverKind)
def test_the_stand_in_takes_the_place_of_who_is_away(plant: Any, kind: CoverKind) -> None:
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=SIX, kind=kind)
    answer = who_is_on_duty(Role.IT_TECH, plant.site, NINE)
    assert told(answer) == (["Jun Ishida"], DutyLevel.SITE, False)
    assert answer.stands_in_for(plant.ishida) == [plant.vela]


def test_a_stand_in_without_the_role_answers_for_it_in_its_area_only(plant: Any) -> None:
    area, other = make_area(site=plant.site), make_area(site=plant.site, name="Paint")
    boone = make_person("Boone", roles=[Role.SUPERVISOR], areas=[area], crew=plant.first)
    helper = make_person("Helper", site=plant.site)
    make_cover(boone, stand_in=helper, starts_at=SIX)
    book = DutyBook.load(NINE)
    assert told(book.on_duty(Role.SUPERVISOR, area, NINE)) == (["Helper"], DutyLevel.AREA, False)
    assert told(book.on_duty(Role.SUPERVISOR, other, NINE)) == (
        ["Dale Hutchins"],
        DutyLevel.LAST_RESORT,
        True,
    )


def test_cover_for_a_part_of_the_shift_changes_hands_twice(plant: Any) -> None:
    ten = NINE + timedelta(hours=1)
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=ten, ends_at=ten + timedelta(hours=2))
    book = DutyBook.load(NINE)
    moments = [
        ten - timedelta(seconds=1),
        ten,
        ten + timedelta(hours=2, seconds=-1),
        ten + timedelta(hours=2),
    ]
    names = [told(book.on_duty(Role.IT_TECH, plant.site, at))[0] for at in moments]
    assert names == [["Marcus Vela"], ["Jun Ishida"], ["Jun Ishida"], ["Marcus Vela"]]


def test_outside_of_the_shift_of_who_is_away_the_stand_in_is_not_on_shift(plant: Any) -> None:
    make_cover(plant.vela, stand_in=plant.hutchins, starts_at=SIX, ends_at=SIX + timedelta(days=1))
    evening = SIX + timedelta(hours=10)
    assert told(who_is_on_duty(Role.IT_TECH, plant.site, evening)) == (["Jun Ishida"], DutyLevel.SITE, False)


def test_who_is_away_without_a_stand_in_is_passed_over(plant: Any) -> None:
    make_cover(plant.vela, starts_at=SIX, kind=CoverKind.SICK)
    assert told(who_is_on_duty(Role.IT_TECH, plant.site, NINE)) == (["Jun Ishida"], DutyLevel.OFF_SHIFT, True)


def test_off_shift_too_the_stand_in_is_told_instead_of_who_is_away(plant: Any) -> None:
    night = SIX - timedelta(hours=3)
    make_cover(plant.ishida, starts_at=night, kind=CoverKind.SICK)
    make_cover(plant.vela, stand_in=plant.hutchins, starts_at=night, kind=CoverKind.HOLIDAY)
    answer = who_is_on_duty(Role.IT_TECH, plant.site, night)
    assert told(answer) == (["Dale Hutchins"], DutyLevel.OFF_SHIFT, True)


def test_the_last_resort_comes_before_holders_who_are_away(plant: Any) -> None:
    make_cover(plant.vela, starts_at=SIX, kind=CoverKind.HOLIDAY)
    make_cover(plant.ishida, starts_at=SIX, kind=CoverKind.HOLIDAY)
    answer = who_is_on_duty(Role.IT_TECH, plant.site, NINE)
    assert told(answer) == (["Dale Hutchins"], DutyLevel.LAST_RESORT, True)


def test_who_is_away_is_told_when_nobody_else_is_left(plant: Any) -> None:
    for person in (plant.vela, plant.ishida, plant.hutchins):
        make_cover(person, starts_at=SIX, kind=CoverKind.HOLIDAY)
    answer = who_is_on_duty(Role.IT_TECH, plant.site, NINE)
    assert told(answer) == (["Jun Ishida", "Marcus Vela"], DutyLevel.OFF_SHIFT, True)


def test_a_manager_who_is_away_is_a_gap_when_somebody_further_up_is_told(plant: Any) -> None:
    local = make_person("Local", roles=[Role.PRODUCTION_MANAGER], site=plant.site)
    make_person("Corporate", roles=[Role.PRODUCTION_MANAGER], corporate=True)
    assert not who_is_on_duty(Role.PRODUCTION_MANAGER, plant.site, NINE).is_gap
    make_cover(local, starts_at=SIX, kind=CoverKind.HOLIDAY)
    answer = who_is_on_duty(Role.PRODUCTION_MANAGER, plant.site, NINE)
    assert told(answer) == (["Corporate"], DutyLevel.OFF_SHIFT, True)


def test_a_stand_in_who_is_away_too_is_replaced_in_turn(plant: Any) -> None:
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=SIX)
    make_cover(
        plant.ishida, stand_in=make_person("Third", site=plant.site), starts_at=SIX, kind=CoverKind.SICK
    )
    assert told(who_is_on_duty(Role.IT_TECH, plant.site, NINE))[0] == ["Third"]


def test_two_who_stand_in_for_each_other_at_once_are_both_away(plant: Any) -> None:
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=SIX)
    make_cover(plant.ishida, stand_in=plant.vela, starts_at=SIX)
    answer = who_is_on_duty(Role.IT_TECH, plant.site, NINE)
    assert told(answer) == (["Dale Hutchins"], DutyLevel.LAST_RESORT, True)


def test_of_two_covers_the_one_with_somebody_to_stand_in_counts(plant: Any) -> None:
    make_cover(plant.vela, starts_at=SIX)
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=SIX)
    assert told(who_is_on_duty(Role.IT_TECH, plant.site, NINE))[0] == ["Jun Ishida"]


def test_a_stand_in_who_has_left_does_not_count(plant: Any) -> None:
    gone = make_person("Gone", site=plant.site, is_active=False)
    make_cover(plant.vela, stand_in=gone, starts_at=SIX)
    assert told(who_is_on_duty(Role.IT_TECH, plant.site, NINE))[0] == ["Jun Ishida"]


def test_standing_in_counts_as_being_on_shift(plant: Any) -> None:
    make_cover(plant.vela, stand_in=plant.ishida, starts_at=SIX)
    book = DutyBook.load(NINE)
    assert book.is_on_shift(plant.ishida, NINE)
    assert not book.is_on_shift(plant.vela, NINE)
    assert book.is_on_shift(plant.vela, NINE + timedelta(days=1))


def test_cover_ends_after_it_starts_and_is_given_by_somebody_else(plant: Any) -> None:
    wrong = [
        Cover(absent=plant.vela, stand_in=plant.vela, starts_at=SIX, ends_at=NINE),
        Cover(absent=plant.vela, starts_at=NINE, ends_at=SIX),
    ]
    said = ["Nobody can stand in for themselves.", "Cover must end after it starts."]
    for cover, sentence in zip(wrong, said, strict=True):
        with pytest.raises(ValidationError, match=sentence):
            cover.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            cover.save()
