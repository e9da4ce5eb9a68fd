"""The register: what is worn, since when, until when, how often extended, and what a holiday changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from countermeasures import lifecycle as fixes
from countermeasures.bandages import Worn, register, worn_by
from countermeasures.models import Countermeasure
from incidents import lifecycle
from incidents.models import Impact, Incident, Status
from plant.models import SiteCalendar
from tests.factories import DETROIT, NOW, Floor, make_two_shifts, reach
from tests.screens.reading import words

THANKSGIVING = date(2026, 11, 26)


def worn(floor: Floor, now: datetime = NOW) -> list[Worn]:
    return register(worn_by(floor.manager), now)


def bandage(incident: Incident) -> Countermeasure:
    return incident.countermeasures.containment().get()


def test_what_should_be_off_comes_first(floor: Floor) -> None:
    later, first = reach(floor, Status.CONTAINED), reach(floor, Status.CONTAINED)
    fixes.extend(bandage(later).pk, by=floor.manager, expires_on=date(2026, 3, 20), reason="Part", now=NOW)
    rows = worn(floor, NOW + timedelta(days=9))
    assert [row.one.incident for row in rows] == [first, later]
    assert [(row.is_expired, row.days, row.days_left) for row in rows] == [(True, 9, -2), (False, 9, 9)]


def test_how_often_it_was_extended_and_why_the_last_time(floor: Floor) -> None:
    one = bandage(reach(floor, Status.CONTAINED))
    for day, why in ((15, "Part is late"), (20, "Part is in customs")):
        fixes.extend(one.pk, by=floor.manager, expires_on=date(2026, 3, day), reason=why, now=NOW)
    (row,) = worn(floor)
    assert (row.extensions, row.why) == (2, "Part is in customs")


def test_what_is_off_is_not_there(floor: Floor) -> None:
    fixes.take_off(bandage(reach(floor, Status.CONTAINED)).pk, by=floor.tech, now=NOW)
    assert worn(floor) == []


def test_its_last_day_is_a_whole_day_on_the_plants_clock(floor: Floor) -> None:
    reach(floor, Status.CONTAINED)
    (row,) = worn(floor)
    assert row.one.expires_on == date(2026, 3, 9)
    assert row.ends_at == datetime(2026, 3, 10, tzinfo=DETROIT)


@pytest.mark.parametrize(
    ("impact", "asked", "waits_for"),
    [
        (Impact.SAFETY, datetime(2026, 11, 27, tzinfo=DETROIT), ""),
        (Impact.STOPPED, datetime(2026, 11, 27, tzinfo=DETROIT), ""),
        (Impact.AT_RISK, datetime(2026, 11, 27, tzinfo=DETROIT), ""),
        (Impact.WORKAROUND, datetime(2026, 11, 27, 5, tzinfo=DETROIT), "Thanksgiving Day"),
    ],
)
def test_on_a_plant_holiday_it_expires_all_the_same_and_only_asking_about_small_things_waits(
    floor: Floor, impact: Impact, asked: datetime, waits_for: str
) -> None:
    make_two_shifts(site=floor.site, areas=[floor.area])
    SiteCalendar.objects.create(site=floor.site, country="US")
    one = bandage(reach(floor, Status.CONTAINED, impact))
    Countermeasure.objects.filter(pk=one.pk).update(expires_on=THANKSGIVING)
    (row,) = worn(floor, datetime(2026, 11, 26, 23, 30, tzinfo=DETROIT))
    assert not row.is_expired
    assert row.asked_at == asked
    assert bool(row.waits_for) == bool(waits_for)
    (row,) = worn(floor, datetime(2026, 11, 27, 0, 1, tzinfo=DETROIT))
    assert row.is_expired


def test_many_are_read_with_as_many_questions_as_one(floor: Floor) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            worn(floor)
        return len(asked)

    reach(floor, Status.CONTAINED)
    worn(floor)  # the manager's roles are known from here on
    one = questions()
    for _ in range(3):
        reach(floor, Status.CONTAINED)
    assert questions() == one


# --- the page -----------------------------------------------------------------------------------------------


def page(person: Any) -> Any:
    client = Client()
    client.force_login(person)
    return client.get("/countermeasures/bandages/")


def test_the_page_says_what_should_be_off_and_a_manager_extends_it_there(floor: Floor) -> None:
    one = bandage(reach(floor, Status.CONTAINED))
    today = timezone.now().astimezone(DETROIT).date()
    Countermeasure.objects.filter(pk=one.pk).update(expires_on=today - timedelta(days=1))
    said = page(floor.manager)
    assert "One bandage should be off." in words(said)
    assert "Let it stay longer" in words(said)
    assert "Let it stay longer" not in words(page(floor.operator))


def test_the_page_shows_what_was_accepted_without_a_fix_and_when_it_is_looked_at_again(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    assert "Everything that is closed has a fix that was proved." in words(page(floor.manager))
    lifecycle.accept_no_fix(
        incident.number, by=floor.manager, reason="The maker is gone", review_on=date(2026, 5, 1), now=NOW
    )
    said = words(page(floor.manager))
    assert f"{floor.manager.name} accepted it: The maker is gone" in said
    Incident.objects.filter(pk=incident.pk).update(review_on=timezone.now().date() - timedelta(days=3))
    assert "To look at now" in words(page(floor.manager))
