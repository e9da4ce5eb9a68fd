"""The checker is never the owner, and never who put it in place; not by any way in (domain §3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Promise, Stage
from countermeasures.promises.models import PromiseKind
from incidents.models import Status
from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.models import Role
from tests.factories import NOW, Floor, place_fix, plan_fix, reach

OVER = NOW + timedelta(days=30)


def test_the_checker_does_not_put_it_in_place(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(NotAllowed) as refusal:
        fixes.put_in_place(found.pk, by=floor.supervisor, evidence="Seen", now=NOW)
    assert refusal.value.code == "own_work"
    assert "name another checker" in str(refusal.value)


def test_whoever_put_it_in_place_does_not_sign_it_off(floor: Floor) -> None:
    lead = floor.who(Role.IT_LEAD)
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    placed = fixes.put_in_place(found.pk, by=lead, evidence="Seen", now=NOW)
    assert placed.placed_by == lead
    for effective in (True, False):
        with pytest.raises(NotAllowed) as refusal:
            fixes.check(found.pk, by=lead, effective=effective, measured="None", now=OVER)
        assert refusal.value.code == "own_work"
    assert fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=OVER)


def test_the_owner_is_not_changed_to_the_checker(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(Invalid) as refusal:
        fixes.start(found.pk, by=floor.tech, owner=floor.supervisor, due_on=OVER.date(), now=NOW)
    assert refusal.value.code == "own_work"
    other = floor.who(Role.IT_LEAD)
    fixes.plan_check(found.pk, by=floor.tech, metric="Stops", target="None", checker=other, now=NOW)
    assert fixes.start(
        found.pk, by=floor.tech, owner=floor.supervisor, due_on=OVER.date(), reason="He knows it", now=NOW
    )


def test_the_check_is_not_changed_once_the_fix_is_in(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    with pytest.raises(Refused) as refusal:
        fixes.plan_check(
            found.pk, by=floor.tech, metric="Easier", target="Ten", checker=floor.supervisor, now=NOW
        )
    assert refusal.value.code == "too_late"


def test_who_put_it_in_place_may_check_the_next_try_of_somebody_else(floor: Floor) -> None:
    lead = floor.who(Role.IT_LEAD)
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    fixes.put_in_place(found.pk, by=lead, evidence="Seen", now=NOW)
    fixes.check(found.pk, by=floor.supervisor, effective=False, measured="Two stops", now=NOW)
    fixes.plan_check(found.pk, by=floor.tech, metric="Stops", target="None", checker=lead, now=NOW)
    fixes.start(found.pk, by=floor.tech, due_on=OVER.date(), now=NOW)
    fixes.put_in_place(found.pk, by=floor.tech, evidence="Pinned harder", now=NOW)
    assert fixes.check(found.pk, by=lead, effective=True, measured="None", now=OVER).stage == Stage.EFFECTIVE


def test_who_is_to_check_it_may_be_changed_but_not_what_is_checked(floor: Floor) -> None:
    lead = floor.who(Role.IT_LEAD)
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    named = fixes.name_checker(found.pk, by=floor.tech, checker=lead, now=NOW)
    assert (named.checker, named.checking_from, named.target) == (lead, found.checking_from, found.target)
    (asked,) = Promise.objects.open().filter(countermeasure=found, kind=PromiseKind.CHECK)
    assert (asked.person, asked.moved) == (lead, 0)
    assert fixes.name_checker(found.pk, by=floor.tech, checker=lead, now=NOW).incident == named.incident
    done = fixes.check(found.pk, by=lead, effective=True, measured="None", now=OVER)
    with pytest.raises(Refused) as refusal:
        fixes.name_checker(done.pk, by=floor.tech, checker=floor.supervisor, now=OVER)
    assert refusal.value.code == "not_proving"


def test_neither_the_owner_nor_who_put_it_in_place_is_named_as_checker(floor: Floor) -> None:
    lead = floor.who(Role.IT_LEAD)
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    fixes.put_in_place(found.pk, by=lead, evidence="Seen", now=NOW)
    for person in (floor.tech, lead):
        with pytest.raises(Invalid) as refusal:
            fixes.name_checker(found.pk, by=floor.tech, checker=person, now=NOW)
        assert refusal.value.code == "own_work"


# --- a waiver is a bet on this fix --------------------------------------------------------------------------


def test_a_fix_that_did_not_hold_loses_its_waiver(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED), strength="train")
    fixes.waive(found.pk, by=floor.manager, reason="Until the part comes", now=NOW)
    fixes.put_in_place(found.pk, by=floor.tech, evidence="All were told", now=NOW)
    failed = fixes.check(found.pk, by=floor.supervisor, effective=False, measured="Again", now=NOW)
    assert (failed.waived_by, failed.waived_reason) == (None, "")
    fixes.start(found.pk, by=floor.tech, due_on=OVER.date(), now=NOW)
    with pytest.raises(Refused) as refusal:
        fixes.put_in_place(found.pk, by=floor.tech, evidence="Told again", now=NOW)
    assert refusal.value.code == "too_weak"
    fixes.waive(found.pk, by=floor.manager, reason="Once more, with a sign", now=NOW)
    assert fixes.put_in_place(found.pk, by=floor.tech, evidence="Told again", now=NOW)
