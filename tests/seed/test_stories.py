"""The stories of the demo plant fit together whenever it is built: weekends, nights, clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation.demo.past import small_things
from escalation.demo.story import Fix, Story, load, read_stories

MOMENTS = [
    datetime(2026, 6, 2, 14, 0, tzinfo=UTC),
    datetime(2026, 6, 6, 7, 30, tzinfo=UTC),
    datetime(2026, 6, 8, 3, 59, tzinfo=UTC),
    datetime(2026, 3, 8, 7, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    datetime(2027, 1, 1, 5, 0, tzinfo=UTC),
]
"""A Tuesday morning, a Saturday and a Sunday night, both nights on which the clock changes, New Year."""


def stories(now: datetime) -> list[Story]:
    data = load()
    return read_stories(data, now=now) + small_things(data, now=now)


def fixes(now: datetime) -> list[tuple[Story, Fix]]:
    return [(story, fix) for story in stories(now) for fix in (story.failed_fix, story.fix) if fix]


@pytest.mark.parametrize("now", MOMENTS)
def test_nothing_that_has_happened_is_still_to_come(now: datetime) -> None:
    for story in stories(now):
        last = max(m or 0 for m in (story.ack, story.contain, story.restore, story.closed_small))
        assert story.opened + timedelta(minutes=last) <= now, story.key
    for story, fix in fixes(now):
        assert fix.planned_at <= now, story.key
        assert fix.placed_at is None or fix.placed_at <= now, story.key


@pytest.mark.parametrize("now", MOMENTS)
def test_a_fix_is_planned_then_in_place_then_proved_over_its_whole_window(now: datetime) -> None:
    for story, fix in fixes(now):
        assert story.opened < fix.planned_at, story.key
        if fix.placed_at:
            assert fix.planned_at < fix.placed_at, story.key
        if fix.checked_at and fix.is_effective:
            assert fix.placed_at is not None
            assert fix.checked_at - fix.placed_at >= timedelta(days=fix.window_days), story.key
            assert fix.checked_at + timedelta(hours=2) <= now, story.key


@pytest.mark.parametrize("now", MOMENTS)
def test_lines_that_rest_on_weekends_have_no_trouble_then(now: datetime) -> None:
    for story in read_stories(load(), now=now)[:35]:
        if story.station.startswith(("ASM-", "SHP-", "PNT-")):
            assert story.opened.weekday() < 5, story.key


def test_everything_was_picked_up_before_product_moved() -> None:
    for story in stories(MOMENTS[0]):
        if story.contain is not None:
            assert story.ack is not None
            assert story.ack < story.contain, story.key


def test_titles_fit_a_screen_and_an_sms() -> None:
    assert max(len(story.title) for story in stories(MOMENTS[0])) <= 60


def test_the_small_things_are_the_same_every_time() -> None:
    one, two = (small_things(load(), now=MOMENTS[0]) for _again in range(2))
    assert one == two


def test_the_numbers_of_the_small_things_end_where_the_told_ones_begin() -> None:
    data = load()
    numbers = [story.number for story in small_things(data, now=MOMENTS[0])]
    assert numbers == list(range(751, 1001))
    assert [story.number for story in read_stories(data, now=MOMENTS[0])] == list(range(1001, 1041))


def test_more_small_things_show_when_a_shift_starts_than_at_other_hours() -> None:
    hours = [story.opened.hour for story in small_things(load(), now=MOMENTS[0])]
    at_start = sum(hours.count(hour) for hour in (6, 14, 22)) / 3
    assert at_start > 2 * len(hours) / 24


def test_people_say_the_time_on_the_clock() -> None:
    for story in stories(MOMENTS[0]):
        for said in story.said:
            assert "+" not in said.conditions + said.actions + said.needs, story.key
