"""A person's shifts as an iCalendar file (RFC 5545), cover applied, by the clock on the wall."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from plant.duty import DutyBook
from plant.models import Person
from plant.roster.closed import closed_note
from plant.roster.turns import Turn, Turns
from plant.rotation import ONE_DAY
from plant.working_time import WorkingTime

PAST, AHEAD = timedelta(days=14), timedelta(days=90)
READ_AGAIN = timedelta(hours=1)


def calendar_of(person: Person, *, tz: tzinfo, now: datetime) -> bytes:
    """The shifts of two weeks past and three months ahead, in the language in force. Twelve queries.

    Times carry the site's time zone (TZID), so that a shift stays at 22:00 by the clock whatever the phone
    is set to; in the hour that happens twice, the second time is written in UTC, which only it can be.
    """
    start, end = now - PAST, now + AHEAD
    book = DutyBook.load(start, until=end + 2 * ONE_DAY)
    turns, hours = Turns(book, start, end), WorkingTime.load(book)
    calendar = Calendar()
    calendar.add("prodid", "-//OpsDesk//Roster//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _("Shifts of %(name)s") % {"name": person})
    calendar.refresh_interval = READ_AGAIN
    for turn in turns.of(person):
        note = closed_note(hours, turn)
        for since, until in _worked(turn):
            event = _event(person, turn, since, until, tz=tz, now=now)
            if note:
                event.add("description", note)
            calendar.add_component(event)
    calendar.add_missing_timezones(first_date=(start - ONE_DAY).date(), last_date=(end + 2 * ONE_DAY).date())
    return bytes(calendar.to_ical())


def _worked(turn: Turn) -> list[tuple[datetime, datetime]]:
    if not turn.parts:
        return [(turn.starts_at, turn.ends_at)]
    return [(part.starts_at, part.ends_at) for part in turn.parts if not part.is_away]


def _event(
    person: Person, turn: Turn, since: datetime, until: datetime, *, tz: tzinfo, now: datetime
) -> Event:
    event = Event()
    other = f"-{turn.instead_of.pk}" if turn.instead_of else ""
    event.add("uid", f"{since:%Y%m%dT%H%M}-{turn.code}-{person.pk}{other}@opsdesk")
    event.add("dtstamp", now.replace(microsecond=0))
    event.add("dtstart", _wall(since, tz))
    event.add("dtend", _wall(until, tz))
    event.add("summary", _summary(turn))
    if person.site:
        event.add("location", person.site.name)
    return event


def _summary(turn: Turn) -> str:
    if turn.instead_of:
        return _("%(shift)s for %(name)s") % {"shift": turn.name, "name": turn.instead_of}
    return turn.name


def _wall(at: datetime, tz: tzinfo) -> datetime:
    """By the clock on the wall; a wall time that happens twice means its first one, so the second is UTC."""
    local = at.astimezone(tz)
    return at if local.fold else local
