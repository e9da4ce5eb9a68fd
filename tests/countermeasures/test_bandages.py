from __future__ import annotations

from datetime import date, timedelta

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure
from countermeasures.promises.models import Promise
from incidents.models import SeverityRule, Status
from opsdesk.errors import Invalid, NotAllowed, Refused
from tests.factories import NOW, Floor, make_floor, place_fix, reach


@pytest.fixture
def bandage(floor: Floor) -> Countermeasure:
    return reach(floor, Status.CONTAINED).countermeasures.get()


def test_a_manager_lets_it_stay_longer_and_says_why(floor: Floor, bandage: Countermeasure) -> None:
    found = fixes.extend(
        bandage.pk, by=floor.manager, expires_on=date(2026, 3, 20), reason=" Part is late ", now=NOW
    )
    assert found.expires_on == date(2026, 3, 20)
    event = found.incident.events.last()
    assert event is not None and (event.words, event.data["was"]) == ("Part is late", "2026-03-09")


@pytest.mark.parametrize("day", [date(2026, 3, 9), date(2026, 3, 8)])
def test_the_new_day_is_later_than_the_old_one(floor: Floor, bandage: Countermeasure, day: date) -> None:
    with pytest.raises(Invalid) as refusal:
        fixes.extend(bandage.pk, by=floor.manager, expires_on=day, reason="x", now=NOW)
    assert refusal.value.code == "not_later"


def test_an_extension_is_a_month_at_most_and_then_it_is_asked_about_again(
    floor: Floor, bandage: Countermeasure
) -> None:
    month = NOW.date() + timedelta(days=30)
    with pytest.raises(Invalid) as refusal:
        fixes.extend(bandage.pk, by=floor.manager, expires_on=month + timedelta(days=1), reason="x", now=NOW)
    assert (refusal.value.code, "1 Apr" in str(refusal.value)) == ("too_long", True)
    fixes.extend(bandage.pk, by=floor.manager, expires_on=month, reason="Part is late", now=NOW)
    SeverityRule.objects.update(extension_days=60)
    later = month + timedelta(days=29)
    assert fixes.extend(bandage.pk, by=floor.manager, expires_on=later, reason="Still", now=NOW)


def test_it_needs_a_reason(floor: Floor, bandage: Countermeasure) -> None:
    with pytest.raises(Invalid) as refusal:
        fixes.extend(bandage.pk, by=floor.manager, expires_on=date(2026, 4, 1), reason=" ", now=NOW)
    assert refusal.value.code == "no_reason"


def test_what_is_off_stays_off(floor: Floor, bandage: Countermeasure) -> None:
    off = fixes.take_off(bandage.pk, by=floor.tech, now=NOW)
    assert (off.removed_at, off.removed_by) == (NOW, floor.tech)
    again = fixes.take_off(bandage.pk, by=floor.supervisor)
    assert (again.removed_by, again.incident.version) == (floor.tech, off.incident.version)
    with pytest.raises(Refused) as refusal:
        fixes.extend(bandage.pk, by=floor.manager, expires_on=date(2026, 4, 1), reason="x", now=NOW)
    assert refusal.value.code == "not_a_bandage"


def test_what_is_not_on_is_neither_extended_nor_taken_off(floor: Floor, bandage: Countermeasure) -> None:
    number = bandage.incident.number
    planned = fixes.add(number, by=floor.tech, kind="containment", what="Tape over it", now=NOW)
    with pytest.raises(Refused) as refusal:
        fixes.take_off(planned.pk, by=floor.tech, now=NOW)
    assert refusal.value.code == "not_on"
    fixes.withdraw(planned.pk, by=floor.tech, reason="No tape", now=NOW)
    with pytest.raises(Refused) as refusal:
        fixes.extend(planned.pk, by=floor.manager, expires_on=date(2026, 3, 20), reason="x", now=NOW)
    assert refusal.value.code == "not_a_bandage"


@pytest.mark.parametrize("effective", [True, False])
def test_a_bandage_is_not_signed_off_and_stays_promised(
    floor: Floor, bandage: Countermeasure, effective: bool
) -> None:
    with pytest.raises(Refused) as refusal:
        fixes.check(bandage.pk, by=floor.supervisor, effective=effective, measured="None", now=NOW)
    assert refusal.value.code == "not_proved"


def test_a_fix_is_no_bandage(floor: Floor) -> None:
    fix = place_fix(floor, reach(floor, Status.CONTAINED))
    for refused in (
        lambda: fixes.take_off(fix.pk, by=floor.tech),
        lambda: fixes.extend(fix.pk, by=floor.manager, expires_on=date(2026, 4, 1), reason="x", now=NOW),
    ):
        with pytest.raises(Refused) as refusal:
            refused()
        assert refusal.value.code == "not_a_bandage"


def test_what_is_worn_and_what_has_expired_is_found(floor: Floor, bandage: Countermeasure) -> None:
    worn, expired = Countermeasure.objects.worn, Countermeasure.objects.expired
    assert list(worn()) == [bandage]
    assert not expired(date(2026, 3, 9)) and list(expired(date(2026, 3, 10))) == [bandage]
    fixes.take_off(bandage.pk, by=floor.tech)
    assert not worn() and not expired(date(2026, 3, 10))


def test_somebody_else_looks_after_it_and_is_asked_from_then_on(
    floor: Floor, bandage: Countermeasure
) -> None:
    fixes.name_owner(bandage.pk, by=floor.tech, owner=floor.supervisor, now=NOW)
    found = fixes.name_owner(bandage.pk, by=floor.tech, owner=floor.supervisor, now=NOW)
    assert found.incident.events.filter(data__did="owner_named").count() == 1
    promise = Promise.objects.open().get(subject=f"bandage:{bandage.pk}")
    assert (promise.person, promise.due_on) == (floor.supervisor, bandage.expires_on)


def test_a_bandage_is_handed_over_only_while_it_is_on_and_to_somebody_of_the_site(
    floor: Floor, bandage: Countermeasure
) -> None:
    with pytest.raises(Invalid):
        fixes.name_owner(bandage.pk, by=floor.tech, owner=make_floor(code="AWAY").tech, now=NOW)
    with pytest.raises(NotAllowed):
        fixes.name_owner(bandage.pk, by=floor.operator, owner=floor.supervisor, now=NOW)
    fixes.take_off(bandage.pk, by=floor.tech, now=NOW)
    with pytest.raises(Refused) as refusal:
        fixes.name_owner(bandage.pk, by=floor.tech, owner=floor.supervisor, now=NOW)
    assert refusal.value.code == "not_on"
