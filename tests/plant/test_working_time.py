"""When a place works: shifts, weekends, public holidays, shutdowns, and the next working minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext, override

from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.duty import DutyBook
from plant.lifecycle import add_entry, change_entry, remove_entry, set_calendar
from plant.models import Area, CalendarEntry, EntryKind, Person, Role, SiteCalendar
from plant.roster.ahead import holidays_ahead
from plant.working_time import HORIZON, PlantHours, WorkingTime, said_why
from tests.factories import (
    DETROIT,
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

JUNE = datetime(2026, 6, 1, tzinfo=DETROIT)


def local(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=DETROIT)


@pytest.fixture
def area() -> Area:
    """Two shifts, 05:00 to 23:00, Monday to Friday."""
    area = make_area(site=make_site("MBK"))
    make_two_shifts(site=area.site, areas=[area])
    return area


def hours(at: datetime) -> WorkingTime:
    return WorkingTime.load(DutyBook.load(at))


def works(place: Any, at: datetime) -> bool:
    return hours(at).is_working(place, at)


def next_minute(place: Any, at: datetime) -> datetime:
    return hours(at).next_working_minute(place, at)


def plan(area: Area, kind: EntryKind, start: datetime, end: datetime, *areas: Area) -> CalendarEntry:
    entry = CalendarEntry.objects.create(
        site=area.site, kind=kind, name=str(kind.label), starts_at=start, ends_at=end
    )
    entry.areas.set(areas)
    return entry


def test_a_place_works_while_a_shift_is_on(area: Area) -> None:
    assert works(area, local(6, 3, 5)) and works(area, local(6, 3, 22, 59))
    assert not works(area, local(6, 3, 4, 59)) and not works(area, local(6, 3, 23))


def test_while_it_works_nothing_waits(area: Area) -> None:
    at = local(6, 3, 9, 17)
    assert next_minute(area, at) == at


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local(6, 3, 23, 30), local(6, 4, 5)),
        (local(6, 5, 23), local(6, 8, 5)),
        (local(6, 6, 12), local(6, 8, 5)),
    ],
)
def test_at_night_and_on_the_weekend_the_next_shift_is_the_next_working_minute(
    area: Area, at: datetime, expected: datetime
) -> None:
    assert next_minute(area, at) == expected


def test_a_line_and_a_station_work_when_their_area_does(area: Area) -> None:
    line = make_line(area=area)
    station = make_station(line=line)
    saturday = local(6, 6, 12)
    for place in (line, station):
        assert works(place, local(6, 3, 9))
        assert next_minute(place, saturday) == local(6, 8, 5)


def test_a_site_works_when_one_of_its_areas_does(area: Area) -> None:
    other = make_area(site=area.site, name="Moulding")
    make_two_two_three(site=area.site, areas=[other])
    saturday = local(6, 6, 12)
    assert works(area.site, saturday) and works(other, saturday) and not works(area, saturday)


def test_planned_downtime_stops_only_the_areas_it_names(area: Area) -> None:
    other = make_area(site=area.site, name="Paint")
    make_two_shifts(site=area.site, areas=[other])
    plan(area, EntryKind.DOWNTIME, local(6, 3, 8), local(6, 3, 12), other)
    at = local(6, 3, 9)
    assert works(area, at) and not works(other, at) and works(area.site, at)
    assert next_minute(other, at) == local(6, 3, 12)
    assert hours(at).why_not(other, at) == "Planned downtime"


def test_a_shutdown_of_the_site_lasts_over_its_nights_to_the_next_shift(area: Area) -> None:
    plan(area, EntryKind.SHUTDOWN, local(7, 1), local(7, 11))
    assert next_minute(area, local(7, 2, 9)) == local(7, 13, 5)


def test_a_shutdown_that_ends_in_the_middle_of_a_shift_ends_there(area: Area) -> None:
    plan(area, EntryKind.SHUTDOWN, local(7, 1), local(7, 8, 10, 30))
    assert next_minute(area, local(7, 2, 9)) == local(7, 8, 10, 30)


def test_nothing_waits_for_ever(area: Area) -> None:
    plan(area, EntryKind.SHUTDOWN, local(7, 1), local(7, 1, year=2028))
    at = local(7, 2, 9)
    assert next_minute(area, at) == at + HORIZON


def test_a_public_holiday_is_off_unless_the_site_works_on_it(area: Area) -> None:
    kept = SiteCalendar.objects.create(site=area.site, country="US", subdivision="MI")
    veterans = local(11, 11, 9)
    assert not works(area, veterans)
    assert hours(veterans).why_not(area, veterans) == "Veterans Day"
    assert next_minute(area, veterans) == local(11, 12, 5)
    kept.works_on = ["Veterans Day"]
    kept.save()
    assert works(area, veterans)


def test_a_holiday_that_is_observed_on_another_day_is_worked_there_too(area: Area) -> None:
    """4 July 2026 is a Saturday, observed on Friday the 3rd."""
    kept = SiteCalendar.objects.create(site=area.site, country="US")
    friday = local(7, 3, 9)
    assert not works(area, friday)
    kept.works_on = ["Independence Day"]
    kept.save()
    assert works(area, friday)


def test_the_night_shift_of_the_day_before_runs_into_the_holiday() -> None:
    area = make_area(site=make_site())
    make_three_shifts(site=area.site, areas=[area])
    SiteCalendar.objects.create(site=area.site, country="US")
    assert works(area, local(11, 26, 3)), "Wednesday's night shift"
    assert not works(area, local(11, 26, 7))
    assert not works(area, local(11, 27, 3)), "Thursday's night shift"


def test_working_all_the_same_beats_holidays_and_weekends_but_not_a_stop(area: Area) -> None:
    SiteCalendar.objects.create(site=area.site, country="US")
    plan(area, EntryKind.WORKING, local(7, 3), local(7, 5))
    assert works(area, local(7, 3, 9)) and works(area, local(7, 4, 9))
    plan(area, EntryKind.DOWNTIME, local(7, 4, 8), local(7, 4, 10))
    assert not works(area, local(7, 4, 9))


def test_an_area_without_shifts_works_every_day_until_a_weekend_is_set() -> None:
    area = make_area(site=make_site())
    saturday = local(6, 6, 12)
    assert works(area, saturday)
    SiteCalendar.objects.create(site=area.site)
    assert not works(area, saturday)
    assert next_minute(area, saturday) == local(6, 8)


@pytest.mark.parametrize(("day", "length"), [(8, 23), (1, 25)])
def test_a_day_without_shifts_has_its_true_length_when_the_clock_changes(day: int, length: int) -> None:
    area = make_area(site=make_site())
    month = 3 if day == 8 else 11
    start, end = local(month, day), local(month, day + 1)
    plan(area, EntryKind.DOWNTIME, local(month, day - 1) if day > 1 else local(10, 31), start)
    (stint,) = hours(start).worked_between(area, start - timedelta(hours=5), end)
    assert stint.ends_at - stint.starts_at == timedelta(hours=length)


def test_worked_time_is_said_without_holes_and_without_overlap(area: Area) -> None:
    plan(area, EntryKind.DOWNTIME, local(6, 3, 8), local(6, 3, 9))
    stints = hours(local(6, 3)).worked_between(area, local(6, 3), local(6, 5))
    assert [(one.starts_at, one.ends_at) for one in stints] == [
        (local(6, 3, 5), local(6, 3, 8)),
        (local(6, 3, 9), local(6, 3, 23)),
        (local(6, 4, 5), local(6, 4, 23)),
    ]


def test_each_site_keeps_its_own_holidays_and_clock(area: Area) -> None:
    lisbon = make_area(site=make_site("LIS", timezone="Europe/Lisbon"))
    SiteCalendar.objects.create(site=lisbon.site, country="PT", weekend=[])
    SiteCalendar.objects.create(site=area.site, country="US")
    carnation = datetime(2026, 4, 24, 23, 30, tzinfo=UTC)  # 25 April in Lisbon, 24 in Detroit
    assert not works(lisbon, carnation)
    assert next_minute(lisbon, carnation) == datetime(2026, 4, 26, tzinfo=ZoneInfo("Europe/Lisbon"))


def test_every_minute_after_a_wait_is_a_working_one(area: Area) -> None:
    SiteCalendar.objects.create(site=area.site, country="US", subdivision="MI")
    plan(area, EntryKind.SHUTDOWN, local(12, 24), local(1, 4, year=2027))
    at = local(10, 30)
    known = hours(at)
    for step in range(0, 70 * 24, 7):
        moment = at + timedelta(hours=step)
        found = known.next_working_minute(area, moment)
        assert found >= moment and known.is_working(area, found)


def test_the_calendar_costs_three_queries_whatever_the_plant(area: Area) -> None:
    book = DutyBook.load(local(6, 3))
    for number in range(5):
        plan(area, EntryKind.DOWNTIME, local(6, 3 + number), local(6, 4 + number), area)
    with CaptureQueriesContext(connection) as queries:
        known = WorkingTime.load(book)
        known.next_working_minute(area, local(6, 3, 3))
    assert len(queries) == 3


def test_the_night_shift_of_a_holiday_is_off_because_of_it_after_midnight_too() -> None:
    area = make_area(site=make_site("NGT"))
    make_three_shifts(site=area.site, areas=[area])
    SiteCalendar.objects.create(site=area.site, country="MX")
    after_midnight = local(11, 17, 2)  # the shift of Monday 16
    known = hours(after_midnight)
    assert known.why_not(area, after_midnight) == "Revolution Day"
    with override("es"):
        assert known.why_not(area, after_midnight) == "Día de la Revolución"
        assert known.day_note(area.site, date(2026, 11, 16)) == "Día de la Revolución"
    assert known.wait(area, after_midnight).why == "Revolution Day", "kept by its English name"


# --- changing it --------------------------------------------------------------------------------------------


def test_only_the_it_manager_changes_the_calendar(area: Area) -> None:
    lead = make_person(roles=[Role.IT_LEAD], site=area.site)
    with pytest.raises(NotAllowed):
        add_entry(area.site, by=lead, kind="shutdown", name="x", starts_at=local(7, 1), ends_at=local(7, 2))
    with pytest.raises(NotAllowed):
        set_calendar(area.site, by=lead, country="US", subdivision="", works_on=[], weekend=[])


def test_an_entry_is_added_changed_and_removed_but_not_once_it_is_over(area: Area) -> None:
    boss = make_person(roles=[Role.IT_MANAGER], site=area.site)
    asked: dict[str, Any] = {"kind": "shutdown", "name": "Summer"}
    times: dict[str, Any] = {"starts_at": local(7, 1), "ends_at": local(7, 8)}
    entry = add_entry(area.site, by=boss, areas=[area], now=JUNE, **times, **asked)
    longer = {**asked, "starts_at": local(7, 1), "ends_at": local(7, 9)}
    assert change_entry(entry.pk, by=boss, now=local(7, 2), **longer).ends_at == local(7, 9)
    assert not entry.areas.exists()
    with pytest.raises(Refused, match="over"):
        change_entry(entry.pk, by=boss, now=local(7, 9), **longer)
    remove_entry(entry.pk, by=boss, now=local(7, 2))
    with pytest.raises(Refused, match="no longer"):
        remove_entry(entry.pk, by=boss)


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (local(7, 1), local(7, 1), "ends_before_it_starts"),
        (local(7, 1), local(7, 3, year=2027), "too_long"),
        (local(7, 1, year=2025), local(7, 8, year=2025), "in_the_past"),
        (local(5, 1), local(6, 1), "in_the_past"),
        (local(7, 1, year=2029), local(7, 8, year=2029), "too_far"),
    ],
)
def test_an_entry_with_impossible_times_is_refused(
    area: Area, start: datetime, end: datetime, code: str
) -> None:
    boss = make_person(roles=[Role.IT_MANAGER], site=area.site)
    kept = plan(area, EntryKind.SHUTDOWN, local(7, 1), local(7, 8))
    wrong: dict[str, Any] = {"kind": "shutdown", "name": "x", "starts_at": start, "ends_at": end}
    for do in (lambda: add_entry(area.site, by=boss, now=JUNE, **wrong), lambda: moved(kept, boss, wrong)):
        with pytest.raises(Refused) as caught:
            do()
        assert caught.value.code == code and caught.value.fields, "said beside the field"
    assert CalendarEntry.objects.get().starts_at == local(7, 1)


def moved(kept: CalendarEntry, by: Person, said: dict[str, Any]) -> CalendarEntry:
    return change_entry(kept.pk, by=by, now=JUNE, **said)


def test_a_stop_that_was_over_sooner_than_planned_gets_the_end_it_had(area: Area) -> None:
    boss = make_person(roles=[Role.IT_MANAGER], site=area.site)
    kept = plan(area, EntryKind.SHUTDOWN, local(7, 1), local(7, 8))
    said: dict[str, Any] = {"kind": "shutdown", "name": "x", "starts_at": local(7, 1), "ends_at": local(7, 3)}
    assert change_entry(kept.pk, by=boss, now=local(7, 4), **said).ends_at == local(7, 3)


def test_an_area_of_another_site_is_refused(area: Area) -> None:
    boss = make_person(roles=[Role.IT_MANAGER], corporate=True)
    with pytest.raises(Invalid, match="areas of this site"):
        add_entry(
            make_site(),
            by=boss,
            kind="shutdown",
            name="x",
            starts_at=local(7, 1),
            ends_at=local(7, 2),
            areas=[area],
            now=JUNE,
        )


@pytest.mark.parametrize(
    "wrong", [{"country": "XQ"}, {"country": "US", "subdivision": "QQ"}, {"weekend": [9]}]
)
def test_a_country_nobody_knows_is_refused_in_words(area: Area, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SiteCalendar(site=area.site, **wrong).full_clean()


def test_a_holiday_is_named_in_the_language_of_the_reader(area: Area) -> None:
    kept = SiteCalendar(site=area.site, country="US", works_on=["Thanksgiving Day"])
    english = holidays_ahead(kept, date(2026, 11, 20), language="en")
    mexican = holidays_ahead(SiteCalendar(country="MX"), date(2026, 11, 20), language="es")
    assert (english[0].name, english[0].is_worked) == ("Thanksgiving Day", True)
    assert mexican[0].name == "Navidad" and mexican[0].key == "Christmas Day"
    assert len({one.key for one in english}) == len(english)
    assert holidays_ahead(SiteCalendar(), date(2026, 11, 20), language="en") == []


# --- waiting ---


def wait(place: Any, at: datetime) -> tuple[datetime, str]:
    hours = PlantHours.at(at)
    found = hours.wait(place, at)
    assert found == hours.wait(place, at), "asked again it says the same"
    return found


@pytest.mark.parametrize(
    ("at", "until", "why"),
    [
        (local(6, 3, 9, 17), local(6, 3, 9, 17), ""),
        (local(6, 3, 23, 30), local(6, 4, 5), "No shift"),
        (local(6, 5, 23, 30), local(6, 8, 5), "Weekend"),
        (local(6, 6, 12), local(6, 8, 5), "Weekend"),
        (local(6, 8, 4, 59), local(6, 8, 5), "No shift"),
    ],
)
def test_what_waits_says_until_when_and_why(area: Area, at: datetime, until: datetime, why: str) -> None:
    assert wait(area, at) == (until, why)
    assert wait(make_station(line=make_line(area=area)), at) == (until, why)


def test_a_wait_is_as_long_as_the_next_working_minute_says_at_every_minute(area: Area) -> None:
    SiteCalendar.objects.create(site=area.site, country="US", subdivision="MI")
    plan(area, EntryKind.DOWNTIME, local(11, 10, 8, 20), local(11, 10, 11, 40), area)
    start = local(11, 6, 20)
    known = hours(start)
    for minute in range(0, 6 * 24 * 60, 7):
        at = start + timedelta(minutes=minute)
        until, why = known.wait(area, at)
        assert until == known.next_working_minute(area, at)
        assert bool(why) == (until > at)


def test_a_shutdown_and_a_holiday_are_named(area: Area) -> None:
    SiteCalendar.objects.create(site=area.site, country="US", subdivision="MI")
    shutdown = plan(area, EntryKind.SHUTDOWN, local(7, 11), local(7, 25))
    CalendarEntry.objects.filter(pk=shutdown.pk).update(name="Summer shutdown")
    assert wait(area, local(7, 14, 9)) == (local(7, 27, 5), "Summer shutdown")
    assert wait(area, local(7, 10, 23, 30)) == (local(7, 27, 5), "Summer shutdown")
    assert wait(area, local(11, 11, 9)) == (local(11, 12, 5), "Veterans Day")


def test_a_wait_ends_after_62_days_at_a_place_that_never_works_again(area: Area) -> None:
    plan(area, EntryKind.SHUTDOWN, local(7, 1), local(7, 1, year=2028))
    at = local(7, 2, 9, 41)
    assert wait(area, at)[0] == at + HORIZON


def test_the_reason_is_said_in_the_readers_language_unless_somebody_wrote_it() -> None:
    assert said_why("Weekend") == "Weekend" and said_why("Summer shutdown") == "Summer shutdown"
    with override("es"):
        assert said_why("No shift") == gettext("No shift") != "No shift"
        assert said_why("Summer shutdown") == "Summer shutdown"


def test_asking_when_a_place_works_reads_nobody(area: Area) -> None:
    for _ in range(3):
        make_person()
    with CaptureQueriesContext(connection) as queries:
        PlantHours.at(local(6, 3)).wait(area, local(6, 6, 12))
    assert len(queries) <= 7
    assert not any("plant_person" in query["sql"] for query in queries)
