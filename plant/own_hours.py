"""A person's own working hours: what is not urgent waits for them. Pure: no database, no clock."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from plant.models import Person

LOOKS_AHEAD = 8
"""Days looked at: a week, and the one that the last of its nights ends on."""


def opens_at(person: Person, tz: tzinfo, now: datetime) -> datetime:
    """`now` within the person's hours or when they have none; else when the next of them start.

    By the clock on the wall of the site, also on the nights when it changes. Hours that end before they start
    go on past midnight and belong to the day on which they start.
    """
    if person.works_from is None or person.works_until is None or not person.works_days:
        return now
    starts, ends, days = person.works_from, person.works_until, person.works_days
    today = now.astimezone(tz).date()
    for ahead in range(-1, LOOKS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        if day.weekday() not in days:
            continue
        begin = datetime.combine(day, starts, tzinfo=tz)
        end = datetime.combine(day + timedelta(days=ends <= starts), ends, tzinfo=tz)
        if now < end:
            return max(now, begin.astimezone(now.tzinfo))
    return now
