"""The plant's calendar drives the clocks: what can wait, waits for the next working minute, and says so."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest

from escalation import ladder, outbox
from escalation.defaults import DEFAULT_CLOCKS
from escalation.engine import tick
from escalation.models import Notification, Reason, Timer, Unread
from escalation.policies import publish
from escalation.preview import preview
from incidents import lifecycle
from incidents.models import EventKind, Impact, Incident, Severity
from plant.duty import DutyBook
from plant.lifecycle import add_entry, change_entry, remove_entry, set_calendar
from plant.models import CalendarEntry, Crew, EntryKind, Shift, SiteCalendar
from tests.factories import DETROIT, make_site


def local(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=DETROIT)


def stop(plant: Any, start: datetime, end: datetime, kind: EntryKind = EntryKind.SHUTDOWN) -> CalendarEntry:
    times = {"starts_at": start, "ends_at": end, "now": plant.now}
    return add_entry(plant.site, by=plant["hutchins"], kind=kind, name="Summer shutdown", **times)


def turn(plant: Any, at: datetime | None = None) -> None:
    """One turn of the engine, now or at that moment."""
    plant.now = at or plant.now
    tick(now=plant.now)
    outbox.drain(now=plant.now)


def timer(incident: Incident, clock: str = "response") -> Timer:
    return Timer.objects.armed().get(incident=incident, clock=clock)


def heard(incident: Incident) -> list[datetime]:
    """When somebody was told, each moment once."""
    found = Notification.objects.filter(incident=incident).order_by("created_at")
    return list(dict.fromkeys(one.created_at for one in found))


def raised_at(plant: Any, at: datetime, impact: str = "workaround") -> Incident:
    plant.now = at
    incident: Incident = plant.raise_it(impact)
    turn(plant)
    return incident


def test_raised_on_saturday_a_workaround_waits_for_monday_and_says_why(plant: Any) -> None:
    incident = raised_at(plant, local(11, 8, 11))
    waits = timer(incident)
    assert (waits.due_at, waits.planned_at) == (local(11, 10, 5), local(11, 8, 11))
    assert waits.waits_for == "Weekend"
    turn(plant, local(11, 10, 4, 59))
    assert heard(incident) == []
    turn(plant, local(11, 10, 5))
    assert heard(incident) == [local(11, 10, 5)]
    assert not Notification.objects.filter(note__contains="late").exists()


@pytest.mark.parametrize("impact", ["stopped", "at_risk", "safety"])
def test_what_is_urgent_never_waits(plant: Any, impact: str) -> None:
    stop(plant, local(11, 7, 18), local(11, 21))
    incident = raised_at(plant, local(11, 8, 11), impact)
    assert heard(incident) == [local(11, 8, 11)]
    assert not Timer.objects.filter(incident=incident).exclude(waits_for="").exists()


def test_after_a_long_weekend_one_step_goes_out_and_the_next_a_full_gap_later(plant: Any) -> None:
    incident = raised_at(plant, local(11, 7, 23, 10))
    for minutes in range(-2, 70):
        turn(plant, local(11, 10, 5) + timedelta(minutes=minutes))
    assert heard(incident) == [local(11, 10, 5), local(11, 10, 6)]


def test_a_shutdown_holds_a_minor_thing_for_two_weeks(plant: Any) -> None:
    stop(plant, local(11, 8), local(11, 22))
    incident = raised_at(plant, local(11, 7, 20), "none")
    assert timer(incident).due_at == local(11, 24, 5)
    assert timer(incident).waits_for == "Summer shutdown"


def test_on_a_holiday_it_waits_for_the_next_working_day(plant: Any) -> None:
    SiteCalendar.objects.create(site=plant.site, country="US", subdivision="MI")
    incident = raised_at(plant, local(11, 27, 9))
    assert timer(incident).waits_for == "Thanksgiving Day"
    assert timer(incident).due_at == local(12, 1, 5)  # and the day after it is one in Michigan


def test_planned_downtime_of_the_area_holds_it_for_an_hour(plant: Any) -> None:
    entry = stop(plant, local(11, 5, 10), local(11, 5, 11), EntryKind.DOWNTIME)
    entry.areas.set([plant.area])
    incident = raised_at(plant, local(11, 5, 10, 20))
    assert timer(incident).due_at == local(11, 5, 11)
    turn(plant, local(11, 5, 11))
    assert heard(incident) == [local(11, 5, 11)]
    assert timer(incident).due_at == local(11, 5, 12)


def test_raised_before_midnight_it_waits_for_the_first_shift(plant: Any) -> None:
    incident = raised_at(plant, local(11, 4, 23, 40))
    assert (timer(incident).due_at, timer(incident).waits_for) == (local(11, 5, 5), "No shift")


def test_over_the_night_the_clocks_go_back_it_is_five_by_the_clock_on_the_wall(plant: Any) -> None:
    incident = raised_at(plant, local(11, 1, 12))
    due = timer(incident).due_at
    assert due == local(11, 3, 5)
    assert due - local(11, 1, 12) == timedelta(hours=42), "41 by the wall"


def test_over_the_night_the_clocks_go_forward_it_is_five_by_the_clock_on_the_wall(plant: Any) -> None:
    incident = raised_at(plant, local(3, 8, 12))
    due = timer(incident).due_at
    assert due == local(3, 10, 5)
    assert due - local(3, 8, 12) == timedelta(hours=40), "41 by the wall"


def test_a_place_that_never_works_again_is_still_told_of(plant: Any) -> None:
    stop(plant, local(11, 5), local(11, 5) + timedelta(days=300))
    incident = raised_at(plant, local(11, 6, 9))
    assert timer(incident).due_at == local(11, 6, 9) + timedelta(days=62)
    turn(plant, local(11, 6, 9) + timedelta(days=62))
    assert len(heard(incident)) == 1
    assert Timer.objects.armed().filter(incident=incident, clock="response").exists()


# --- who is asked to answer ---


@pytest.fixture
def asking() -> None:
    """A workaround asks the technicians, whom it tells first, to answer."""
    clocks = deepcopy(DEFAULT_CLOCKS["S3"])
    clocks["response"][0]["answer"] = True
    publish(by=None, severity="S3", clocks=clocks, why="Each answers for themselves")


def again(incident: Incident) -> list[datetime]:
    """When the technician on the first shift was asked again."""
    found = Notification.objects.filter(incident=incident, reason=Reason.ASKED_AGAIN)
    return sorted({one.created_at for one in found})


def test_whoever_was_asked_before_the_weekend_is_asked_again_on_monday(plant: Any, asking: None) -> None:
    """And nobody above them hears on Saturday that they have not answered."""
    incident = raised_at(plant, local(11, 7, 22, 10))
    assert heard(incident) == [local(11, 7, 22, 10)]
    for hour in range(1, 55):
        turn(plant, local(11, 7, 22, 10) + timedelta(hours=hour))
    assert heard(incident) == [local(11, 7, 22, 10)]
    turn(plant, local(11, 10, 5))
    assert again(incident) == [local(11, 10, 5)]
    assert not Notification.objects.filter(incident=incident, note__contains="late").exists()
    for hour in (6, 7, 8):
        turn(plant, local(11, 10, hour))
    assert again(incident) == [local(11, 10, hour) for hour in (5, 6, 7)]
    gave_up = incident.events.get(kind=EventKind.NOT_ANSWERED)
    assert gave_up.at == local(11, 10, 8)


def test_an_outage_that_ends_on_saturday_asks_nobody_again_before_monday(plant: Any, asking: None) -> None:
    incident = raised_at(plant, local(11, 7, 21, 10))
    turn(plant, local(11, 8, 9))  # due on Friday at 22:10
    assert again(incident) == []
    turn(plant, local(11, 10, 5))
    assert again(incident) == [local(11, 10, 5)]


def test_a_shutdown_planned_now_holds_the_asking_until_it_is_called_off(plant: Any, asking: None) -> None:
    incident = raised_at(plant, local(11, 4, 10))
    entry = stop(plant, local(11, 4, 10, 30), local(11, 6))
    turn(plant, local(11, 4, 11))
    assert again(incident) == []
    waiting = Notification.objects.get(incident=incident, ask_again_at__isnull=False)
    assert waiting.ask_again_at == local(11, 6, 5)
    remove_entry(entry.pk, by=plant["hutchins"], now=local(11, 4, 12))
    turn(plant, local(11, 4, 12))
    turn(plant, local(11, 4, 13))
    assert again(incident) == [local(11, 4, 13)]


# --- the calendar changes on the way ---


def test_a_shutdown_that_is_planned_now_holds_what_runs(plant: Any) -> None:
    incident = raised_at(plant, local(11, 4, 10))
    assert timer(incident).due_at == local(11, 4, 11)
    stop(plant, local(11, 4, 10, 30), local(11, 6))
    assert Unread.objects.filter(incident=incident).exists()
    turn(plant, local(11, 4, 10, 31))
    assert (timer(incident).due_at, timer(incident).waits_for) == (local(11, 6, 5), "Summer shutdown")


def test_a_shutdown_that_is_called_off_lets_it_go_on_now_and_not_late(plant: Any) -> None:
    entry = stop(plant, local(11, 4), local(11, 8))
    incident = raised_at(plant, local(11, 4, 10))
    assert timer(incident).due_at == local(11, 10, 5)
    now = local(11, 5, 14)
    remove_entry(entry.pk, by=plant["hutchins"], now=now)
    turn(plant, now)
    assert heard(incident) == [now]
    assert not Notification.objects.filter(incident=incident, note__contains="late").exists()
    assert timer(incident).due_at == now + timedelta(hours=1)


def test_called_off_on_a_saturday_it_still_waits_for_monday(plant: Any) -> None:
    entry = stop(plant, local(11, 4), local(11, 15))
    incident = raised_at(plant, local(11, 4, 10))
    now = local(11, 8, 14)
    remove_entry(entry.pk, by=plant["hutchins"], now=now)
    turn(plant, now)
    assert heard(incident) == []
    assert timer(incident).due_at == local(11, 10, 5)


def test_a_shutdown_that_ends_sooner_lets_it_go_sooner(plant: Any) -> None:
    entry = stop(plant, local(11, 4), local(11, 15))
    incident = raised_at(plant, local(11, 4, 10))
    change_entry(
        entry.pk,
        by=plant["hutchins"],
        kind=EntryKind.SHUTDOWN,
        name="Short shutdown",
        starts_at=local(11, 4),
        ends_at=local(11, 6),
        now=plant.now,
    )
    turn(plant)
    assert timer(incident).due_at == local(11, 6, 5)
    assert timer(incident).waits_for == "Short shutdown"


def _keep_holidays(plant: Any) -> None:
    set_calendar(plant.site, by=plant["hutchins"], country="US", subdivision="", works_on=[], weekend=[5, 6])


def _start_later(plant: Any) -> None:
    shift = Shift.objects.get(pattern__site=plant.site, code="D1")
    shift.starts = shift.starts.replace(hour=7)
    shift.save()


def _work_on_saturdays(plant: Any) -> None:
    crew = Crew.objects.get(pattern__site=plant.site, code="D1")
    crew.rotation = ["D1"] * 6 + [""]
    crew.save()


def _no_pattern(plant: Any) -> None:
    plant.site.shift_patterns.all().delete()


def _pattern_of_another_area(plant: Any) -> None:
    plant.site.shift_patterns.get().areas.clear()


def _rename_the_zone(plant: Any) -> None:
    plant.site.timezone = "America/Denver"
    plant.site.save()


def _drop_the_calendar(plant: Any) -> None:
    SiteCalendar.objects.create(site=plant.site).delete()


@pytest.mark.parametrize(
    "change",
    [
        _keep_holidays,
        _start_later,
        _work_on_saturdays,
        _no_pattern,
        _pattern_of_another_area,
        _rename_the_zone,
        _drop_the_calendar,
    ],
)
def test_whatever_decides_when_the_place_works_plans_anew_what_waits(plant: Any, change: Any) -> None:
    waits, urgent = raised_at(plant, local(11, 4, 10)), raised_at(plant, local(11, 4, 10), "at_risk")
    assert not Unread.objects.exists()
    change(plant)
    assert list(Unread.objects.values_list("incident_id", flat=True)) == [waits.pk]
    assert not Unread.objects.filter(incident=urgent).exists()


def test_another_sites_calendar_concerns_nobody_here(plant: Any) -> None:
    raised_at(plant, local(11, 4, 10))
    elsewhere = make_site("RVR")
    CalendarEntry.objects.create(site=elsewhere, name="Stop", starts_at=plant.now, ends_at=local(12, 1))
    assert not Unread.objects.exists()


def test_what_is_not_the_calendar_costs_nothing(plant: Any) -> None:
    raised_at(plant, local(11, 4, 10))
    person = plant["vela"]
    person.save()
    assert not Unread.objects.exists()


# --- the incident changes on the way ---


def test_made_worse_in_a_shutdown_it_is_told_at_once(plant: Any) -> None:
    stop(plant, local(11, 4), local(11, 15))
    incident = raised_at(plant, local(11, 5, 10))
    assert heard(incident) == []
    plant.now = local(11, 5, 14)
    lifecycle.change_severity(
        incident.number, by=plant["tillery"], severity=Severity.S2, reason="A truck waits", now=plant.now
    )
    turn(plant)
    assert plant.now in heard(incident)
    assert not Timer.objects.armed().filter(incident=incident).exclude(waits_for="").exists()


def test_made_milder_on_a_saturday_the_rest_waits(plant: Any) -> None:
    incident = raised_at(plant, local(11, 8, 10), "at_risk")
    plant.now = local(11, 8, 10, 5)
    lifecycle.change_severity(
        incident.number, by=plant["tillery"], severity=Severity.S3, reason="On paper", now=plant.now
    )
    turn(plant)
    assert timer(incident).due_at == local(11, 10, 5)


# --- everybody says the same ---


@pytest.mark.parametrize(
    "at", [local(11, 8, 11), local(11, 7, 22, 30), local(11, 4, 22, 45), local(11, 4, 10), local(11, 26, 20)]
)
@pytest.mark.parametrize("impact", ["workaround", "none"])
def test_the_preview_says_what_the_engine_then_does(plant: Any, at: datetime, impact: str) -> None:
    SiteCalendar.objects.create(site=plant.site, country="US", subdivision="MI")
    plant.now = at
    foreseen = preview(
        plant.station,
        plant.category,
        Impact(impact),
        at,
        book=DutyBook.load(at, until=at + timedelta(days=12)),
    )
    steps = [step for step in foreseen if step.clock == "response"]
    incident = plant.raise_it(impact)
    book = DutyBook.load(at, until=at + timedelta(days=12))
    just_raised = ladder.next_steps([incident], book, at)[incident.pk]
    assert just_raised.due_at == steps[0].due_at
    for step in steps:
        turn(plant, step.at - timedelta(seconds=1))
        assert step.at not in heard(incident)
        drawn = ladder.for_incident(incident, book, plant.now)
        coming = [one for one in drawn.upcoming if one.clock == "response"]
        assert [one.due_at for one in coming] == [one.due_at for one in steps if one.due_at >= step.due_at]
        turn(plant, step.at)
        assert step.at in heard(incident)


def test_what_waits_looks_paused_and_says_until_when(plant: Any) -> None:
    incident = raised_at(plant, local(11, 8, 11))
    step = ladder.next_steps([incident], DutyBook.load(plant.now), plant.now)[incident.pk]
    assert (step.state, step.waits_for, step.due_at) == ("paused", "Weekend", local(11, 10, 5))
