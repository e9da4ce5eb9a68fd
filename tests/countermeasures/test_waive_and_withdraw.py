from __future__ import annotations

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Stage, Strength
from incidents.models import Impact, Status
from opsdesk.errors import Invalid, Missing, Refused
from tests.factories import Floor, place_fix, plan_fix, reach


def test_a_manager_accepts_a_weaker_one_and_says_why(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED), strength=Strength.WARN)
    assert not found.is_strong_enough
    waived = fixes.waive(found.pk, by=floor.manager, reason=" Ends in May ")
    assert waived.is_strong_enough
    assert (waived.waived_by, waived.waived_reason) == (floor.manager, "Ends in May")
    event = found.incident.events.last()
    assert event is not None and (event.data["did"], event.words) == ("waived", "Ends in May")


def test_how_strong_it_is_is_said_until_it_is_in(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    weak = plan_fix(floor, incident, strength="")
    assert fixes.say_strength(weak.pk, by=floor.tech, strength=Strength.TRAIN).strength == Strength.TRAIN
    with pytest.raises(Refused) as refusal:
        fixes.put_in_place(weak.pk, by=floor.tech, evidence="All were told")
    assert refusal.value.code == "too_weak"
    strong = fixes.say_strength(weak.pk, by=floor.tech, strength=Strength.PREVENT)
    version = strong.incident.version
    assert fixes.say_strength(weak.pk, by=floor.tech, strength=Strength.PREVENT).incident.version == version
    fixes.put_in_place(weak.pk, by=floor.tech, evidence="Pinned")
    with pytest.raises(Refused) as refusal:
        fixes.say_strength(weak.pk, by=floor.tech, strength=Strength.ELIMINATE)
    assert refusal.value.code == "too_late"


def test_what_was_never_said_is_said_also_when_it_is_in_but_not_of_a_bandage(floor: Floor) -> None:
    small = reach(floor, Status.CONTAINED, Impact.WORKAROUND)
    placed = place_fix(floor, small, strength="")
    assert fixes.say_strength(placed.pk, by=floor.tech, strength=Strength.WARN).strength == Strength.WARN
    with pytest.raises(Refused) as refusal:
        fixes.say_strength(small.countermeasures.get(kind="containment").pk, by=floor.tech, strength="warn")
    assert refusal.value.code == "not_needed"


def test_nothing_is_accepted_for_what_does_not_wait_for_it(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    given_up = fixes.withdraw(plan_fix(floor, incident).pk, by=floor.tech, reason="x")
    over = reach(floor, Status.CLOSED).countermeasures.exclude(kind="containment").get()
    for pk in (incident.countermeasures.get(kind="containment").pk, given_up.pk, over.pk):
        with pytest.raises(Refused) as refusal:
            fixes.waive(pk, by=floor.manager, reason="Ends in May")
        assert refusal.value.code == "not_needed"


def test_it_needs_a_reason(floor: Floor) -> None:
    found = plan_fix(floor, reach(floor, Status.CONTAINED))
    for refused in (
        lambda: fixes.waive(found.pk, by=floor.manager, reason=" "),
        lambda: fixes.withdraw(found.pk, by=floor.tech, reason=" "),
    ):
        with pytest.raises(Invalid) as refusal:
            refused()
        assert refusal.value.code == "no_reason"


def test_what_is_given_up_stays_in_the_record(floor: Floor) -> None:
    found = fixes.withdraw(plan_fix(floor, reach(floor, Status.CONTAINED)).pk, by=floor.tech, reason="x")
    assert found.stage == Stage.WITHDRAWN
    assert found in found.incident.countermeasures.all()
    assert found not in found.incident.countermeasures.counting()


def test_what_is_in_is_not_given_up(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        fixes.withdraw(place_fix(floor, reach(floor, Status.CONTAINED)).pk, by=floor.tech, reason="x")
    assert refusal.value.code == "wrong_status"


@pytest.mark.django_db
def test_an_unknown_one_is_missing(floor: Floor) -> None:
    with pytest.raises(Missing) as refusal:
        fixes.withdraw(0, by=floor.tech, reason="x")
    assert (refusal.value.code, refusal.value.status) == ("unknown_countermeasure", 404)
