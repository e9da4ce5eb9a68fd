"""From wall-clock shifts to instants: which shift a crew works at a moment, right on both clock changes.

A shift is written as two times on the wall. Each wall time of each day maps to exactly one instant, and later
wall times never map to earlier instants, so that crews which relieve each other on the wall neither overlap
nor leave a gap on any night: 22:00 to 06:00 lasts 7 h when the clock goes forward and 9 h when it goes back.
No database and no clock in here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ShiftSpan:
    """One shift of one crew on one day. ``day`` is the local date it starts on; the ends are in UTC.

    UTC on purpose: the difference of two datetimes in one local zone is wall-clock time, wrong on two nights.
    """

    code: str
    name: str
    crew: str
    day: date
    starts_at: datetime
    ends_at: datetime

    @property
    def lasts(self) -> timedelta:
        return self.ends_at - self.starts_at

    def contains(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.starts_at < end and self.ends_at > start


@dataclass(frozen=True, slots=True)
class ShiftTimes:
    """A shift as it is written down: by the clock on the wall."""

    code: str
    name: str
    starts: time
    ends: time


def instant(day: date, wall: time, tz: tzinfo) -> datetime:
    """The UTC instant of a wall time: the first of two in autumn; the jump itself when it is skipped."""
    local = datetime.combine(day, wall, tzinfo=tz)
    moment = local.astimezone(UTC)
    if moment.astimezone(tz).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None):
        return moment
    return _jump_between(local.replace(fold=1).astimezone(UTC), moment, tz)


def _jump_between(before: datetime, after: datetime, tz: tzinfo) -> datetime:
    """The second at which the zone's offset changes between two instants; both are at most hours apart."""
    offset = before.astimezone(tz).utcoffset()
    while after - before > ONE_SECOND:
        middle = before + timedelta(seconds=(after - before) // ONE_SECOND // 2)
        if middle.astimezone(tz).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


@dataclass(slots=True)
class CrewCalendar:
    """The days and shifts of one crew.

    ``rotation`` holds a shift code, or "" for a day off, for each day of a cycle that starts on ``anchor``.
    A code that is not in ``shifts`` is a day off: one bad row must not stop the plant.
    """

    crew: str
    anchor: date
    rotation: Sequence[str]
    shifts: Mapping[str, ShiftTimes]
    tz: tzinfo
    _spans: dict[date, ShiftSpan | None] = field(default_factory=dict)

    def span_on(self, day: date) -> ShiftSpan | None:
        """The shift that starts on this local day, if the crew works."""
        try:
            return self._spans[day]
        except KeyError:
            span = self._spans[day] = self._expand(day)
            return span

    def span_at(self, moment: datetime) -> ShiftSpan | None:
        """The shift the crew is working now: today's, or yesterday's when it runs past midnight."""
        today = moment.astimezone(self.tz).date()
        for day in (today, today - ONE_DAY):
            span = self.span_on(day)
            if span is not None and span.contains(moment):
                return span
        return None

    def spans_between(self, start: datetime, end: datetime) -> Iterator[ShiftSpan]:
        """Shifts that overlap the time from ``start`` to ``end``, in order."""
        day = start.astimezone(self.tz).date() - ONE_DAY
        last = end.astimezone(self.tz).date()
        while day <= last:
            span = self.span_on(day)
            if span is not None and span.overlaps(start, end):
                yield span
            day += ONE_DAY

    def next_span_after(self, moment: datetime) -> ShiftSpan | None:
        """The next shift to start strictly after the moment; None when the rotation has only days off."""
        today = moment.astimezone(self.tz).date()
        for offset in range(len(self.rotation) + 2):
            span = self.span_on(today + offset * ONE_DAY)
            if span is not None and span.starts_at > moment:
                return span
        return None

    def _expand(self, day: date) -> ShiftSpan | None:
        times = self.shifts.get(self._code_on(day))
        if times is None:
            return None
        starts_at = instant(day, times.starts, self.tz)
        ends_at = instant(day if times.ends > times.starts else day + ONE_DAY, times.ends, self.tz)
        if ends_at <= starts_at:  # the whole shift lies in the hour the clock skips
            return None
        return ShiftSpan(times.code, times.name, self.crew, day, starts_at, ends_at)

    def _code_on(self, day: date) -> str:
        return self.rotation[(day - self.anchor).days % len(self.rotation)] if self.rotation else ""
