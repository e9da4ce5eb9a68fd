"""When a promise is asked about, and who is. No database, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MORNING = timedelta(hours=8)
"""What is promised for a day is asked about at eight in the morning, not at midnight when the day is over."""

AUDIT = "promises"
"""The heartbeat that says when promises were last looked through for one that nobody would be asked about."""

AUDITED_EVERY = timedelta(seconds=30)


class Ask(StrEnum):
    """Who is asked."""

    OWNER = "owner"
    LEAD = "lead"
    IT_MANAGER = "it_manager"
    MANAGERS = "managers"


@dataclass(frozen=True, slots=True)
class Step:
    """So long after the date (before it, when negative) these are asked."""

    after: timedelta
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps in order, and how often the last is repeated."""

    steps: tuple[Step, ...]
    again: timedelta


def schedule(
    *, before: int = 48, lead_after: int = 24, it_manager_after: int = 72, managers_after: int = 168,
    again_every: int = 168,
) -> Schedule:  # fmt: skip
    """The built-in schedule, in hours; each may be changed by an IT manager."""
    hours = timedelta(hours=1)
    return Schedule(
        (
            Step(-before * hours, (Ask.OWNER,)),
            Step(0 * hours, (Ask.OWNER,)),
            Step(lead_after * hours, (Ask.OWNER, Ask.LEAD)),
            Step(it_manager_after * hours, (Ask.LEAD, Ask.IT_MANAGER)),
            Step(managers_after * hours, (Ask.IT_MANAGER, Ask.MANAGERS)),
        ),
        again_every * hours,
    )


@dataclass(frozen=True, slots=True)
class Dates:
    """What the rules look at: the date, whether it is a whole day, and since when it has stood."""

    due_at: datetime
    is_day: bool
    since: datetime

    @property
    def anchor(self) -> datetime:
        return self.due_at + MORNING if self.is_day else self.due_at


@dataclass(frozen=True, slots=True)
class Fired:
    step: int
    round: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Next:
    step: int
    round: int
    due_at: datetime


def next_question(dates: Dates, by: Schedule, fired: Fired | None) -> Next:
    """The one question that is armed; there always is one while the promise is open.

    A reminder that lies before the promise was given is left out. A date that had passed by then is asked
    about from then on: what was missed is not made up for. After a firing the next is counted from it, so
    that an outage never ends in a burst.
    """
    if fired is None:
        first = 0 if dates.anchor + by.steps[0].after > dates.since else 1
        return Next(first, 0, _moment(dates, by, first))
    if fired.step + 1 < len(by.steps):
        step = fired.step + 1
        gap = by.steps[step].after - by.steps[fired.step].after
        earliest = fired.at + gap if by.steps[fired.step].after >= timedelta(0) else fired.at
        return Next(step, 0, max(_moment(dates, by, step), earliest))
    return Next(fired.step, fired.round + 1, fired.at + by.again)


def _moment(dates: Dates, by: Schedule, step: int) -> datetime:
    after = by.steps[step].after
    return dates.anchor + after if after < timedelta(0) else max(dates.anchor, dates.since) + after


def now_due(dates: Dates, by: Schedule, step: int, now: datetime) -> int:
    """The step to fire: a reminder that comes after the date has become the question itself."""
    return 1 if step == 0 and _moment(dates, by, 1) <= now else step


def asked(by: Schedule, step: int) -> Sequence[Ask]:
    return by.steps[step].asks
