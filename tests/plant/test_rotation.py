"""Shifts by the clock on the wall become instants: no database in here."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from plant.rotation import CrewCalendar, ShiftTimes, instant
from tests.factories import DETROIT, MONDAY, TWO_TWO_THREE

BERLIN = ZoneInfo("Europe/Berlin")
CAIRO = ZoneInfo("Africa/Cairo")
HOUR = timedelta(hours=1)


def crew(
    rotation: list[str], tz: ZoneInfo = DETROIT, name: str = "A", **shifts: tuple[time, time]
) -> CrewCalendar:
    times = {code: ShiftTimes(code, code, *hours) for code, hours in shifts.items()}
    return CrewCalendar(name, MONDAY, rotation, times, tz)


def three_by_eight(tz: ZoneInfo = DETROIT) -> list[CrewCalendar]:
    hours = {"SH1": (time(6), time(14)), "SH2": (time(14), time(22)), "SH3": (time(22), time(6))}
    return [crew([code] * 7, tz, code, **hours) for code in hours]


def two_two_three(tz: ZoneInfo = DETROIT) -> list[CrewCalendar]:
    hours = {"MD": (time(6), time(18)), "MN": (time(18), time(6))}
    return [
        crew([code if works == on else "" for works in TWO_TWO_THREE], tz, f"{code}{on}", **hours)
        for code in hours
        for on in (1, 0)
    ]


@pytest.mark.parametrize(
    ("day", "wall", "tz", "expected"),
    [
        (date(2026, 1, 5), time(22), DETROIT, datetime(2026, 1, 6, 3, tzinfo=UTC)),
        (date(2026, 7, 6), time(22), DETROIT, datetime(2026, 7, 7, 2, tzinfo=UTC)),
        (date(2026, 3, 8), time(1, 59), DETROIT, datetime(2026, 3, 8, 6, 59, tzinfo=UTC)),
        (date(2026, 3, 8), time(2), DETROIT, datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (date(2026, 3, 8), time(2, 30), DETROIT, datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (date(2026, 3, 8), time(3), DETROIT, datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (date(2026, 11, 1), time(1, 30), DETROIT, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        (date(2026, 11, 1), time(2), DETROIT, datetime(2026, 11, 1, 7, tzinfo=UTC)),
        (date(2026, 3, 29), time(2, 30), BERLIN, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (date(2026, 4, 24), time(0), CAIRO, datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ],
    ids=str,
)
def test_every_wall_time_is_one_instant(day: date, wall: time, tz: ZoneInfo, expected: datetime) -> None:
    assert instant(day, wall, tz) == expected


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1), date(2026, 6, 1)], ids=str)
def test_later_on_the_wall_is_never_earlier_in_fact(day: date) -> None:
    walls = [time(hour, minute) for hour in range(24) for minute in range(0, 60, 5)]
    moments = [instant(day, wall, DETROIT) for wall in walls]
    assert moments == sorted(moments)


@pytest.mark.parametrize(
    ("night", "hours"), [(date(2026, 3, 7), 7), (date(2026, 10, 31), 9), (date(2026, 3, 6), 8)], ids=str
)
def test_the_night_shift_lasts_an_hour_less_in_spring_and_more_in_autumn(night: date, hours: int) -> None:
    span = three_by_eight()[2].span_on(night)
    assert span is not None
    assert span.lasts == hours * HOUR


@pytest.mark.parametrize("crews", [three_by_eight(), two_two_three()], ids=["3x8", "12 h 2-2-3"])
@pytest.mark.parametrize("tz", [DETROIT, BERLIN, ZoneInfo("Australia/Lord_Howe")], ids=str)
def test_exactly_one_crew_works_at_every_quarter_of_an_hour_of_a_year(
    crews: list[CrewCalendar], tz: ZoneInfo
) -> None:
    crews = [
        CrewCalendar(one.crew, one.anchor, one.rotation, one.shifts, tz) for one in crews
    ]  # a calendar remembers its spans, so each zone gets its own
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while at < datetime(2027, 1, 2, tzinfo=UTC):
        working = [one.crew for one in crews if one.span_at(at)]
        assert len(working) == 1, at
        at += timedelta(minutes=15)


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)], ids=str)
def test_crews_that_change_in_the_hour_the_clock_changes_leave_no_gap_and_no_overlap(day: date) -> None:
    before = crew(["N"] * 7, N=(time(18), time(2, 30)))
    after = crew(["M"] * 7, M=(time(2, 30), time(10)))
    left, right = before.span_on(day - timedelta(days=1)), after.span_on(day)
    assert left is not None
    assert right is not None
    assert left.ends_at == right.starts_at


def test_each_crew_of_a_two_two_three_works_half_of_the_days() -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(364)]
    for one in two_two_three():
        assert sum(1 for day in days if one.span_on(day)) == 182


def test_a_shift_past_midnight_belongs_to_the_day_it_starts() -> None:
    night = three_by_eight()[2]
    span = night.span_at(datetime(2026, 6, 3, 3, tzinfo=DETROIT))
    assert span is not None
    assert span.day == date(2026, 6, 2)


def test_a_shift_starts_at_its_first_instant_and_ends_before_its_last() -> None:
    day = three_by_eight()[0]
    assert day.span_at(datetime(2026, 6, 3, 5, 59, 59, tzinfo=DETROIT)) is None
    assert day.span_at(datetime(2026, 6, 3, 6, tzinfo=DETROIT)) is not None
    assert day.span_at(datetime(2026, 6, 3, 14, tzinfo=DETROIT)) is None


def test_a_shift_that_lies_in_the_skipped_hour_does_not_exist_that_day() -> None:
    short = crew(["X"] * 7, X=(time(2, 15), time(2, 45)))
    assert short.span_on(date(2026, 3, 8)) is None
    assert short.span_on(date(2026, 3, 9)) is not None


@pytest.mark.parametrize("rotation", [[], ["?"], ["", ""]], ids=["empty", "unknown code", "days off"])
def test_a_rotation_without_a_known_shift_means_days_off(rotation: list[str]) -> None:
    nobody = crew(rotation, SH1=(time(6), time(14)))
    assert nobody.span_at(datetime(2026, 6, 3, 8, tzinfo=DETROIT)) is None
    assert nobody.next_span_after(datetime(2026, 6, 3, 8, tzinfo=DETROIT)) is None


def test_days_before_the_anchor_follow_the_same_cycle() -> None:
    weekdays = crew(["SH1"] * 5 + ["", ""], SH1=(time(6), time(14)))
    assert weekdays.span_on(MONDAY - timedelta(days=1)) is None
    assert weekdays.span_on(MONDAY - timedelta(days=3)) is not None


def test_the_next_shift_is_found_across_days_off() -> None:
    weekdays = crew(["SH1"] * 5 + ["", ""], SH1=(time(6), time(14)))
    friday_noon = datetime(2026, 6, 5, 12, tzinfo=DETROIT)
    span = weekdays.next_span_after(friday_noon)
    assert span is not None
    assert span.starts_at == datetime(2026, 6, 8, 6, tzinfo=DETROIT)


def test_spans_between_two_moments_include_those_cut_by_them() -> None:
    night = three_by_eight()[2]
    spans = list(
        night.spans_between(datetime(2026, 6, 3, 1, tzinfo=DETROIT), datetime(2026, 6, 4, 22, tzinfo=DETROIT))
    )
    assert [span.day.day for span in spans] == [2, 3]
