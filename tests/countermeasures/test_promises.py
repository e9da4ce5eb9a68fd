"""Every due date is a promise: given, moved, kept and withdrawn with the thing that it is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Promise, PromiseChange
from countermeasures.promises import doing
from countermeasures.promises import lifecycle as promises
from countermeasures.promises.follow import follow_incidents
from countermeasures.promises.models import Outcome, PromiseKind
from incidents import lifecycle
from incidents.models import Incident, Status
from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.models import Role
from tests.factories import (
    NOW,
    Floor,
    fresh,
    make_person,
    make_site,
    make_station,
    make_system,
    place_fix,
    plan_fix,
    raise_,
    reach,
)

TOMORROW = NOW + timedelta(days=1)
NEXT_MONTH = NOW + timedelta(days=30)


def of(found: Countermeasure, kind: PromiseKind = PromiseKind.FIX) -> Promise:
    return Promise.objects.get(countermeasure=found, kind=kind)


@pytest.fixture
def fix(floor: Floor) -> Countermeasure:
    """Promised by the technician for the end of Monday 9 March."""
    return plan_fix(floor, raise_(floor))


def in_place(floor: Floor, found: Countermeasure, now: datetime) -> Promise:
    fixes.put_in_place(found.pk, by=floor.tech, evidence="Seen", now=now)
    return of(found)


def test_an_owner_and_a_day_are_a_promise_until_the_end_of_that_day(
    floor: Floor, fix: Countermeasure
) -> None:
    promise = of(fix)
    assert (promise.person, promise.outcome, promise.what) == (floor.tech, Outcome.OPEN, fix.what)
    assert promise.due_at.astimezone(floor.site.tz).isoformat() == "2026-03-10T00:00:00-04:00"


def test_without_an_owner_nothing_is_promised(floor: Floor) -> None:
    found = plan_fix(floor, raise_(floor), owner=None, checker=None)
    assert not found.promises.exists()


def test_practice_promises_nothing(floor: Floor) -> None:
    incident = raise_(floor)
    incident.is_drill = True
    asked: dict[str, Any] = {"kind": "fix", "subject": "fix:1", "what": "x", "person": floor.tech}
    assert promises.give(incident=incident, due_on=NOW.date(), **asked) is None


def test_in_place_in_time_is_kept(floor: Floor, fix: Countermeasure) -> None:
    assert in_place(floor, fix, TOMORROW).outcome == Outcome.KEPT


@pytest.mark.parametrize(("minutes", "outcome"), [(-1, Outcome.KEPT), (0, Outcome.LATE)])
def test_the_day_counts_until_its_last_minute(
    floor: Floor, fix: Countermeasure, minutes: int, outcome: Outcome
) -> None:
    assert in_place(floor, fix, of(fix).due_at + timedelta(minutes=minutes)).outcome == outcome


def test_a_new_date_before_it_is_due_counts_as_kept_by_agreement(floor: Floor, fix: Countermeasure) -> None:
    fixes.start(fix.pk, by=floor.tech, due_on=NEXT_MONTH.date(), reason="No part", now=TOMORROW)
    assert (of(fix).moved, of(fix).slipped) == (1, False)
    assert in_place(floor, fix, NOW + timedelta(days=20)).outcome == Outcome.KEPT_BY_AGREEMENT


def test_a_new_date_after_it_was_due_counts_as_late(floor: Floor, fix: Countermeasure) -> None:
    fixes.start(fix.pk, by=floor.tech, due_on=NEXT_MONTH.date(), reason="No part", now=of(fix).due_at)
    assert in_place(floor, fix, NOW + timedelta(days=20)).outcome == Outcome.LATE


def test_an_earlier_date_is_no_slip(floor: Floor, fix: Countermeasure) -> None:
    fixes.start(fix.pk, by=floor.tech, due_on=TOMORROW.date(), reason="It came", now=NOW)
    assert in_place(floor, fix, NOW).outcome == Outcome.KEPT


def test_each_new_date_is_recorded_with_who_when_and_why(floor: Floor, fix: Countermeasure) -> None:
    was = of(fix).due_at
    promises.agree_new_date(
        of(fix).pk,
        by=floor.tech,
        due_on=NEXT_MONTH.date(),
        reason="Part in customs",
        in_the_way="part",
        now=TOMORROW,
    )
    change = PromiseChange.objects.get()
    assert (change.by, change.at, change.reason) == (floor.tech, TOMORROW, "Part in customs")
    assert (change.was_due_at, change.due_at, change.after_due) == (was, of(fix).due_at, False)
    fix.refresh_from_db()
    assert fix.due_on == NEXT_MONTH.date()
    assert of(fix).in_the_way == "part"


def test_a_new_date_needs_a_reason(floor: Floor, fix: Countermeasure) -> None:
    with pytest.raises(Invalid):
        promises.agree_new_date(of(fix).pk, by=floor.tech, due_on=NEXT_MONTH.date(), reason=" ", now=NOW)


def test_what_was_agreed_cannot_be_changed_afterwards(floor: Floor, fix: Countermeasure) -> None:
    fixes.start(fix.pk, by=floor.tech, due_on=NEXT_MONTH.date(), reason="No part", now=TOMORROW)
    with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
        PromiseChange.objects.update(reason="Another")


def test_another_owner_takes_the_promise_over(floor: Floor, fix: Countermeasure) -> None:
    lead = floor.who(Role.IT_LEAD)
    fixes.start(fix.pk, by=lead, owner=lead, due_on=fix.due_on, now=TOMORROW)
    assert (of(fix).person, of(fix).moved) == (lead, 0)
    assert PromiseChange.objects.get().was_person == floor.tech


def test_what_is_given_up_counts_neither_as_kept_nor_as_late(floor: Floor, fix: Countermeasure) -> None:
    fixes.withdraw(fix.pk, by=floor.tech, reason="Replaced by another", now=NEXT_MONTH)
    assert of(fix).outcome == Outcome.WITHDRAWN
    with pytest.raises(Refused):
        promises.agree_new_date(of(fix).pk, by=floor.tech, due_on=NEXT_MONTH.date(), reason="x", now=NOW)


def test_the_check_is_promised_by_the_checker_and_kept_by_checking(floor: Floor) -> None:
    found = place_fix(floor, raise_(floor))
    check = of(found, PromiseKind.CHECK)
    assert (check.person, check.outcome) == (floor.supervisor, Outcome.OPEN)
    done = NOW + timedelta(days=31)
    fixes.check(found.pk, by=floor.supervisor, effective=False, measured="Two stops", now=done)
    assert of(found, PromiseKind.CHECK).outcome == Outcome.KEPT


def test_a_bandage_is_a_promise_to_take_it_off_or_extend_it(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    follow_incidents([incident.pk], NOW)
    bandage = incident.countermeasures.get()
    assert of(bandage, PromiseKind.BANDAGE).due_on == bandage.expires_on
    assert bandage.expires_on is not None
    longer = bandage.expires_on + timedelta(days=3)
    fixes.extend(bandage.pk, by=floor.manager, expires_on=longer, reason="Part is late", now=NOW)
    assert of(bandage, PromiseKind.BANDAGE).due_on == longer
    assert PromiseChange.objects.get().reason == "Part is late"
    fixes.take_off(bandage.pk, by=floor.tech, now=TOMORROW)
    assert of(bandage, PromiseKind.BANDAGE).outcome == Outcome.KEPT_BY_AGREEMENT


def test_the_review_of_no_permanent_fix_is_promised_by_the_manager_who_accepted_it(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    lifecycle.accept_no_fix(
        incident.number, by=floor.manager, reason="Old line", review_on=NEXT_MONTH.date(), now=NOW
    )
    follow_incidents([incident.pk], NOW)
    review = Promise.objects.get(kind=PromiseKind.REVIEW)
    assert (review.person, review.due_on, review.is_open) == (floor.manager, NEXT_MONTH.date(), True)


def test_what_is_waited_on_is_promised_until_its_time_by_whoever_has_it(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.wait_on(incident.number, by=floor.tech, on="part", name="Inkmarrow", until=TOMORROW, now=NOW)
    follow_incidents([incident.pk], NOW)
    waiting = Promise.objects.get(kind=PromiseKind.WAITING)
    assert (waiting.person, waiting.due_at) == (floor.tech, TOMORROW)
    lifecycle.stop_waiting(incident.number, by=floor.tech, now=NOW)
    follow_incidents([incident.pk], NOW)
    waiting.refresh_from_db()
    assert waiting.outcome == Outcome.KEPT


def owed(incident: Incident, kind: PromiseKind) -> Promise:
    """As it stands when the engine has read the incident once more."""
    follow_incidents([incident.pk], NOW)
    return Promise.objects.with_people().get(kind=kind, incident=incident)


def test_another_day_of_a_review_moves_the_review_and_stays(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    asked: dict[str, Any] = {"by": floor.manager, "reason": "Old line", "now": NOW}
    lifecycle.accept_no_fix(incident.number, review_on=NEXT_MONTH.date(), **asked)
    later = (NEXT_MONTH + timedelta(days=30)).date()
    review = owed(incident, PromiseKind.REVIEW)
    with pytest.raises(Refused, match="without a permanent fix"):
        doing.keep(review, by=floor.manager, now=NOW)
    doing.agree_new_date(review, due_on=later, **asked)
    review = owed(incident, PromiseKind.REVIEW)
    assert (review.due_on, review.moved, review.is_open) == (later, 1, True)
    assert fresh(incident).review_on == later
    assert review.changes.get().reason == "Old line"


def test_another_day_of_what_is_waited_on_moves_that_time_and_stays(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    lifecycle.wait_on(incident.number, by=floor.tech, on="part", name="Inkmarrow", until=TOMORROW, now=NOW)
    waiting = owed(incident, PromiseKind.WAITING)
    day = NEXT_MONTH.date()
    doing.agree_new_date(waiting, by=floor.tech, due_on=day, reason="Customs", in_the_way="part", now=NOW)
    waiting = owed(incident, PromiseKind.WAITING)
    assert (waiting.due_at, waiting.moved, waiting.in_the_way) == (fresh(incident).waiting_until, 1, "part")
    assert waiting.due_at > NEXT_MONTH


def test_another_day_of_a_check_stays_when_something_is_measured(floor: Floor, fix: Countermeasure) -> None:
    fixes.put_in_place(fix.pk, by=floor.tech, evidence="Seen", now=NOW)
    check = Promise.objects.with_people().get(countermeasure=fix, kind=PromiseKind.CHECK)
    assert check.due_on is not None
    later = check.due_on + timedelta(days=5)
    doing.agree_new_date(check, by=floor.supervisor, due_on=later, reason="Holiday", now=NOW)
    fixes.log_measurement(fix.pk, by=floor.supervisor, note="No stop so far", now=TOMORROW)
    assert of(fix, PromiseKind.CHECK).due_on == later


def test_somebody_from_another_site_changes_nothing(floor: Floor, fix: Countermeasure) -> None:
    stranger = make_person("Stranger", roles=[Role.IT_TECH], site=make_site())
    for act in (
        lambda: promises.keep(of(fix).pk, by=stranger),
        lambda: promises.withdraw(of(fix).pk, by=stranger),
        lambda: promises.say_why(of(fix).pk, by=stranger, in_the_way="part"),
        lambda: promises.agree_new_date(
            of(fix).pk, by=stranger, due_on=NEXT_MONTH.date(), reason="x", now=NOW
        ),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_promise_kept_twice_is_kept_once(floor: Floor, fix: Countermeasure) -> None:
    promises.keep(of(fix).pk, by=floor.tech, now=NOW)
    assert promises.keep(of(fix).pk, by=floor.tech, now=NEXT_MONTH).outcome == Outcome.KEPT


def test_what_is_to_be_done_at_another_station_is_promised_and_kept_there(floor: Floor) -> None:
    system = make_system()
    floor.station.systems.add(system)
    other = make_station(line=floor.line, systems=[system])
    found = plan_fix(floor, raise_(floor))
    asked: dict[str, Any] = {"by": floor.tech, "now": NOW}
    due = TOMORROW.date()
    fixes.applies_elsewhere(found.pk, station=other, owner=floor.supervisor, due_on=due, **asked)
    assert of(found, PromiseKind.WHERE_ELSE).person == floor.supervisor
    fixes.done_elsewhere(found.pk, station=other, evidence="Pinned there too", **asked)
    assert of(found, PromiseKind.WHERE_ELSE).outcome == Outcome.KEPT
