"""A person's shifts in their own calendar program: a secret address, true times, and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override
from icalendar import Calendar

from plant.models import Area, CalendarEntry, Person, Role, RosterFeed, Site, SiteCalendar
from plant.roster.feed import calendar_of
from tests.factories import DETROIT, crew_of, make_area, make_cover, make_person, make_site, make_three_shifts

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def night() -> Person:
    """Works 22:00 to 06:00 every night."""
    site = make_site("MBK")
    return make_person(
        "Lena", roles=[Role.IT_TECH], site=site, crew=crew_of(make_three_shifts(site=site), "SH3")
    )


def site_of(person: Person) -> Site:
    assert person.site is not None
    return person.site


def events(person: Person, now: datetime) -> list[Any]:
    text = calendar_of(person, tz=DETROIT, now=now)
    return list(Calendar.from_ical(text).walk("VEVENT"))


def on(found: list[Any], day: datetime) -> Any:
    return next(event for event in found if event["dtstart"].dt == day)


def test_a_shift_carries_the_time_zone_of_the_plant(night: Person) -> None:
    now = datetime(2026, 6, 3, 12, tzinfo=UTC)
    text = calendar_of(night, tz=DETROIT, now=now).decode()
    assert "DTSTART;TZID=America/Detroit:20260603T220000" in text
    assert "DTEND;TZID=America/Detroit:20260604T060000" in text
    assert "BEGIN:VTIMEZONE" in text and "TZID:America/Detroit" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


@pytest.mark.parametrize(
    ("evening", "hours"),
    [
        (datetime(2026, 3, 7, 22, tzinfo=DETROIT), 7),
        (datetime(2026, 10, 31, 22, tzinfo=DETROIT), 9),
        (datetime(2026, 6, 3, 22, tzinfo=DETROIT), 8),
    ],
)
def test_the_night_shift_lasts_as_long_as_it_does(night: Person, evening: datetime, hours: int) -> None:
    event = on(events(night, evening.astimezone(UTC)), evening)
    assert event["dtend"].dt.astimezone(UTC) - event["dtstart"].dt.astimezone(UTC) == timedelta(hours=hours)
    assert (event["dtstart"].dt.hour, event["dtend"].dt.hour) == (22, 6)


def test_the_second_of_two_equal_hours_is_written_in_utc(night: Person) -> None:
    """Cover from 01:30 the second time round: by the wall it cannot be told from the first."""
    second = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    make_cover(night, starts_at=second, ends_at=second + timedelta(hours=1))
    text = calendar_of(night, tz=DETROIT, now=second).decode()
    assert "DTEND:20261101T063000Z" in text


def test_who_is_away_has_no_shift_and_who_stands_in_has_it(night: Person) -> None:
    evening = datetime(2026, 6, 3, 22, tzinfo=DETROIT)
    helper = make_person("Sam", site=night.site)
    make_cover(night, stand_in=helper, starts_at=evening)
    now = evening.astimezone(UTC)
    assert evening not in {event["dtstart"].dt for event in events(night, now)}
    (taken,) = events(helper, now)
    assert str(taken["summary"]) == "SH3 for Lena"


def test_the_same_shift_keeps_its_name_so_that_programs_update_it(night: Person) -> None:
    first = {str(event["uid"]) for event in events(night, datetime(2026, 6, 3, 12, tzinfo=UTC))}
    later = {str(event["uid"]) for event in events(night, datetime(2026, 6, 3, 13, tzinfo=UTC))}
    assert first == later and len(first) > 90


# --- when the plant stands still ----------------------------------------------------------------------------

NOVEMBER = datetime(2026, 11, 20, 12, tzinfo=UTC)
THANKSGIVING = datetime(2026, 11, 26, 22, tzinfo=DETROIT)


def stand_still(person: Person, start: datetime, end: datetime, *areas: Area, kind: str = "shutdown") -> None:
    entry = CalendarEntry.objects.create(
        site=site_of(person), kind=kind, name="Retooling", starts_at=start, ends_at=end
    )
    entry.areas.set(areas)


def note(person: Person, evening: datetime) -> str:
    return str(on(events(person, NOVEMBER), evening).get("description", ""))


def test_a_shift_that_begins_on_a_holiday_says_that_the_plant_is_closed(
    client: Client, night: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    SiteCalendar.objects.create(site=site_of(night), country="US")
    assert note(night, THANKSGIVING) == "Plant closed: Thanksgiving Day"
    assert note(night, THANKSGIVING - DAY) == "", "it runs into the holiday, to its end"
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOVEMBER)
    client.force_login(night)
    assert client.get("/roster/mine/").content.decode().count("Plant closed: Thanksgiving Day") == 1


def test_what_stands_still_when_the_shift_begins_counts_and_not_what_did_at_noon(night: Person) -> None:
    stand_still(night, THANKSGIVING.replace(hour=18), THANKSGIVING + DAY)
    assert note(night, THANKSGIVING) == "Plant closed: Retooling"
    before = THANKSGIVING - 2 * DAY
    stand_still(night, before.replace(hour=11), before.replace(hour=13), kind="downtime")
    assert note(night, before) == ""


def test_work_on_a_day_off_is_no_closure(night: Person) -> None:
    SiteCalendar.objects.create(site=site_of(night), country="US")
    stand_still(night, THANKSGIVING.replace(hour=6), THANKSGIVING + DAY, kind="working")
    assert note(night, THANKSGIVING) == ""


def test_a_stop_of_some_areas_is_said_to_who_works_there(night: Person) -> None:
    paint = make_area(site=night.site, name="Paint")
    make_area(site=night.site, name="Stamping")
    pattern = make_three_shifts(
        site=site_of(night), areas=[press := make_area(site=night.site, name="Press")]
    )
    other = make_person("Ana", roles=[Role.IT_TECH], site=night.site, crew=crew_of(pattern, "SH3"))
    stand_still(night, THANKSGIVING.replace(hour=18), THANKSGIVING + DAY, paint)
    stand_still(night, THANKSGIVING + DAY - HOUR, THANKSGIVING + 2 * DAY, press)
    assert note(night, THANKSGIVING) == "Paint closed: Retooling"
    assert note(night, THANKSGIVING + DAY) == "", "Press has crews of its own"
    assert note(other, THANKSGIVING) == ""
    assert note(other, THANKSGIVING + DAY) == "Press closed: Retooling"


def test_a_holiday_is_named_in_the_language_of_who_works_then(night: Person) -> None:
    SiteCalendar.objects.create(site=site_of(night), country="MX")
    with override("es"):
        assert (
            note(night, datetime(2026, 11, 16, 22, tzinfo=DETROIT)) == "Planta cerrada: Día de la Revolución"
        )


# --- the address --------------------------------------------------------------------------------------------


def address(client: Client, person: Person) -> str:
    client.force_login(person)
    client.post("/roster/feed/new/")
    return f"/roster/{RosterFeed.objects.get(person=person).token}.ics"


def test_the_address_needs_no_login_and_is_shown_on_the_own_page(client: Client, night: Person) -> None:
    found = address(client, night)
    assert found in client.get("/roster/mine/").content.decode()
    response = Client().get(found)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"BEGIN:VEVENT" in response.content


def test_a_new_address_ends_the_old_one_and_it_can_be_switched_off(client: Client, night: Person) -> None:
    first = address(client, night)
    second = address(client, night)
    assert first != second
    assert Client().get(first).status_code == 404
    client.post("/roster/feed/end/")
    assert Client().get(second).status_code == 404


def test_somebody_who_left_has_no_feed(client: Client, night: Person) -> None:
    found = address(client, night)
    Person.objects.filter(pk=night.pk).update(is_active=False)
    assert Client().get(found).status_code == 404


def test_guesses_and_other_methods_lead_nowhere(client: Client, night: Person) -> None:
    found = address(client, night)
    assert Client().get("/roster/guess.ics").status_code == 404
    assert Client().post(found).status_code == 405
    assert len(found) > 45


def test_the_feed_speaks_the_language_of_its_person(client: Client, night: Person) -> None:
    Person.objects.filter(pk=night.pk).update(language="es")
    found = address(client, night)
    assert b"Turnos de Lena" in Client().get(found).content


def test_the_own_page_shows_shifts_and_cover(client: Client, night: Person) -> None:
    client.force_login(night)
    assert "22:00–06:00" in client.get("/roster/mine/").content.decode()
    idle = make_person("Boss", site=night.site)
    client.force_login(idle)
    assert "No shifts are planned for you." in client.get("/roster/mine/").content.decode()
