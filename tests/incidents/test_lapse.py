"""`lapse`: silence is not ownership. The system takes an incident back from an owner who says nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import lifecycle, readings
from incidents.models import EventKind, Status
from opsdesk.errors import Refused
from plant.models import Role
from tests.factories import NOW, Floor, fresh, raise_, reach

LATER = NOW + timedelta(hours=1)


def test_nobody_has_it_any_more_and_every_clock_starts_again(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.arrive(incident.number, by=floor.tech, now=NOW)
    lifecycle.assign(incident.number, by=floor.who(Role.IT_LEAD), to=floor.who(Role.IT_SPECIALIST), now=NOW)
    lapsed = lifecycle.lapse(incident.number, now=LATER)
    assert (lapsed.status, lapsed.owner, lapsed.assigned_to) == (Status.RAISED, None, None)
    assert (lapsed.acknowledged_at, lapsed.arrived_at, lapsed.next_update_due) == (None, None, None)
    assert (lapsed.clocks_from, lapsed.missed_updates) == (LATER, 2)
    assert lapsed.troubled_since == NOW, "it has been going on since it was raised"


def test_the_timeline_keeps_who_had_it_and_since_when_nothing_was_said(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    word = NOW + timedelta(minutes=10)
    lifecycle.post_update(
        incident.number, by=floor.tech, conditions="No labels", actions="Swapping", needs="No needs", now=word
    )
    lapsed = lifecycle.lapse(incident.number, now=LATER)
    event = lapsed.events.get(kind=EventKind.LAPSED)
    assert (event.by, event.at, event.version) == (None, LATER, lapsed.version)
    assert event.data == {
        "from": "acknowledged",
        "to": "raised",
        "had": floor.tech.name,
        "had_id": floor.tech.pk,
        "silent_since": word.isoformat(),
    }


def test_without_a_word_the_silence_counts_from_when_it_was_taken(floor: Floor) -> None:
    lapsed = lifecycle.lapse(reach(floor, Status.ACKNOWLEDGED).number, now=LATER)
    assert lapsed.events.get(kind=EventKind.LAPSED).data["silent_since"] == NOW.isoformat()


def test_what_came_back_lapses_too(floor: Floor) -> None:
    lapsed = lifecycle.lapse(reach(floor, Status.REOPENED).number, now=LATER)
    assert (lapsed.status, lapsed.reopen_count) == (Status.RAISED, 1)


@pytest.mark.parametrize("status", [Status.RAISED, Status.CONTAINED, Status.RESOLVED, Status.CLOSED])
def test_what_nobody_has_and_what_moves_again_does_not_lapse(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    with pytest.raises(Refused) as refusal:
        lifecycle.lapse(incident.number, now=LATER)
    assert refusal.value.code == "not_owned"
    assert fresh(incident).version == incident.version


def test_whoever_takes_it_then_starts_afresh(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.lapse(incident.number, now=LATER)
    taken = lifecycle.acknowledge(incident.number, by=floor.tech, now=LATER)
    assert (taken.owner, taken.acknowledged_at, taken.missed_updates) == (floor.tech, LATER, 0)
    assert taken.next_update_due == LATER + timedelta(minutes=30)
    assert readings.lapse(taken) is None


def test_every_reading_names_who_had_it(floor: Floor) -> None:
    lapsed = lifecycle.lapse(reach(floor, Status.ACKNOWLEDGED).number, now=LATER)
    reading = readings.read(lapsed, now=LATER)
    assert reading.doing == f"Nobody has it any more. {floor.tech.name} had it; no word since 09:00."
    assert floor.tech.name not in reading.floor
    lead = floor.who(Role.IT_LEAD)
    asked = lifecycle.assign(lapsed.number, by=lead, to=floor.who(Role.IT_SPECIALIST), now=LATER)
    assert readings.doing(asked, now=LATER).endswith(
        f"no word since 09:00. {asked.assigned_to} was asked to take it."
    )


def test_the_readings_of_many_cost_one_query_more_when_some_lapsed(
    floor: Floor, django_assert_num_queries: object
) -> None:
    lapsed = [lifecycle.lapse(reach(floor, Status.ACKNOWLEDGED).number, now=LATER) for _n in range(3)]
    another = raise_(floor)
    with django_assert_num_queries(3):  # type: ignore[operator]
        readings.attach([*lapsed, another])
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert all("had it" in readings.doing(one, now=LATER) for one in lapsed)
