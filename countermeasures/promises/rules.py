"""What counts as kept, and when a day is over. No database, no clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

OPEN = "open"
KEPT = "kept"
KEPT_BY_AGREEMENT = "kept_by_agreement"
LATE = "late"
WITHDRAWN = "withdrawn"


def end_of_day(day: date, tz: tzinfo) -> datetime:
    """When a day is over by the plant's clock: what is promised for a day is late from then on."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=tz)


def day_that_ends(at: datetime, tz: tzinfo) -> date:
    """The day that was promised, from when it is over; of a moment in a day, that day."""
    return (at - timedelta(microseconds=1)).astimezone(tz).date()


def is_agreed_in_time(due_at: datetime, agreed_at: datetime) -> bool:
    """A new date agreed before the old one has passed counts as kept; afterwards the promise is late."""
    return agreed_at < due_at


def outcome(*, due_at: datetime, done_at: datetime, moved: int, slipped: bool) -> str:
    """How a promise ended.

    `moved`: how often a later date was agreed; `slipped`: one of them only after the old date had passed.
    """
    if slipped or done_at >= due_at:
        return LATE
    return KEPT_BY_AGREEMENT if moved else KEPT
