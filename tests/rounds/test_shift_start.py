"""Whoever comes on hears once what is open in their place: on time, at midnight, on both clock changes."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from escalation import outbox, rounds
from escalation.models import Delivery, Notification, Reason
from incidents import lifecycle
from incidents.models import Impact
from plant.models import CalendarEntry, CoverKind, Role
from tests import factories as make
from tests.factories import DETROIT
from tests.rounds.plant import TUESDAY, Plant, channels_of, go, sent, told, wall

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def starts() -> list[str]:
    return told(Reason.SHIFT_START)


def test_who_comes_on_is_told_what_is_open_and_nobody_else(plant: Plant) -> None:
    plant.raise_it(at=wall("13:00"))
    go(wall("13:50"))
    assert starts() == []
    go(wall("14:00"))
    assert starts() == ["fontaine", "ishida"]


def test_nothing_open_is_no_message(plant: Plant) -> None:
    go(wall("14:00"))
    assert starts() == []


def test_each_is_told_once_however_often_the_round_runs(plant: Plant) -> None:
    plant.raise_it(at=wall("13:00"))
    assert go(wall("14:00"), until=wall("21:50")) == 2
    assert starts() == ["fontaine", "ishida"]


def test_a_late_round_still_tells_within_the_hour_and_then_not_any_more(plant: Plant) -> None:
    plant.raise_it(at=wall("13:00"))
    go(wall("14:59"))
    assert len(starts()) == 2
    go(wall("23:01"))  # an outage from 15:00 on: nobody is told of 22:00 at 23:01
    assert len(starts()) == 2


def test_what_is_raised_after_the_start_comes_by_its_own_clock(plant: Plant) -> None:
    plant.raise_it(at=wall("14:05"))
    go(wall("14:10"))
    assert starts() == []


def test_it_counts_by_word_and_names_the_worst_three(plant: Plant) -> None:
    worst = plant.raise_it(Impact.STOPPED, at=wall("12:00"))
    moving = plant.raise_it(Impact.STOPPED, at=wall("11:00"))
    for impact in (Impact.AT_RISK, Impact.AT_RISK, Impact.NONE):
        plant.raise_it(impact, at=wall("12:30"))
    lifecycle.acknowledge(moving.number, by=plant["vela"], now=wall("11:05"))
    lifecycle.contain(moving.number, by=plant["vela"], what="Spare", now=wall("11:10"))
    go(wall("14:00"))
    data = {one.person.username: one.data for one in sent(Reason.SHIFT_START)}
    assert data["ishida"]["counts"] == [["stopped", 1], ["at_risk", 2], ["none", 1], ["moving", 1]]
    assert data["ishida"]["worst"][0]["code"] == worst.code
    assert len(data["ishida"]["worst"]) == 3
    assert data["fontaine"]["counts"] == [["stopped", 1], ["at_risk", 2], ["moving", 1]]


def test_closed_proved_and_practice_are_not_counted(plant: Plant) -> None:
    plant.raise_it(at=wall("12:00"), is_drill=True)
    closed = plant.raise_it(Impact.NONE, at=wall("12:00"))
    lifecycle.take_back(closed.number, by=plant["petty"], now=wall("12:01"))
    go(wall("14:00"))
    assert starts() == []


def test_a_supervisor_hears_of_their_own_areas_only(plant: Plant) -> None:
    paint = make.make_area(site=plant.site, name="Paint")
    crew = make.crew_of(plant.pattern, "SH2")
    make.make_person("Boone", username="boone", roles=[Role.SUPERVISOR], areas=[paint], crew=crew)
    mine = make.make_person(
        "Jimenez", username="jimenez", roles=[Role.SUPERVISOR], areas=[plant.floor.area], crew=crew
    )
    plant.raise_it(at=wall("13:00"))
    go(wall("14:00"))
    assert starts() == ["fontaine", "ishida", "jimenez"]
    assert channels_of(mine) == ["sms"]


def test_it_goes_by_the_one_way_that_the_person_prefers(plant: Plant) -> None:
    plant["ishida"].normal_channels = ["email", "sms"]
    plant["ishida"].save()
    plant.raise_it(at=wall("13:00"))
    go(wall("14:00"))
    assert channels_of(plant["ishida"]) == ["email"]
    assert channels_of(plant["fontaine"]) == ["sms"]
    assert not sent(Reason.SHIFT_START)[0].is_urgent


def test_managers_and_people_without_a_shift_are_left_alone(plant: Plant) -> None:
    make.put_on_roster(plant["hutchins"], make.crew_of(plant.pattern, "SH2"))
    plant.raise_it(at=wall("13:00"))
    go(wall("14:00"))
    assert "hutchins" not in starts()


# --- who actually comes on ----------------------------------------------------------------------------------


def test_a_stand_in_is_told_and_the_absent_is_not(plant: Plant) -> None:
    lena = plant.add("lena", Role.SUPPORT)
    make.make_cover(plant["ishida"], stand_in=lena, starts_at=wall("14:00"), kind=CoverKind.SICK)
    plant.raise_it(at=wall("13:00"))
    go(wall("14:00"))
    assert starts() == ["fontaine", "lena"]
    instead_of = {one.person.username: one.data["instead_of"] for one in sent(Reason.SHIFT_START)}
    assert instead_of == {"fontaine": [], "lena": ["Ishida"]}


def test_a_swap_tells_who_comes_on_at_each_of_the_two_shifts(plant: Plant) -> None:
    make.make_cover(plant["vela"], stand_in=plant["ishida"], starts_at=wall("06:00"))
    make.make_cover(plant["ishida"], stand_in=plant["vela"], starts_at=wall("14:00"))
    plant.raise_it(at=wall("05:00"))
    go(wall("06:00"))
    assert starts() == ["ishida", "petty"]
    go(wall("14:00"))
    assert starts() == ["fontaine", "ishida", "petty", "vela"]


def test_two_shifts_in_a_row_are_one_start(plant: Plant) -> None:
    make.make_cover(plant["ishida"], stand_in=plant["vela"], starts_at=wall("14:00"))
    plant.raise_it(at=wall("05:00"))
    go(wall("06:00"), until=wall("15:00"))
    assert starts() == ["fontaine", "petty", "vela"]


def test_who_takes_over_in_the_middle_of_a_shift_is_told_too(plant: Plant) -> None:
    lena = plant.add("lena", Role.SUPPORT)
    make.make_cover(plant["ishida"], stand_in=lena, starts_at=wall("17:00"), ends_at=wall("22:00"))
    plant.raise_it(at=wall("13:00"))
    go(wall("14:00"), until=wall("17:10"))
    assert starts() == ["fontaine", "ishida", "lena"]


def test_nobody_comes_on_while_the_plant_stands_still(plant: Plant) -> None:
    CalendarEntry.objects.create(
        site=plant.site, kind="shutdown", name="Summer", starts_at=TUESDAY, ends_at=TUESDAY + 24 * HOUR
    )
    plant.raise_it(at=wall("13:00"))
    go(wall("14:00"))
    assert starts() == []


def test_two_two_three_tells_the_crew_that_is_on_that_day(plant: Plant) -> None:
    area = make.make_area(site=plant.site, name="Moulding")
    pattern = make.make_two_two_three(site=plant.site, areas=[area])
    for crew in "ABCD":
        make.make_person(
            f"Crew {crew}",
            username=crew,
            roles=[Role.SUPERVISOR],
            areas=[area],
            crew=make.crew_of(pattern, crew),
        )
    plant.raise_it(at=TUESDAY - HOUR, station=make.make_station(line=make.make_line(area=area)))
    came = {}
    for number in range(4):
        day = TUESDAY + timedelta(days=number)
        go(wall("06:00", day=day))
        go(wall("18:00", day=day))
        came[number] = [name for name in starts() if name in "ABCD"]
        Delivery.objects.all().delete()
        Notification.objects.all().delete()
    days = [(TUESDAY.date() - make.MONDAY).days + number for number in range(4)]
    expected = [["A", "B"] if make.TWO_TWO_THREE[day % 14] else ["C", "D"] for day in days]
    assert [came[number] for number in range(4)] == expected


# --- midnight and the clock ---------------------------------------------------------------------------------


def test_a_shift_that_starts_at_midnight_is_told_on_the_right_day(plant: Plant) -> None:
    pattern = make.make_pattern(site=plant.site, shifts={"N": (0, 8)}, crews={"N": ["N"] * 5 + ["", ""]})
    night = make.make_person(
        "Night", username="night", roles=[Role.IT_TECH], site=plant.site, crew=make.crew_of(pattern, "N")
    )
    friday = TUESDAY + timedelta(days=3)
    plant.raise_it(at=TUESDAY)
    go(friday - timedelta(minutes=1))
    assert night.username not in starts()
    go(friday + timedelta(minutes=1))
    assert starts().count("night") == 1
    go(friday + timedelta(days=1, minutes=1))  # Saturday is a day off
    assert starts().count("night") == 1


@pytest.mark.parametrize(
    ("day", "lasts"), [(date(2026, 3, 7), 7), (date(2026, 10, 31), 9)], ids=["forward", "back"]
)
def test_on_the_night_of_a_clock_change_everybody_is_told_once_when_they_come_on(
    plant: Plant, day: date, lasts: int
) -> None:
    evening = datetime.combine(day, time(22), tzinfo=DETROIT).astimezone(UTC)
    plant.raise_it(at=evening - HOUR)
    now, came = evening - timedelta(minutes=30), []
    while now < evening + timedelta(hours=lasts, minutes=30):
        if rounds.go(now).told:
            came.append((now - evening) / HOUR)
        now += timedelta(minutes=30)
    assert came == [0, lasts]
    assert starts() == ["cruz", "petty", "sorensen", "vela"]


# --- idempotence --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_rounds_beside_each_other_tell_everybody_once(plant: Plant) -> None:
    plant.raise_it(at=wall("13:00"))
    barrier, told_by = threading.Barrier(4), []

    def run() -> None:
        try:
            barrier.wait()
            told_by.append(rounds.go(wall("14:00")).told)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _unused in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert starts() == ["fontaine", "ishida"]
    assert sum(told_by) == 2


def test_the_message_leaves_with_its_words(plant: Plant, settings: Any) -> None:
    plant.raise_it(at=wall("13:00"), title="Rack labels will not print")
    go(wall("14:00"))
    outbox.drain(now=wall("14:00"))
    text = Delivery.objects.get(notification__person=plant["ishida"]).text
    assert text.startswith("OPEN 14:00: 1 Line down. INC-")
    assert "Rack labels will not print." in text
    assert text.endswith("/work/")


def test_a_message_that_was_held_up_for_an_hour_does_not_go_out_any_more(plant: Plant) -> None:
    plant.raise_it(at=wall("13:00"))
    go(wall("14:00"))
    outbox.drain(now=wall("15:01"))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"dropped"}
