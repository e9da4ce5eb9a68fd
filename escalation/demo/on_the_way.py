"""What happens to a countermeasure between the promise and the proof: dates that move, and measurements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Promise, Stage
from countermeasures.promises import lifecycle as promises
from countermeasures.promises.models import InTheWay
from escalation.demo.story import Fix
from incidents import lifecycle
from incidents.models import WaitingOn
from plant.rotation import ONE_DAY

if TYPE_CHECKING:
    from escalation.demo.play import Play

MOVES = 3
"""Of so many stories the date of one moves."""

WHY = (
    (InTheWay.PART, "The part is in customs until next week."),
    (InTheWay.WINDOW, "No quiet time on the line before the weekend."),
    (InTheWay.PART, "The wrong cable came. The right one is ordered."),
    (InTheWay.VENDOR, "The vendor sends somebody on Tuesday."),
    (InTheWay.URGENT, "The label stop on D2 came first."),
    (InTheWay.PART, "The maker has it in stock again on Monday."),
    (InTheWay.WINDOW, "The build order leaves no gap this week."),
    (InTheWay.BIGGER, "Three more cabinets have the same wiring."),
)
"""What was in the way, as a plant would say it: parts and quiet time most of all."""

MEASURES = 2
"""Of so many stories the check of one is measured week by week."""

HOUR = timedelta(hours=1)

LOST = (14, 9, 6, 6, 3, 2, 0, 1, 0)
"""Minutes a week that go to looking after it, from the first week on: getting used to a fix takes time."""


def first_day(number: int, fix: Fix, planned_on: date) -> date:
    """The day that was promised first: half of the time, where the date is one that moves."""
    if fix.passed_on is not None:
        return fix.passed_on
    span = (fix.due_on - planned_on).days
    return fix.due_on - timedelta(days=span // 2) if number % MOVES == 1 and span >= 4 else fix.due_on


def moved(run: Play, fix: Fix, found: Countermeasure) -> Iterator[datetime]:
    """Another date, mostly agreed on the old day, sometimes on the morning after it had passed."""
    if fix.passed_on is not None:
        yield from _passed(run, fix.passed_on, found)
        return
    if found.due_on is None or found.due_on == fix.due_on:
        return
    turn = run.number // MOVES
    is_late = turn % 3 == 0
    at = run.local(found.due_on + (ONE_DAY if is_late else 0 * ONE_DAY), time(9, 10))
    if fix.placed_at is not None and at >= fix.placed_at:
        return
    yield at
    kind, words = WHY[turn % len(WHY)]
    owner = run.cast.people[fix.owner]
    fixes.start(found.pk, by=owner, due_on=fix.due_on, reason=words, in_the_way=kind, now=at)


def _passed(run: Play, day: date, found: Countermeasure) -> Iterator[datetime]:
    """The day went by: on the next morning the owner says what is in the way and whom it waits on."""
    at = run.local(day + ONE_DAY, time(9, 10))
    yield at
    promise = Promise.objects.open().get(subject=f"fix:{found.pk}")
    words = "The release with the check did not come yet."
    promises.say_why(promise.pk, by=promise.person, in_the_way=InTheWay.VENDOR, words=words, now=at)
    at += HOUR / 6
    yield at
    until = run.local(day + 5 * ONE_DAY, time(15))
    lifecycle.wait_on(
        run.number, by=run.owner, on=WaitingOn.VENDOR, name="the release of the vendor", until=until, now=at
    )


def measured(run: Play, fix: Fix, found: Countermeasure) -> Iterator[datetime]:
    """While it is being proved its checker writes down each week what looking after it took."""
    if run.number % MEASURES or not found.is_counted_from_shifts or fix.placed_at is None:
        return
    day = run.day_of(fix.placed_at)
    for week, minutes in enumerate(LOST, start=1):
        at = run.local(day + week * 7 * ONE_DAY, time(10, 15))
        if fix.checked_at is not None and at >= fix.checked_at - HOUR:
            return
        yield at
        one = Countermeasure.objects.select_related("checker").get(pk=found.pk)
        if one.stage != Stage.CHECKING or one.checker is None:
            return
        fixes.log_measurement(
            one.pk, by=one.checker, value=Decimal(minutes), unit="min a week", note="", now=at
        )


def accepted(run: Play) -> Iterator[datetime]:
    """A manager closes it without a fix, until the day on which it is looked at again."""
    told = run.story.accepted
    if told is None:
        return
    yield told.at
    for bandage in Countermeasure.objects.filter(incident=run.incident).worn():
        fixes.take_off(bandage.pk, by=run.owner, now=told.at)  # it is how it is done now
    yield told.at
    lifecycle.accept_no_fix(
        run.number,
        by=run.cast.manager_of(run.incident),
        reason=told.reason,
        review_on=told.review_on,
        now=told.at,
    )
