"""When a site practises: weekly, by its own clock, in turn, and later when that does not fit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from escalation.drills import plan, running
from escalation.models import Drill, DrillPlan, Notification, Reason, Storm, Weekday
from incidents import lifecycle
from incidents.models import Event, EventKind
from opsdesk.errors import NotAllowed
from plant.models import CalendarEntry, EntryKind, SiteCalendar
from tests import factories as make
from tests.scenarios.world import build_world

WEDNESDAY = datetime(2025, 11, 5, 15, 0, tzinfo=UTC)
"""10:00 by the clock in Detroit; the world stands on the Tuesday before."""


@pytest.fixture
def weekly(world: Any) -> DrillPlan:
    return plan.plan_of(world.site, world.now)


def look_at(*moments: datetime) -> list[Drill]:
    for now in moments:
        running.look(now=now)
    return list(Drill.objects.order_by("started_at"))


def every_five_minutes(start: datetime, hours: float) -> list[datetime]:
    return [start + timedelta(minutes=5 * n) for n in range(int(hours * 12))]


def local(drill: Drill) -> str:
    return f"{drill.started_at.astimezone(drill.site.tz):%a %H:%M}"


def test_a_site_practises_on_wednesday_at_ten_unless_somebody_says_otherwise(
    world: Any, weekly: DrillPlan
) -> None:
    assert (weekly.is_on, weekly.weekday, weekly.at, weekly.severity) == (
        *(True, Weekday.WEDNESDAY, time(10)),
        "S1",
    )
    assert look_at(WEDNESDAY - timedelta(minutes=1)) == []
    assert [local(one) for one in look_at(WEDNESDAY, WEDNESDAY)] == ["Wed 10:00"]
    ahead = plan.ahead(DrillPlan.objects.get(), [world.area], WEDNESDAY + timedelta(hours=1))
    assert ahead is not None and ahead.at == WEDNESDAY + timedelta(days=7)


def test_a_new_site_waits_for_its_next_planned_moment(world: Any) -> None:
    assert look_at(*every_five_minutes(WEDNESDAY + timedelta(days=1), 24)) == []


def test_the_hour_is_the_one_on_the_wall_on_both_sides_of_a_clock_change(
    world: Any, weekly: DrillPlan
) -> None:
    summer = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
    assert plan.last_slot(weekly, summer) == datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
    assert plan.next_slot(weekly, summer) == datetime(2026, 3, 11, 14, 0, tzinfo=UTC)


def test_a_time_that_the_clock_skips_is_the_moment_of_the_jump(world: Any) -> None:
    found = DrillPlan(site=world.site, weekday=Weekday.SUNDAY, at=time(2, 30))
    assert plan.next_slot(found, datetime(2026, 3, 7, 12, tzinfo=UTC)) == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_the_weeks_are_seven_days_apart_for_a_year(world: Any, weekly: DrillPlan) -> None:
    at, slots = WEDNESDAY, []
    for _week in range(52):
        at = plan.next_slot(weekly, at)
        slots.append(at.astimezone(world.site.tz))
    assert {(one.weekday(), one.hour) for one in slots} == {(2, 10)}
    assert len({one.date() for one in slots}) == 52


def test_on_a_holiday_it_moves_to_the_next_day_and_says_so(world: Any, weekly: DrillPlan) -> None:
    SiteCalendar.objects.create(site=world.site, country="US")
    thanksgiving = datetime(2025, 11, 27, 15, 0, tzinfo=UTC)
    asked: dict[str, Any] = {"by": world["hutchins"], "is_on": True, "severity": "S1"}
    before = thanksgiving - timedelta(days=2)
    found = plan.change_plan(world.site, weekday=Weekday.THURSDAY, at=time(10), now=before, **asked)
    ahead = plan.ahead(found, [world.area], before)
    assert ahead is not None and ahead.is_moved
    assert (ahead.at, ahead.why) == (thanksgiving + timedelta(days=1), "Thanksgiving Day")
    assert [local(one) for one in look_at(*every_five_minutes(thanksgiving, 30))] == ["Fri 10:00"]


def test_in_a_shutdown_it_waits_for_the_first_day_after(world: Any, weekly: DrillPlan) -> None:
    CalendarEntry.objects.create(
        site=world.site,
        kind=EntryKind.SHUTDOWN,
        name="Stocktaking",
        starts_at=WEDNESDAY - timedelta(hours=10),
        ends_at=WEDNESDAY + timedelta(hours=38),
    )
    ahead = plan.ahead(weekly, [world.area], world.now)
    assert ahead is not None
    assert (ahead.at, ahead.why) == (WEDNESDAY + timedelta(days=2), "Stocktaking")


def test_a_real_stop_moves_it_to_the_next_full_hour(world: Any, weekly: DrillPlan) -> None:
    world.now = WEDNESDAY - timedelta(minutes=5)
    real = world.raise_it("stopped")
    assert look_at(*every_five_minutes(WEDNESDAY, 0.5)) == []
    ahead = plan.ahead(weekly, [world.area], WEDNESDAY + timedelta(minutes=20))
    assert ahead is not None and ahead.at == WEDNESDAY + timedelta(hours=1)
    assert real.code in ahead.why
    lifecycle.take_back(real.number, by=world["petty"], now=WEDNESDAY)
    found = look_at(*every_five_minutes(WEDNESDAY + timedelta(minutes=30), 2))
    assert [local(one) for one in found] == ["Wed 11:00"]


def test_a_storm_moves_it_too(world: Any, weekly: DrillPlan) -> None:
    Storm.objects.create(site=world.site, area=world.area, began_at=WEDNESDAY)
    assert look_at(*every_five_minutes(WEDNESDAY, 3)) == []


def test_a_week_with_no_room_is_left_out_and_the_next_is_on_time(world: Any, weekly: DrillPlan) -> None:
    storm = Storm.objects.create(site=world.site, area=None, began_at=WEDNESDAY)
    assert look_at(*(WEDNESDAY + timedelta(hours=n) for n in range(24 * 6))) == []
    storm.ended_at = WEDNESDAY + timedelta(days=6)
    storm.save(update_fields=["ended_at"])
    found = look_at(*(WEDNESDAY + timedelta(days=6, hours=20, minutes=30 * n) for n in range(10)))
    assert [local(one) for one in found] == ["Wed 10:00"]


def test_who_was_asleep_at_the_time_makes_it_at_the_next_hour(world: Any, weekly: DrillPlan) -> None:
    found = look_at(*every_five_minutes(WEDNESDAY + timedelta(minutes=40), 1))
    assert [local(one) for one in found] == ["Wed 11:00"]


def test_the_areas_take_turns(world: Any, weekly: DrillPlan) -> None:
    paint = make.make_area("MBK-PNT", site=world.site, name="Paint")
    make.make_line("PNT-1", area=paint)
    make.make_area("MBK-YRD", site=world.site, name="Yard without lines")
    for week in range(4):
        look_at(WEDNESDAY + timedelta(days=7 * week))
        Drill.objects.filter(ended_at=None).update(ended_at=WEDNESDAY + timedelta(days=7 * week, hours=1))
    turns = Drill.objects.order_by("started_at").values_list("area__code", flat=True)
    assert list(turns) == ["MBK-ASM", "MBK-PNT", "MBK-ASM", "MBK-PNT"]


def test_switched_off_it_does_not_happen(world: Any, weekly: DrillPlan) -> None:
    plan.change_plan(
        world.site,
        by=world["hutchins"],
        is_on=False,
        weekday=2,
        at=time(10),
        severity="S1",
        now=world.now,
    )
    assert look_at(*every_five_minutes(WEDNESDAY, 2)) == []
    assert plan.ahead(DrillPlan.objects.get(), [world.area], world.now) is None


def test_switched_on_again_or_moved_it_makes_nothing_up(world: Any, weekly: DrillPlan) -> None:
    thursday = WEDNESDAY + timedelta(days=1)
    asked: dict[str, Any] = {"by": world["hutchins"], "is_on": True, "severity": "S2", "now": thursday}
    plan.change_plan(world.site, weekday=Weekday.MONDAY, at=time(9), **asked)
    assert look_at(*every_five_minutes(thursday, 6)) == []
    monday = datetime(2025, 11, 10, 14, 0, tzinfo=UTC)
    found = look_at(monday)
    assert [(local(one), one.incident.severity) for one in found] == [("Mon 09:00", "S2")]


def test_only_an_it_manager_changes_the_plan(world: Any, weekly: DrillPlan) -> None:
    with pytest.raises(NotAllowed):
        plan.change_plan(world.site, by=world["tillery"], is_on=False, weekday=2, at=time(10), severity="S1")


def test_one_site_in_trouble_does_not_keep_the_others_from_practising(
    world: Any, weekly: DrillPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make.make_site("DSC")
    make.make_line(area=make.make_area("DSC-SEQ", site=other))
    plan.plan_of(other, world.now)
    right = running.start

    def start(site: Any, **asked: Any) -> Drill:
        if site.code == "DSC":
            raise ZeroDivisionError
        return right(site, **asked)

    monkeypatch.setattr(running, "start", start)
    assert [one.site.code for one in look_at(WEDNESDAY)] == ["MBK"]


def at_once(work: Callable[[], object], *, times: int = 4) -> None:
    """The same thing in several threads at one moment, each with a connection of its own."""
    together = threading.Barrier(times)

    def go() -> None:
        try:
            together.wait()
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _n in range(times)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_make_one_drill() -> None:
    world = build_world()
    plan.plan_of(world.site, world.now)
    at_once(lambda: running.look(now=WEDNESDAY))
    assert Drill.objects.count() == 1
    assert DrillPlan.objects.get().last_slot == WEDNESDAY


@pytest.mark.django_db(transaction=True)
def test_several_that_end_it_at_once_send_one_report() -> None:
    world = build_world()
    drill = running.start(world.site, by=None, severity="S1", area=world.area, now=world.now)
    late = world.now + running.GIVE_UP + timedelta(minutes=1)
    at_once(lambda: running.look(now=late))
    assert Drill.objects.get().report["why"] == "unfinished"
    assert Notification.objects.filter(reason=Reason.DRILL_REPORT).count() == 1
    assert Event.objects.filter(incident=drill.incident, kind=EventKind.CLOSED).count() == 1
