"""The same kind of trouble with the same system, or at the same station: when the same again is a repeat."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Kind, Strength
from incidents import families, lifecycle
from incidents.models import EventKind, Impact, Incident, SeverityRule, Status, UnweighedRepeat
from opsdesk.errors import Missing
from tests.factories import (
    NOW,
    Floor,
    fresh,
    make_category,
    make_floor,
    make_station,
    make_system,
    place_fix,
    raise_,
    reach,
)

LATER = NOW + timedelta(days=10)
MINUTE = timedelta(minutes=1)


def close_small(floor: Floor, *, now: datetime = NOW, **asked: Any) -> Incident:
    """A small thing that nothing more was needed for, raised and closed at `now`."""
    incident = raise_(floor, Impact.WORKAROUND, now=now, **asked)
    lifecycle.acknowledge(incident.number, by=floor.tech, now=now)
    return lifecycle.close(
        incident.number, by=floor.tech, cause="A plug was loose", agreed_by=floor.supervisor, now=now
    )


def test_the_same_again_at_the_same_station_is_a_repeat(floor: Floor) -> None:
    old = close_small(floor)
    again = raise_(floor, now=LATER)
    assert (again.repeat_of, again.is_repeat) == (old, True)
    assert again.events.get(kind=EventKind.RAISED).data == {"repeat_of": old.number}
    assert UnweighedRepeat.objects.get().incident == again


def test_the_first_time_is_no_repeat(floor: Floor) -> None:
    first = raise_(floor)
    assert (first.repeat_of, first.is_repeat, first.times_again) == (None, False, None)
    assert not UnweighedRepeat.objects.exists()


def test_another_category_or_another_station_is_another_family(floor: Floor) -> None:
    close_small(floor)
    assert raise_(floor, category=make_category("network"), now=LATER).repeat_of is None
    assert raise_(floor, station=make_station(line=floor.line), now=LATER).repeat_of is None


def test_the_same_system_is_the_same_family_wherever_it_failed(floor: Floor) -> None:
    label = make_system("label")
    old = close_small(floor, station=floor.station, system=label)
    elsewhere = make_station(line=floor.line)
    assert raise_(floor, station=elsewhere, system=label, now=LATER).repeat_of == old
    assert raise_(floor, system=label, now=LATER).repeat_of == old
    assert raise_(floor, now=LATER).repeat_of is None  # the station alone: another family
    assert raise_(floor, system=make_system("mes"), now=LATER).repeat_of is None


def test_a_system_that_every_site_uses_has_a_family_at_each_of_them(floor: Floor) -> None:
    label = make_system("label")
    close_small(floor, system=label)
    other = make_floor(name="Harlow Plant")
    assert raise_(other, system=label, now=LATER).repeat_of is None


def test_a_whole_line_or_area_has_no_family(floor: Floor) -> None:
    close_small(floor, line=floor.line)
    again = raise_(floor, line=floor.line, now=LATER)
    assert (families.of(again), again.repeat_of, again.times_in_30_days) == (None, None, 1)


def test_while_the_old_one_is_open_it_is_not_over_and_so_it_cannot_repeat(floor: Floor) -> None:
    for status in (Status.RAISED, Status.ACKNOWLEDGED, Status.CONTAINED, Status.REOPENED):
        reach(floor, status)
    assert raise_(floor, now=LATER).repeat_of is None


def test_while_its_fix_is_proved_the_old_one_counts_as_over(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    assert raise_(floor, now=LATER).repeat_of == old


def test_a_fix_that_is_in_place_is_enough_when_nobody_tapped_resolved(floor: Floor) -> None:
    old = reach(floor, Status.CONTAINED)
    place_fix(floor, old)
    assert raise_(floor, now=LATER).repeat_of == old


@pytest.mark.parametrize(("after", "is_repeat"), [(-MINUTE, True), (MINUTE, False)])
def test_ninety_days_after_closing_it_is_a_new_story(floor: Floor, after: timedelta, is_repeat: bool) -> None:
    close_small(floor)
    assert raise_(floor, now=NOW + timedelta(days=90) + after).is_repeat is is_repeat


@pytest.mark.parametrize(("after", "is_repeat"), [(-MINUTE, True), (MINUTE, False)])
def test_an_it_manager_sets_how_long_a_severity_is_remembered(
    floor: Floor, after: timedelta, is_repeat: bool
) -> None:
    SeverityRule.objects.update_or_create(severity="S3", defaults={"repeat_days": 14})
    close_small(floor)
    assert raise_(floor, now=NOW + timedelta(days=14) + after).is_repeat is is_repeat


def test_what_is_being_proved_comes_before_what_was_closed_later(floor: Floor) -> None:
    proving = reach(floor, Status.RESOLVED)
    close_small(floor, now=NOW + timedelta(days=2))
    assert raise_(floor, now=LATER).repeat_of == proving


def test_the_last_of_many_is_the_one_it_repeats(floor: Floor) -> None:
    close_small(floor)
    last = close_small(floor, now=NOW + timedelta(days=2))
    assert raise_(floor, now=LATER).repeat_of == last


def test_a_wrong_tap_is_no_history(floor: Floor) -> None:
    wrong = raise_(floor)
    lifecycle.take_back(wrong.number, by=floor.operator, now=NOW + MINUTE)
    again = raise_(floor, now=LATER)
    assert (again.repeat_of, again.times_in_30_days) == (None, 1)


def test_practice_never_counts_and_never_repeats(floor: Floor) -> None:
    drill = raise_(floor, is_drill=True)
    lifecycle.end_practice(drill.number, now=NOW + timedelta(hours=1))
    assert raise_(floor, now=LATER).times_again is None
    close_small(floor, now=LATER)
    practice = raise_(floor, is_drill=True, now=LATER + MINUTE)
    assert (practice.repeat_of, practice.times_in_30_days) == (None, 1)
    assert not UnweighedRepeat.objects.exists()


def test_the_third_time_stays_the_third_time(floor: Floor) -> None:
    close_small(floor, now=NOW - timedelta(days=29))
    close_small(floor, now=NOW - timedelta(days=3))
    third = raise_(floor)
    raise_(floor, now=NOW + MINUTE)
    assert (fresh(third).times_in_30_days, fresh(third).times_again) == (3, (3, 30))


def test_times_are_counted_over_thirty_and_over_ninety_days(floor: Floor) -> None:
    close_small(floor, now=NOW - timedelta(days=91))
    close_small(floor, now=NOW - timedelta(days=60))
    again = raise_(floor)
    assert (again.times_in_30_days, again.times_in_90_days) == (1, 2)
    assert again.times_again == (2, 90)


def test_a_small_repeat_needs_a_strong_fix(floor: Floor) -> None:
    """Domain §3: S1, S2 or a repeat."""

    def fix(incident: Incident) -> Countermeasure:
        return fixes.add(
            incident.number, by=floor.tech, kind=Kind.PERMANENT, what="Sign", strength=Strength.WARN, now=NOW
        )

    first = raise_(floor, Impact.WORKAROUND)
    assert not fix(first).needs_strength
    close_small(floor)
    again = raise_(floor, Impact.WORKAROUND, now=LATER)
    assert again.is_repeat and fix(again).needs_strength


@pytest.mark.parametrize("with_system", [False, True])
def test_a_family_is_found_by_its_key(floor: Floor, with_system: bool) -> None:
    system = make_system("label") if with_system else None
    family = families.of(raise_(floor, station=floor.station, system=system))
    assert family is not None
    assert families.named(family.key) == family


@pytest.mark.parametrize("key", ["", "x", "label_print", "label_print:station:X", "label_print:system:X:Y"])
def test_an_unknown_key_is_refused_in_words(floor: Floor, key: str) -> None:
    with pytest.raises(Missing) as refusal:
        families.named(key)
    assert refusal.value.code == "unknown_family"


@pytest.mark.parametrize("with_system", [False, True])
def test_looking_back_is_two_queries_however_long_the_history(floor: Floor, with_system: bool) -> None:
    place: dict[str, Any] = {"station": floor.station, "system": make_system() if with_system else None}
    for day in range(4):
        close_small(floor, now=NOW + timedelta(days=day), **place)
    family = families.of(Incident.objects.with_place().latest("number"))
    assert family is not None
    with CaptureQueriesContext(connection) as asked:
        assert family.thought_over(LATER) is not None
        assert family.how_often(LATER).days_30 == 4
    assert len(asked) == 2


def _many_of_another_kind_beside(only: Incident) -> None:
    """Enough that no other index would do as well: for a handful of rows PostgreSQL takes any."""
    columns = [column.attname for column in Incident._meta.concrete_fields if not column.primary_key]
    known = {name: getattr(only, name) for name in columns} | {"category_id": make_category("network").pk}
    Incident.objects.bulk_create(
        Incident(**{**known, "number": 900_000 + n, "client_id": uuid4()}) for n in range(300)
    )


@pytest.mark.parametrize("with_system", [False, True])
def test_an_index_serves_the_family(floor: Floor, with_system: bool) -> None:
    place: dict[str, Any] = {"station": floor.station, "system": make_system() if with_system else None}
    only = raise_(floor, **place)
    _many_of_another_kind_beside(only)
    family = families.of(only)
    assert family is not None
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("ANALYZE incidents_incident")
        plan = family.incidents().order_by("-raised_at").values("raised_at").explain()
    assert ("incident_family_system" if with_system else "incident_family") in plan
