"""The same again while a fix is being proved: it did not hold (domain §3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.lifecycle import relapses, weigh, weigh_due
from countermeasures.models import Countermeasure, Kind, Stage, Strength
from incidents import lifecycle
from incidents.models import EventKind, Incident, Status, UnweighedRepeat
from tests.factories import DETROIT, NOW, Floor, fresh, place_fix, plan_fix, raise_, reach

LATER = NOW + timedelta(days=10)
MINUTE = timedelta(minutes=1)
OVER = datetime(2026, 4, 1, tzinfo=DETROIT)
"""The end of the thirty days of a fix put in place on 2 March: midnight on the plant's calendar."""


def fix_of(incident: Incident) -> Countermeasure:
    return incident.countermeasures.permanent().get()


def kinds(incident: Incident, last: int) -> list[str]:
    return list(reversed(incident.events.order_by("-id").values_list("kind", flat=True)[:last]))


def test_a_repeat_inside_the_window_fails_the_check_and_opens_the_old_one(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    again = raise_(floor, now=LATER)
    assert weigh_due(LATER + MINUTE) == 1
    fix = fix_of(old)
    assert (fix.stage, fix.days_proved(LATER), fix.checked_by) == (Stage.NOT_EFFECTIVE, 0, None)
    assert again.code in fix.measured
    assert (fresh(old).status, fresh(old).owner, fresh(old).reopen_count) == (
        Status.REOPENED,
        floor.tech,
        1,
    )
    assert fresh(old).clocks_from == LATER + MINUTE
    assert kinds(old, 3) == [EventKind.REPEATED, EventKind.COUNTERMEASURE, EventKind.REOPENED]
    assert old.events.get(kind=EventKind.REPEATED).data == {"repeat": again.number}
    assert fresh(again).status == Status.RAISED


@pytest.mark.parametrize(
    ("at", "stage", "status"),
    [
        (OVER - MINUTE, Stage.NOT_EFFECTIVE, Status.REOPENED),
        (OVER + MINUTE, Stage.CHECKING, Status.RESOLVED),
    ],
)
def test_one_minute_decides_at_the_end_of_the_window(
    floor: Floor, at: datetime, stage: Stage, status: Status
) -> None:
    old = reach(floor, Status.RESOLVED)
    again = raise_(floor, now=at)
    assert again.repeat_of == old  # linked and marked either way
    weigh_due(at + timedelta(hours=1))  # when it is weighed does not matter, only when it was raised
    assert (fix_of(old).stage, fresh(old).status) == (stage, status)
    assert old.events.filter(kind=EventKind.REPEATED).count() == 1


def test_after_the_old_one_was_closed_its_fix_is_in_question_and_it_stays_closed(floor: Floor) -> None:
    old = reach(floor, Status.CLOSED)
    assert old.closed_at is not None
    now = old.closed_at + timedelta(days=89)
    raise_(floor, now=now)
    weigh_due(now)
    assert (fresh(old).status, fix_of(old).stage) == (Status.CLOSED, Stage.EFFECTIVE)
    assert kinds(old, 1) == [EventKind.REPEATED]


def test_before_the_fix_went_in_nothing_had_to_hold(floor: Floor) -> None:
    """Raised, then the fix goes in, and only then is it weighed."""
    old = reach(floor, Status.CONTAINED)
    first = place_fix(floor, old)
    raise_(floor, now=LATER)
    fixes.check(first.pk, by=floor.supervisor, effective=False, measured="Again", now=LATER + MINUTE)
    second = place_fix(floor, old, now=LATER + 2 * MINUTE)
    weigh_due(LATER + 3 * MINUTE)
    second.refresh_from_db()
    assert second.stage == Stage.CHECKING


def test_two_repeats_at_once_fail_the_fix_once(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    first, second = raise_(floor, now=LATER), raise_(floor, now=LATER)
    assert first.repeat_of == second.repeat_of == old
    assert weigh_due(LATER) == 2
    assert (fresh(old).reopen_count, fix_of(old).stage) == (1, Stage.NOT_EFFECTIVE)
    assert kinds(old, 4) == [
        EventKind.REPEATED,
        EventKind.COUNTERMEASURE,
        EventKind.REOPENED,
        EventKind.REPEATED,
    ]


def test_an_old_one_that_the_floor_opened_meanwhile_is_not_opened_twice(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    raise_(floor, now=LATER)
    lifecycle.reopen(old.number, by=floor.supervisor, reason="Blank again", now=LATER)
    weigh_due(LATER + MINUTE)
    assert (fresh(old).reopen_count, fix_of(old).stage) == (1, Stage.NOT_EFFECTIVE)


def test_every_fix_of_the_family_that_had_to_hold_did_not(floor: Floor) -> None:
    """The first came back, was fixed again, and now both are being proved."""
    first = reach(floor, Status.RESOLVED)
    second = raise_(floor, now=NOW + timedelta(days=1))
    lifecycle.acknowledge(second.number, by=floor.tech, now=NOW)
    lifecycle.contain(second.number, by=floor.tech, what="Spare", now=NOW)
    place_fix(floor, second, now=NOW + timedelta(days=2))
    UnweighedRepeat.objects.all().delete()
    raise_(floor, now=LATER)
    weigh_due(LATER)
    assert [fix_of(one).stage for one in (first, second)] == [Stage.NOT_EFFECTIVE] * 2
    assert [fresh(one).status for one in (first, second)] == [Status.REOPENED] * 2


def test_a_preventive_fix_fails_too(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    other = fixes.add(
        old.number,
        by=floor.tech,
        kind=Kind.PREVENTIVE,
        what="Test print each shift",
        owner=floor.tech,
        due_on=NOW.date(),
        strength=Strength.DETECT_STOP,
        metric="Stops",
        target="None",
        checker=floor.supervisor,
        now=NOW,
    )
    fixes.put_in_place(other.pk, by=floor.tech, evidence="On the sheet", now=NOW)
    raise_(floor, now=LATER)
    weigh_due(LATER)
    other.refresh_from_db()
    assert (other.stage, fix_of(old).stage) == (Stage.NOT_EFFECTIVE, Stage.NOT_EFFECTIVE)
    assert fresh(old).reopen_count == 1


def test_a_waived_fix_that_did_not_hold_may_be_promised_again(floor: Floor) -> None:
    """Waiver, then repeat: the waiver does not save it."""
    old = reach(floor, Status.CONTAINED)
    weak = plan_fix(floor, old, strength=Strength.WARN)
    fixes.waive(weak.pk, by=floor.manager, reason="No part before June", now=NOW)
    fixes.put_in_place(weak.pk, by=floor.tech, evidence="Sign is up", now=NOW)
    lifecycle.resolve(old.number, by=floor.tech, now=NOW)
    raise_(floor, now=LATER)
    weigh_due(LATER)
    assert fix_of(old).stage == Stage.NOT_EFFECTIVE
    assert fixes.start(weak.pk, by=floor.tech, now=LATER).stage == Stage.IN_WORK


def test_practice_fails_no_fix(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    raise_(floor, is_drill=True, now=LATER)
    assert weigh_due(LATER) == 0
    assert (fix_of(old).stage, fresh(old).status) == (Stage.CHECKING, Status.RESOLVED)


def test_a_wrong_tap_that_was_taken_back_at_once_fails_no_fix(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    wrong = raise_(floor, now=LATER)
    lifecycle.take_back(wrong.number, by=floor.operator, now=LATER)
    weigh_due(LATER)
    assert fix_of(old).stage == Stage.CHECKING
    assert not UnweighedRepeat.objects.exists()


def test_weighing_again_changes_nothing(floor: Floor) -> None:
    old = reach(floor, Status.RESOLVED)
    again = raise_(floor, now=LATER)
    assert [weigh(again.pk, now=LATER), weigh(again.pk, now=LATER)] == [True, False]
    version = fresh(old).version
    assert weigh_due(LATER) == 0
    assert fresh(old).version == version


def test_a_crash_in_the_middle_leaves_all_to_do_again(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    old = reach(floor, Status.RESOLVED)
    raise_(floor, now=LATER)
    whole: Callable[..., Countermeasure] = relapses.did_not_hold

    def half(*args: object, **asked: object) -> Countermeasure:
        whole(*args, **asked)
        raise RuntimeError("the power went")

    monkeypatch.setattr(relapses, "did_not_hold", half)
    assert weigh_due(LATER) == 0
    assert (fresh(old).status, fix_of(old).stage) == (Status.RESOLVED, Stage.CHECKING)
    assert UnweighedRepeat.objects.get().failures == 1
    monkeypatch.setattr(relapses, "did_not_hold", whole)
    assert weigh_due(LATER) == 0  # set aside for a moment, so that it holds up no other
    assert weigh_due(LATER + relapses.PAUSE) == 1
    assert fresh(old).status == Status.REOPENED
