"""How often a fix was really tried: shift starts from patterns and calendar, also when the clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from countermeasures import exposure
from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Stage
from countermeasures.wording import held_for
from incidents.models import Impact, SeverityRule, Status
from opsdesk.errors import Invalid, Refused
from plant.models import CalendarEntry, EntryKind, SiteCalendar
from plant.rotation import ONE_DAY
from plant.working_time import PlantHours
from tests.factories import (
    DETROIT,
    NOW,
    Floor,
    make_three_shifts,
    make_two_shifts,
    place_fix,
    plan_fix,
    reach,
)


def proving(floor: Floor, impact: Impact = Impact.STOPPED, **asked: Any) -> Countermeasure:
    return place_fix(floor, reach(floor, Status.CONTAINED, impact), **asked)


def local(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=DETROIT)


def starts(floor: Floor, after: datetime, until: datetime) -> int:
    return len(PlantHours.at(after + ONE_DAY).shift_starts(floor.area, after, until))


def stop(floor: Floor, first: datetime, last: datetime, kind: EntryKind = EntryKind.SHUTDOWN) -> None:
    CalendarEntry.objects.create(site=floor.site, kind=kind, name="Shutdown", starts_at=first, ends_at=last)


# --- what a shift start is ----------------------------------------------------------------------------------


def test_two_shifts_from_monday_to_friday_are_ten_starts_a_week(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    assert starts(floor, local(3, 2, 0), local(3, 9, 0)) == 10


def test_the_moment_itself_counts_only_at_the_end(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    assert starts(floor, local(3, 2, 5), local(3, 2, 13)) == 0
    assert starts(floor, local(3, 2, 5), local(3, 2, 14)) == 1


def test_crews_that_start_together_are_one_start(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    make_two_shifts(site=floor.site, areas=[floor.area])
    assert starts(floor, local(3, 2, 0), local(3, 3, 0)) == 2


@pytest.mark.parametrize("night", [local(3, 7, 12), local(10, 31, 12)], ids=["spring", "autumn"])
def test_the_nights_the_clock_changes_have_three_starts_like_any_other(floor: Floor, night: datetime) -> None:
    make_three_shifts(site=floor.site, areas=[floor.area])
    assert starts(floor, night, night + ONE_DAY) == 3


def test_a_shutdown_has_no_starts(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    stop(floor, local(3, 4, 0), local(3, 6, 0))
    assert starts(floor, local(3, 2, 0), local(3, 9, 0)) == 6


def test_a_shutdown_that_is_long_over_is_still_known(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    stop(floor, local(3, 4, 0), local(3, 6, 0))
    assert starts(floor, local(3, 2, 0), local(5, 4, 0)) == 9 * 10 - 4


def test_a_public_holiday_has_no_starts_unless_the_plant_works_all_the_same(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    SiteCalendar.objects.create(site=floor.site, country="US")
    assert starts(floor, local(5, 25, 0), local(5, 26, 0)) == 0  # Memorial Day
    stop(floor, local(5, 25, 0), local(5, 26, 0), EntryKind.WORKING)
    assert starts(floor, local(5, 25, 0), local(5, 26, 0)) == 2


def test_without_a_shift_pattern_each_worked_day_is_one(floor: Floor) -> None:
    assert starts(floor, local(3, 2, 9), local(3, 9, 9)) == 7
    SiteCalendar.objects.create(site=floor.site)
    assert starts(floor, local(3, 2, 9), local(3, 9, 9)) == 5  # Saturday and Sunday are off


# --- both must be reached -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("impact", "days", "times"),
    [(Impact.STOPPED, 30, 30), (Impact.AT_RISK, 60, 60), (Impact.WORKAROUND, 90, 60)],
)
def test_the_window_is_that_of_the_severity_unless_said(
    floor: Floor, impact: Impact, days: int, times: int
) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED, impact))
    assert (found.window_days, found.window_exposure, found.exposure_unit) == (days, times, "shift starts")
    said = plan_fix(floor, found.incident, window_days=20, window_exposure=5, exposure_unit=" Turnos ")
    assert (said.window_days, said.window_exposure, said.exposure_unit) == (20, 5, "shift starts")


def test_the_it_managers_number_counts_from_the_next_plan_on(floor: Floor) -> None:
    before = plan_fix(floor, reach(floor, Status.CONTAINED))
    SeverityRule.objects.filter(severity="S1").update(proving_shift_starts=45)
    assert plan_fix(floor, before.incident).window_exposure == 45
    before.refresh_from_db()
    assert before.window_exposure == 30


def test_days_alone_prove_nothing_where_the_line_stood_still(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    found = proving(floor, window_exposure=40)
    stop(floor, local(3, 3, 0), local(4, 1, 0))
    over = NOW + timedelta(days=31)
    with pytest.raises(Refused) as refusal:
        fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=over)
    assert refusal.value.code == "window_not_over"
    assert "30 of 30 days · 4 of 40 shift starts. Both must be reached" in str(refusal.value)
    later = NOW + timedelta(days=57)
    done = fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=later)
    assert (done.stage, done.exposed) == (Stage.EFFECTIVE, 40)


def test_shift_starts_alone_prove_nothing_before_the_days_are_over(floor: Floor) -> None:
    make_three_shifts(site=floor.site, areas=[floor.area])
    found = proving(floor)
    with pytest.raises(Refused) as refusal:
        fixes.check(
            found.pk, by=floor.supervisor, effective=True, measured="None", now=NOW + timedelta(days=29)
        )
    assert "29 of 30 days · 30 of 30 shift starts" in str(refusal.value)


def test_the_ten_boxes_are_the_lower_of_the_two(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    found = proving(floor, window_exposure=100)
    now = NOW + timedelta(days=14)
    assert exposure.count_shift_starts(now) == 1
    found.refresh_from_db()
    assert held_for(found, now) == "14 of 30 days · 20 of 100 shift starts"
    assert found.proof_boxes(now) == 2


def test_a_relapse_empties_days_and_times(floor: Floor) -> None:
    make_three_shifts(site=floor.site, areas=[floor.area])
    found = proving(floor)
    now = NOW + timedelta(days=14)
    exposure.count_shift_starts(now)
    failed = fixes.check(found.pk, by=floor.supervisor, effective=False, measured="Two stops", now=now)
    assert (failed.exposed, failed.times_held, failed.proof_boxes(now)) == (0, 0, 0)
    fixes.start(found.pk, by=floor.tech, due_on=now.date(), now=now)
    fixes.put_in_place(found.pk, by=floor.tech, evidence="Pinned harder", now=now)
    exposure.count_shift_starts(now + ONE_DAY)
    found.refresh_from_db()
    assert found.times_held == 3


def test_what_was_planned_before_exposure_was_asked_for_needs_its_days_only(floor: Floor) -> None:
    found = proving(floor)
    Countermeasure.objects.filter(pk=found.pk).update(window_exposure=None, exposure_unit="")
    over = NOW + timedelta(days=30)
    done = fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=over)
    assert held_for(done, over) == "30 of 30 days"


def test_a_unit_without_a_number_is_asked_about(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        plan_fix(floor, reach(floor, Status.CONTAINED), exposure_unit="trucks")
    assert refusal.value.fields is not None and list(refusal.value.fields) == ["window_exposure"]


def test_counting_asks_the_same_number_of_questions_for_one_and_for_many(floor: Floor) -> None:
    def questions(now: datetime) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            exposure.count_shift_starts(now)
        return len(asked)

    make_three_shifts(site=floor.site, areas=[floor.area])
    proving(floor)
    one = questions(NOW + ONE_DAY)
    for _ in range(3):
        proving(floor)
    exposure.count_shift_starts(NOW + ONE_DAY)
    assert questions(NOW + 2 * ONE_DAY) == one
    assert exposure.count_shift_starts(NOW + 2 * ONE_DAY) == 0


def test_a_moment_after_days_but_before_enough_shift_starts_is_inside_the_window(floor: Floor) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    found = proving(floor, window_exposure=61)
    days_over = datetime(2026, 4, 2, 12, 0, tzinfo=UTC)
    assert exposure.is_being_proved(found, days_over)
    enough = local(4, 13, 14)
    assert exposure.is_being_proved(found, enough - timedelta(minutes=1))
    assert not exposure.is_being_proved(found, enough + timedelta(minutes=1))
    assert found.proved_on == date(2026, 4, 1)
