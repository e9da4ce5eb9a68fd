from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from countermeasures.models import Kind, Stage
from incidents import lifecycle
from incidents.models import EventKind, SeverityRule, Status
from opsdesk.errors import Invalid, Refused, Stale
from plant.models import Role
from tests.factories import NOW, Floor, fresh, make_line, raise_, reach

LATER = NOW + timedelta(minutes=19)


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.REOPENED])
def test_product_moves_again_on_a_bandage(floor: Floor, status: Status) -> None:
    number = reach(floor, status).number
    incident = lifecycle.contain(number, by=floor.tech, what=" Spare printer ", now=LATER)
    assert (incident.status, incident.contained_at) == (Status.CONTAINED, LATER)
    bandage = incident.countermeasures.order_by("-id")[0]
    assert (bandage.kind, bandage.stage, bandage.what) == (
        Kind.CONTAINMENT,
        Stage.IN_PLACE,
        "Spare printer",
    )
    assert (bandage.owner, bandage.in_place_at, bandage.expires_on) == (floor.tech, LATER, date(2026, 3, 9))
    event = incident.events.last()
    assert event is not None and (event.kind, event.words) == (EventKind.CONTAINED, "Spare printer")


def test_somebody_else_may_look_after_the_bandage(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    incident = lifecycle.contain(number, by=floor.tech, what="Paper", owner=floor.supervisor)
    assert incident.countermeasures.get().owner == floor.supervisor


def test_the_downtime_clock_stops_on_every_line(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    lifecycle.stop_line(number, by=floor.supervisor, line=make_line(area=floor.area), at=NOW, now=NOW)
    incident = lifecycle.contain(number, by=floor.tech, what="Spare printer", now=LATER)
    assert {stop.ended_at for stop in incident.downtimes.all()} == {LATER}
    assert incident.downtimes.count() == 2


def test_no_word_is_owed_any_more(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    assert lifecycle.contain(number, by=floor.tech, what="Spare printer").next_update_due is None


def test_a_bandage_is_good_for_seven_of_the_plants_days(floor: Floor) -> None:
    """Three in the morning in Greenwich is still yesterday in Detroit."""
    night = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    number = reach(floor, Status.ACKNOWLEDGED).number
    incident = lifecycle.contain(number, by=floor.tech, what="Spare printer", now=night)
    assert incident.countermeasures.get().expires_on == date(2026, 3, 17)


def test_the_days_are_a_setting(floor: Floor) -> None:
    SeverityRule.objects.update_or_create(severity="S1", defaults={"bandage_days": 2})
    number = reach(floor, Status.ACKNOWLEDGED).number
    incident = lifecycle.contain(number, by=floor.tech, what="Spare printer", now=NOW)
    assert incident.countermeasures.get().expires_on == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("day", "code"), [(date(2026, 3, 1), "expired"), (date(2026, 3, 10), "bandage_too_long")]
)
def test_a_bandage_ends_neither_yesterday_nor_too_late(floor: Floor, day: date, code: str) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Invalid) as refusal:
        lifecycle.contain(incident.number, by=floor.tech, what="Spare printer", expires_on=day, now=NOW)
    assert refusal.value.code == code
    assert fresh(incident).status == Status.ACKNOWLEDGED


@pytest.mark.parametrize("day", [date(2026, 3, 2), date(2026, 3, 9)])
def test_a_bandage_may_end_today_or_on_the_last_day(floor: Floor, day: date) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    incident = lifecycle.contain(number, by=floor.tech, what="Spare printer", expires_on=day, now=NOW)
    assert incident.countermeasures.get().expires_on == day


def test_it_needs_to_be_said_what_keeps_product_moving(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.contain(reach(floor, Status.ACKNOWLEDGED).number, by=floor.tech, what="  ")
    assert refusal.value.code == "empty"


@pytest.mark.parametrize("status", [Status.RAISED, Status.CONTAINED, Status.RESOLVED, Status.CLOSED])
def test_only_what_somebody_works_on_is_contained(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    bandages = incident.countermeasures.count()
    with pytest.raises(Refused) as refusal:
        lifecycle.contain(incident.number, by=floor.tech, what="Spare printer", now=LATER)
    assert refusal.value.code == "wrong_status"
    assert fresh(incident).version == incident.version
    assert incident.countermeasures.count() == bandages


def test_a_refused_containment_leaves_the_downtime_running(floor: Floor) -> None:
    incident = raise_(floor)
    with pytest.raises(Refused):
        lifecycle.contain(incident.number, by=floor.tech, what="Spare printer", now=LATER)
    assert incident.downtimes.get().ended_at is None


def test_a_stale_screen_moves_nothing(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Stale):
        lifecycle.contain(incident.number, by=floor.who(Role.IT_LEAD), what="Paper", seen_version=1)
    assert not incident.countermeasures.exists()
