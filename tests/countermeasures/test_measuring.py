"""The measurement log: written once, by whoever may check or plan, and counted where the unit is by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from countermeasures import lifecycle as fixes
from countermeasures.history import history
from countermeasures.models import Countermeasure, Measurement, Stage
from incidents.models import Status
from opsdesk.errors import Invalid, NotAllowed, Refused, Stale
from plant.models import Role
from tests.factories import NOW, Floor, fresh, place_fix, plan_fix, reach

DAY = timedelta(days=1)


@pytest.fixture
def trucks(floor: Floor) -> Countermeasure:
    return place_fix(floor, reach(floor, Status.CONTAINED), window_exposure=40, exposure_unit="trucks")


def log(floor: Floor, found: Countermeasure, **asked: Any) -> Measurement:
    asked = {"by": floor.supervisor, "now": NOW + DAY, **asked}
    return fixes.log_measurement(found.pk, **asked)


def test_a_number_with_its_unit_and_who_saw_it(floor: Floor, trucks: Countermeasure) -> None:
    logged = log(floor, trucks, value=Decimal("2.50"), unit=" stops ", note=" Both at night ")
    assert (logged.number, logged.unit, logged.note, logged.by) == (
        "2.5",
        "stops",
        "Both at night",
        floor.supervisor,
    )
    entry = history(trucks)[0]
    assert (entry.who, entry.did, entry.words) == (floor.supervisor.name, "measured", "2.5 stops")
    assert fresh(trucks.incident).version == trucks.incident.version + 1


def test_times_add_up_until_the_window_is_over(floor: Floor, trucks: Countermeasure) -> None:
    for day, times in ((1, 15), (9, 15)):
        log(floor, trucks, times=times, now=NOW + day * DAY)
    trucks.refresh_from_db()
    assert (trucks.exposed, trucks.times_held) == (30, 30)
    over = NOW + 30 * DAY
    with pytest.raises(Refused) as refusal:
        fixes.check(trucks.pk, by=floor.supervisor, effective=True, measured="None", now=over)
    assert "30 of 30 days · 30 of 40 trucks" in str(refusal.value)
    log(floor, trucks, times=10, now=over)
    assert fixes.check(trucks.pk, by=floor.supervisor, effective=True, measured="None", now=over)


def test_what_was_measured_before_the_fix_went_in_is_kept_but_not_counted(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED), window_exposure=40, exposure_unit="trucks")
    log(floor, found, value=Decimal(9), times=15, now=NOW + DAY)
    placed = fixes.put_in_place(found.pk, by=floor.tech, evidence="Seen", now=NOW + 2 * DAY)
    log(floor, placed, times=4, at=NOW + DAY, now=NOW + 3 * DAY)
    log(floor, placed, times=5, now=NOW + 3 * DAY)
    found.refresh_from_db()
    assert (found.exposed, found.measurements.count()) == (5, 3)


def test_shift_starts_are_not_counted_by_hand(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    log(floor, found, times=99)
    found.refresh_from_db()
    assert found.exposed == 0


def test_something_has_to_be_said(floor: Floor, trucks: Countermeasure) -> None:
    for nothing in ({}, {"note": " "}, {"times": 0}, {"unit": "stops"}):
        with pytest.raises(Invalid) as refusal:
            log(floor, trucks, **nothing)
        assert refusal.value.code == "empty"
    assert log(floor, trucks, value=Decimal(0)).number == "0"


@pytest.mark.parametrize("at", [NOW - DAY, NOW + 2 * DAY], ids=["before the problem", "in the future"])
def test_the_moment_lies_between_the_problem_and_now(floor: Floor, trucks: Countermeasure, at: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        log(floor, trucks, value=Decimal(1), at=at)
    assert refusal.value.code == "bad_time"


def test_who_only_works_there_does_not_write_the_log_but_the_owner_may(
    floor: Floor, trucks: Countermeasure
) -> None:
    with pytest.raises(NotAllowed):
        log(floor, trucks, by=floor.operator, value=Decimal(1))
    for person in (floor.tech, floor.who(Role.TEAM_LEADER)):
        assert log(floor, trucks, by=person, value=Decimal(1)).by == person


def test_a_bandage_and_a_proved_fix_are_not_measured(floor: Floor, trucks: Countermeasure) -> None:
    bandage = trucks.incident.countermeasures.containment().get()
    with pytest.raises(Refused) as refusal:
        log(floor, bandage, value=Decimal(1))
    assert refusal.value.code == "not_proved"
    log(floor, trucks, times=40)
    fixes.check(trucks.pk, by=floor.supervisor, effective=True, measured="None", now=NOW + 30 * DAY)
    with pytest.raises(Refused) as refusal:
        log(floor, trucks, value=Decimal(1), now=NOW + 31 * DAY)
    assert refusal.value.code == "too_late"


def test_a_second_tap_on_a_stale_screen_logs_nothing(floor: Floor, trucks: Countermeasure) -> None:
    seen = trucks.incident.version
    log(floor, trucks, times=5, seen_version=seen)
    with pytest.raises(Stale):
        log(floor, trucks, times=5, seen_version=seen)
    trucks.refresh_from_db()
    assert trucks.exposed == 5


def test_a_relapse_starts_the_count_anew_and_keeps_the_log(floor: Floor, trucks: Countermeasure) -> None:
    log(floor, trucks, times=20)
    again = NOW + 5 * DAY
    fixes.check(trucks.pk, by=floor.supervisor, effective=False, measured="Blank again", now=again)
    fixes.start(trucks.pk, by=floor.tech, due_on=again.date(), now=again)
    fixes.put_in_place(trucks.pk, by=floor.tech, evidence="Pinned harder", now=again)
    log(floor, trucks, times=3, now=again + DAY)
    trucks.refresh_from_db()
    assert (trucks.exposed, trucks.stage, trucks.measurements.count()) == (3, Stage.CHECKING, 2)


@pytest.mark.parametrize(
    "sql", ["UPDATE countermeasures_measurement SET value = 0", "DELETE FROM countermeasures_measurement"]
)
def test_the_database_refuses_to_change_the_log(floor: Floor, trucks: Countermeasure, sql: str) -> None:
    log(floor, trucks, value=Decimal(3))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
