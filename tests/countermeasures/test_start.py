from __future__ import annotations

from datetime import date, timedelta

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Kind, Stage
from incidents.models import Status
from opsdesk.errors import Invalid, Refused
from plant.models import Role
from tests.factories import NOW, Floor, make_person, place_fix, plan_fix, reach

DUE = date(2026, 3, 20)


@pytest.fixture
def planned(floor: Floor) -> Countermeasure:
    incident = reach(floor, Status.CONTAINED)
    return fixes.add(incident.number, by=floor.tech, kind=Kind.PERMANENT, what="Pin the driver", now=NOW)


def test_a_promise_is_one_owner_and_a_day(floor: Floor, planned: Countermeasure) -> None:
    found = fixes.start(planned.pk, by=floor.supervisor, owner=floor.tech, due_on=DUE)
    assert (found.stage, found.owner, found.due_on) == (Stage.IN_WORK, floor.tech, DUE)
    event = found.incident.events.last()
    assert event is not None and (event.data["did"], event.data["due_on"]) == ("promised", "2026-03-20")


def test_without_either_it_is_no_promise(floor: Floor, planned: Countermeasure) -> None:
    for asked, code in (({"due_on": DUE}, "no_owner"), ({"owner": floor.tech}, "no_day")):
        with pytest.raises(Invalid) as refusal:
            fixes.start(planned.pk, by=floor.tech, **asked)  # type: ignore[arg-type]
        assert refusal.value.code == code


def test_a_new_day_may_be_agreed_and_each_is_kept(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    again = fixes.start(found.pk, by=floor.tech, due_on=DUE, reason="No part")
    assert (again.stage, again.owner, again.due_on) == (Stage.IN_WORK, floor.tech, DUE)
    days = [
        event.data["due_on"] for event in found.incident.events.filter(kind="countermeasure").order_by("id")
    ]
    assert days == ["2026-03-09", "2026-03-20"]


def test_another_day_needs_its_reason(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(Invalid) as refusal:
        fixes.start(found.pk, by=floor.tech, due_on=DUE, reason=" ")
    assert refusal.value.code == "no_reason"
    same_day = fixes.start(found.pk, by=floor.tech, owner=floor.who(Role.IT_LEAD))
    assert same_day.owner == floor.who(Role.IT_LEAD)


def test_how_much_it_relies_on_people_may_be_said_now(floor: Floor, planned: Countermeasure) -> None:
    found = fixes.start(planned.pk, by=floor.tech, owner=floor.tech, due_on=DUE, strength="prevent")
    assert found.strength == "prevent"
    assert fixes.start(planned.pk, by=floor.tech, due_on=DUE).strength == "prevent"


def test_the_owner_is_never_the_checker(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(Invalid) as refusal:
        fixes.start(found.pk, by=floor.tech, owner=floor.supervisor)
    assert refusal.value.code == "own_work"


def test_an_owner_without_a_role_may_move_their_own(floor: Floor, planned: Countermeasure) -> None:
    owner = make_person("Packaging engineer", roles=[Role.SUPPORT], site=floor.site)
    fixes.start(planned.pk, by=floor.tech, owner=owner, due_on=DUE)
    moved = fixes.start(planned.pk, by=owner, due_on=DUE + timedelta(days=1), reason="No part")
    assert moved.due_on == date(2026, 3, 21)


@pytest.mark.parametrize("stage", [Stage.CHECKING, Stage.EFFECTIVE, Stage.WITHDRAWN])
def test_what_is_in_or_given_up_is_not_promised_again(floor: Floor, stage: Stage) -> None:
    incident = reach(floor, Status.CONTAINED)
    found = plan_fix(floor, incident) if stage == Stage.WITHDRAWN else place_fix(floor, incident)
    if stage == Stage.WITHDRAWN:
        fixes.withdraw(found.pk, by=floor.tech, reason="x")
    if stage == Stage.EFFECTIVE:
        later = NOW + timedelta(days=31)
        fixes.check(found.pk, by=floor.supervisor, effective=True, measured="x", now=later)
    with pytest.raises(Refused) as refusal:
        fixes.start(found.pk, by=floor.tech, due_on=DUE)
    assert refusal.value.code == "wrong_status"


def test_what_failed_starts_its_proof_from_nothing(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    later = NOW + timedelta(days=10)
    failed = fixes.check(found.pk, by=floor.supervisor, effective=False, measured="3 stops", now=later)
    assert failed.proof_boxes(later) == 0
    again = fixes.start(found.pk, by=floor.tech, due_on=DUE)
    assert (again.checking_from, again.checked_by, again.checked_at, again.measured) == (None, None, None, "")


def test_whoever_found_that_it_failed_may_do_it_better(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED), checker=floor.who(Role.IT_LEAD))
    fixes.check(found.pk, by=floor.supervisor, effective=False, measured="3 stops", now=NOW)
    assert fixes.start(found.pk, by=floor.tech, owner=floor.supervisor, due_on=DUE).owner == floor.supervisor
