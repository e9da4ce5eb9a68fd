"""A person's shifts in their own calendar program: a secret address, true times, and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from plant.models import Person, Role, RosterFeed, SiteCalendar
from plant.roster.feed import calendar_of
from tests.factories import DETROIT, crew_of, make_cover, make_person, make_site, make_three_shifts

pytestmark = pytest.mark.django_db


@pytest.fixture
def night() -> Person:
    """Works 22:00 to 06:00 every night."""
    site = make_site("MBK")
    return make_person(
        "Lena", roles=[Role.IT_TECH], site=site, crew=crew_of(make_three_shifts(site=site), "SH3")
    )


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


# --- the address --------------------------------------------------------------------------------------------


def address(client: Client, person: Person) -> str:
    client.force_login(person)
    client.post("/roster/feed/new/")
    return f"/roster/{RosterFeed.objects.get(person=person).token}.ics"


def test_a_shift_on_a_day_on_which_the_plant_is_closed_says_so(
    client: Client, night: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert night.site is not None
    SiteCalendar.objects.create(site=night.site, country="US")
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    found = events(night, now)
    assert on(found, datetime(2026, 11, 26, 22, tzinfo=DETROIT))["description"] == "Thanksgiving Day"
    assert "description" not in on(found, datetime(2026, 11, 25, 22, tzinfo=DETROIT))
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    client.force_login(night)
    assert client.get("/roster/mine/").content.decode().count("Thanksgiving Day") == 1


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
