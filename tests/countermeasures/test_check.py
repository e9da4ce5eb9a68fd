from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Kind, Stage
from incidents import lifecycle
from incidents.models import EventKind, Impact, Status
from opsdesk.errors import Invalid, NotAllowed, Refused, Stale
from plant.models import Role
from tests.factories import NOW, Floor, fresh, give_role, place_fix, plan_fix, reach

OVER = NOW + timedelta(days=30)


@pytest.fixture
def proving(floor: Floor) -> Countermeasure:
    incident = reach(floor, Status.RESOLVED)
    return incident.countermeasures.permanent().get()


def test_somebody_else_signs_that_it_holds(floor: Floor, proving: Countermeasure) -> None:
    found = fixes.check(proving.pk, by=floor.supervisor, effective=True, measured=" No stops ", now=OVER)
    assert (found.stage, found.measured) == (Stage.EFFECTIVE, "No stops")
    assert (found.checked_by, found.checked_at) == (floor.supervisor, OVER)
    assert fresh(found.incident).status == Status.RESOLVED
    assert found.proof_boxes(OVER + timedelta(days=99)) == 10


def test_the_owner_never_checks_their_own(floor: Floor, proving: Countermeasure) -> None:
    give_role(floor.tech, Role.IT_MANAGER, site=floor.site)
    for effective in (True, False):
        with pytest.raises(NotAllowed) as refusal:
            fixes.check(proving.pk, by=floor.tech, effective=effective, measured="x", now=OVER)
        assert refusal.value.code == "own_work"


def test_another_than_the_planned_checker_may_sign(floor: Floor, proving: Countermeasure) -> None:
    lead = floor.who(Role.IT_LEAD)
    assert fixes.check(proving.pk, by=lead, effective=True, measured="None", now=OVER).checked_by == lead


def test_it_needs_what_was_measured(floor: Floor, proving: Countermeasure) -> None:
    with pytest.raises(Invalid) as refusal:
        fixes.check(proving.pk, by=floor.supervisor, effective=True, measured=" ", now=OVER)
    assert refusal.value.fields is not None and list(refusal.value.fields) == ["measured"]


WINDOWS = [(Impact.STOPPED, 30), (Impact.AT_RISK, 60), (Impact.WORKAROUND, 90)]


@pytest.mark.parametrize(("impact", "days"), WINDOWS)
def test_nothing_is_proved_before_its_window_is_over(floor: Floor, impact: Impact, days: int) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED, impact))
    early = NOW + timedelta(days=days - 1, hours=6)
    with pytest.raises(Refused) as refusal:
        fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=early)
    assert refusal.value.code == "window_not_over"
    assert f"{days - 1} of {days} days" in str(refusal.value)
    done = fixes.check(
        found.pk, by=floor.supervisor, effective=True, measured="None", now=NOW + timedelta(days=days)
    )
    assert done.stage == Stage.EFFECTIVE


def test_the_last_day_counts_from_its_morning_by_the_plants_calendar(floor: Floor) -> None:
    """Put in place at nine on 2 March; on 1 April at one in the morning the thirty days are over."""
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    eve = datetime(2026, 4, 1, 3, 30, tzinfo=UTC)  # 31 March, 23:30 in Detroit
    with pytest.raises(Refused):
        fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=eve)
    morning = eve + timedelta(minutes=90)
    assert str(found.proved_on) == "2026-04-01"
    assert fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=morning)


def test_boxes_fill_by_tenths(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    found.exposed = 30
    boxes = [found.proof_boxes(NOW + timedelta(days=days)) for days in (0, 2, 3, 15, 29, 30, 99)]
    assert boxes == [0, 0, 1, 5, 9, 10, 10]


def test_a_failure_is_said_at_any_time_and_opens_the_incident(floor: Floor, proving: Countermeasure) -> None:
    soon = NOW + timedelta(days=2)
    found = fixes.check(proving.pk, by=floor.supervisor, effective=False, measured="3 stops", now=soon)
    assert (found.stage, found.measured, found.checked_by) == (
        Stage.NOT_EFFECTIVE,
        "3 stops",
        floor.supervisor,
    )
    assert (found.proof_boxes(soon), found.days_proved(soon)) == (0, 0)
    incident = fresh(found.incident)
    assert (incident.status, incident.owner, incident.reopen_count) == (Status.REOPENED, floor.tech, 1)
    assert incident.clocks_from == soon
    kinds = [event.kind for event in incident.events.order_by("-id")[:2]]
    assert kinds == [EventKind.REOPENED, EventKind.COUNTERMEASURE]


def test_it_opens_even_what_was_closed(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    fix = incident.countermeasures.permanent().get()
    later = NOW + timedelta(days=120)
    fixes.check(fix.pk, by=floor.supervisor, effective=False, measured="It is back", now=later)
    assert fresh(incident).status == Status.REOPENED


def test_what_is_open_already_stays_as_it_is(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    fix = place_fix(floor, incident)
    fixes.check(fix.pk, by=floor.supervisor, effective=False, measured="3 stops", now=NOW)
    assert (fresh(incident).status, fresh(incident).reopen_count) == (Status.ACKNOWLEDGED, 0)


def test_a_preventive_one_that_fails_opens_nothing(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    found = fixes.add(
        incident.number,
        by=floor.tech,
        kind=Kind.PREVENTIVE,
        what="Look at the others",
        owner=floor.tech,
        strength="prevent",
        metric="x",
        target="y",
        checker=floor.supervisor,
    )
    fixes.put_in_place(found.pk, by=floor.tech, evidence="List", now=NOW)
    fixes.check(found.pk, by=floor.supervisor, effective=False, measured="Two more", now=NOW)
    assert fresh(incident).status == Status.CONTAINED


def test_after_a_failure_the_second_proof_takes_its_own_time(floor: Floor, proving: Countermeasure) -> None:
    fixes.check(
        proving.pk, by=floor.supervisor, effective=False, measured="3 stops", now=NOW + timedelta(days=9)
    )
    again = NOW + timedelta(days=12)
    fixes.start(proving.pk, by=floor.tech, due_on=again.date(), now=again)
    fixes.put_in_place(proving.pk, by=floor.tech, evidence="Pinned harder", now=again)
    with pytest.raises(Refused) as refusal:
        fixes.check(
            proving.pk, by=floor.supervisor, effective=True, measured="None", now=again + timedelta(days=29)
        )
    assert refusal.value.code == "window_not_over"
    done = fixes.check(
        proving.pk, by=floor.supervisor, effective=True, measured="None", now=again + timedelta(days=30)
    )
    assert done.stage == Stage.EFFECTIVE


def test_what_is_not_in_place_is_not_checked(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    for effective in (True, False):
        with pytest.raises(Refused) as refusal:
            fixes.check(found.pk, by=floor.supervisor, effective=effective, measured="x", now=OVER)
        assert refusal.value.code == "wrong_status"


def test_a_stale_screen_signs_nothing(floor: Floor, proving: Countermeasure) -> None:
    lifecycle.add_words(proving.incident.number, by=floor.operator, words="It blinks again")
    with pytest.raises(Stale):
        fixes.check(
            proving.pk,
            by=floor.supervisor,
            effective=True,
            measured="None",
            now=OVER,
            seen_version=proving.incident.version,
        )
    proving.refresh_from_db()
    assert proving.stage == Stage.CHECKING
