"""When a place works: its shifts, minus holidays, shutdowns and planned downtime.

Asked of a snapshot, like duty: three queries on top of those of the ``DutyBook``, seven without one, then
pure Python. A holiday counts for the shift that begins on it: the night shift of the day before runs to its
end. Breaks by choice are planned downtime: shifts have none of their own. Only S3 and S4 wait for working
time; S1, S2 and safety never ask.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

import holidays
from django.utils.translation import get_language, gettext, gettext_noop

from plant.duty import DutyBook, Place
from plant.models import CalendarEntry, Site, SiteCalendar
from plant.models.calendar import saturday_and_sunday
from plant.rotation import ONE_DAY, ONE_SECOND, CrewCalendar, instant
from plant.snapshot import DAY_SECONDS, Layout, Scope

HORIZON = timedelta(days=62)
"""Nothing waits longer than this for a working minute: waiting must never become silence."""
KEY_LANGUAGE = "en_US"
"""Holidays are told apart by their English names where the country's list has them."""
LANGUAGES = {"en": "en_US", "es": "es"}
OBSERVED = " (observed)"
WEEKEND = gettext_noop("Weekend")
NO_SHIFT = gettext_noop("No shift")


class Stint(NamedTuple):
    """A stretch of time in which a place works, in UTC."""

    starts_at: datetime
    ends_at: datetime


class Stop(NamedTuple):
    """Why something stands still, in the language in force, and whether because the whole site does."""

    why: str
    is_whole_site: bool


class Wait(NamedTuple):
    """From when a place works for what is planned for a moment, and why not sooner (empty: it works then).

    The reason is a name from the calendar, or English: `said_why` says it in the language in force.
    """

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A calendar entry with the ids of its areas; none: the whole site."""

    row: CalendarEntry
    area_ids: frozenset[int]

    def concerns(self, scope: Scope) -> bool:
        if self.row.site_id != scope.site_id:
            return False
        return not self.area_ids or scope.area_id in self.area_ids

    def holds(self, at: datetime) -> bool:
        return self.row.starts_at <= at < self.row.ends_at

    @property
    def is_long(self) -> bool:
        return self.row.ends_at - self.row.starts_at >= ONE_DAY


class PlantHours:
    """Answers whether and when places work, from a day before it was read on."""

    @classmethod
    def at(cls, now: datetime) -> PlantHours:
        """Without anybody's roster: seven queries."""
        known = Layout(since=now - ONE_DAY)
        return cls(known, *_calendar(known))

    def __init__(self, known: Layout, entries: Sequence[Entry], calendars: Sequence[SiteCalendar]) -> None:
        self.known = known
        self._entries = entries
        self._calendars = {calendar.site_id: calendar for calendar in calendars}
        self._moments: dict[tuple[Scope, int], list[float]] = {}
        self._waits: dict[tuple[Scope, float], Wait | None] = {}

    # --- questions ------------------------------------------------------------------------------------------

    def is_working(self, place: Place, at: datetime) -> bool:
        """Whether anybody is planned to work there; a site works when one of its areas does."""
        return any(self._works(scope, at) for scope in self._scopes(self.known.scope(place)))

    def next_working_minute(self, place: Place, at: datetime) -> datetime:
        """``at`` itself when the place works then, else when it next does, in UTC; at most 62 days later."""
        if self.is_working(place, at):
            return at
        day = at
        while day < at + HORIZON:
            for moment in self._changes(place, day, day + ONE_DAY):
                if moment > at and self.is_working(place, moment):
                    return moment
            day += ONE_DAY
        return at + HORIZON

    def worked_between(self, place: Place, start: datetime, end: datetime) -> list[Stint]:
        """When the place works, in order and without overlap, cut to ``start`` and ``end``."""
        moments = [start, *(one for one in self._changes(place, start, end) if start < one < end)]
        stints: list[Stint] = []
        for since, until in zip(moments, [*moments[1:], end], strict=True):
            if not self.is_working(place, since):
                continue
            if stints and stints[-1].ends_at == since:
                stints[-1] = Stint(stints[-1].starts_at, until)
            else:
                stints.append(Stint(since, until))
        return stints

    def shift_starts(self, place: Place, after: datetime, until: datetime) -> list[datetime]:
        """When shifts started at the place, after ``after`` and up to ``until``: in UTC, in order, each once.

        Crews that start at the same moment are one start. One that falls into a stop or on a holiday is none.
        Where no shift pattern applies, each day that is worked is one start, at its midnight. Right from the
        moment on for which the hours were read.
        """
        scopes = self._scopes(self.known.scope(place))
        found = {at for scope in scopes for at in self._starts_in(scope, after, until)}
        return sorted(at for at in found if after < at <= until)

    def wait(self, place: Place, at: datetime) -> Wait:
        """Until when what is planned for ``at`` waits for the place to work, and why.

        Remembered for each stretch in which nothing changes: asking for thousands costs a look-up each.
        """
        scope = self.known.scope(place)
        since = self._stretch_start(scope, at)
        if (scope, since) not in self._waits:
            self._waits[scope, since] = self._wait_in(place, scope, since)
        wait = self._waits[scope, since]
        if wait is None:
            return Wait(at, "")
        return Wait(min(wait.until, at + HORIZON), wait.why)

    def why_not(self, place: Place, at: datetime) -> str:
        """Why the place does not work at that moment, in a word or two; empty when it does."""
        if self.is_working(place, at):
            return ""
        scope = self.known.scope(place)
        return self._said(scope.site_id, self._why(scope, at, at), *self._days_at(scope, at))

    def why_closed(self, place: Place, at: datetime) -> str:
        """The same, but only a holiday or what is planned: empty also where merely no shift is on."""
        why = self.why_not(place, at)
        return "" if why in map(said_why, (WEEKEND, NO_SHIFT)) else why

    def stop_of_shift(self, scope: Scope, day: date, starts_at: datetime) -> Stop | None:
        """What keeps a shift of that local day from running there; None when it runs.

        What is entered for the moment it starts has the last word, else the holiday of its day.
        """
        here = [entry for entry in self._entries if entry.holds(starts_at) and entry.concerns(scope)]
        if here:
            stop = next((entry for entry in here if entry.row.is_stop), None)
            return Stop(stop.row.name, not stop.area_ids) if stop else None
        holiday = self.holiday_on(scope.site_id, day)
        return Stop(self._said(scope.site_id, holiday, day), is_whole_site=True) if holiday else None

    def holiday_on(self, site_id: int, day: date) -> str:
        """The public holiday the site keeps on that local day, by its English name; else empty."""
        calendar = self._calendars.get(site_id)
        if calendar is None or not calendar.country:
            return ""
        name = public_holidays(calendar.country, calendar.subdivision, day.year).get(day, "")
        kept = [one for one in name.split("; ") if one.removesuffix(OBSERVED) not in calendar.works_on]
        return "; ".join(kept)

    def _said(self, site_id: int, why: str, *days: date) -> str:
        """A reason in the language in force, also the holiday of one of the days where the list has it so.

        Two on one day of which one is worked stay in English: the lists are in no common order.
        """
        calendar = self._calendars.get(site_id)
        if calendar is None or not calendar.country:
            return said_why(why)
        for day in days:
            listed = calendar.country, calendar.subdivision, day.year
            if why == public_holidays(*listed).get(day):
                return public_holidays(*listed, language_of_holidays()).get(day, why)
        return said_why(why)

    def day_note(self, site: Site, day: date) -> str:
        """What the day is for the whole site: a public holiday, a shutdown; usually nothing."""
        noon = instant(day, time(12), self.known.sites[site.pk].tz)
        names = [
            entry.row.name for entry in self.entries_of(site) if entry.holds(noon) and not entry.area_ids
        ]
        holiday = self.holiday_on(site.pk, day)
        return ", ".join([*names, *filter(None, [holiday and self._said(site.pk, holiday, day)])])

    def entries_of(self, site: Site) -> list[Entry]:
        return [entry for entry in self._entries if entry.row.site_id == site.pk]

    # --- waiting --------------------------------------------------------------------------------------------

    def _stretch_start(self, scope: Scope, at: datetime) -> float:
        """The last moment up to ``at`` at which the answer may have changed, in seconds since 1970."""
        seconds = at.timestamp()
        day = int(seconds // DAY_SECONDS)
        moments = self._moments.get((scope, day))
        if moments is None:
            first = datetime.fromtimestamp(day * DAY_SECONDS, tz=UTC)
            found = {one.timestamp() for one in self._candidates(scope, first, first + ONE_DAY)}
            last = first.timestamp() + DAY_SECONDS
            moments = sorted({first.timestamp(), *(one for one in found if first.timestamp() < one < last)})
            self._moments[scope, day] = moments
        return moments[bisect_right(moments, seconds) - 1]

    def _wait_in(self, place: Place, scope: Scope, since: float) -> Wait | None:
        """The wait of everything planned in a stretch; None when the place works in it."""
        start = datetime.fromtimestamp(since, tz=UTC)
        if self.is_working(place, start):
            return None
        until = self.next_working_minute(place, start)
        if until == start + HORIZON:  # never: each moment in the stretch waits its own 62 days
            until += ONE_DAY
        return Wait(until, self._why(scope, start, until))

    def _why(self, scope: Scope, at: datetime, until: datetime) -> str:
        """Why the place does not work from ``at`` to ``until``: what the calendar says, or the weekend."""
        stops = [one for one in self._entries if one.row.is_stop and one.concerns(scope)]
        for entry in stops:
            if entry.holds(at):
                return entry.row.name
        tz = self.known.sites[scope.site_id].tz
        day, last = at.astimezone(tz).date(), until.astimezone(tz).date()
        kept = (self.holiday_on(scope.site_id, one) for one in self._days_at(scope, at))
        if holiday := next(filter(None, kept), ""):
            return holiday
        if long := next((one for one in stops if one.is_long and at < one.row.starts_at < until), None):
            return long.row.name  # the shift ended, and before the next one the shutdown begins
        calendar = self._calendars.get(scope.site_id)
        weekend = calendar.weekend if calendar else saturday_and_sunday()
        ahead = (day + n * ONE_DAY for n in range(1, min((last - day).days, 7)))
        return WEEKEND if any(one.weekday() in weekend for one in (day, *ahead)) else NO_SHIFT

    def _days_at(self, scope: Scope, at: datetime) -> list[date]:
        """The days of the shifts that would be on at that moment, then the day itself."""
        spans = (crew.span_at(at) for crew in self.known.crews_in(scope))
        day = at.astimezone(self.known.sites[scope.site_id].tz).date()
        return list(dict.fromkeys([*(span.day for span in spans if span), day]))

    # --- one area at one moment -----------------------------------------------------------------------------

    def _scopes(self, scope: Scope) -> list[Scope]:
        if scope.area_id is not None:
            return [scope]
        areas = self.known.areas_of(scope.site_id)
        return [Scope(scope.site_id, area_id) for area_id in areas] or [scope]

    def _works(self, scope: Scope, at: datetime) -> bool:
        here = [entry for entry in self._entries if entry.holds(at) and entry.concerns(scope)]
        if here:
            return not any(entry.row.is_stop for entry in here)
        crews = self.known.crews_in(scope)
        if crews:
            return any(self._crew_works(crew, scope.site_id, at) for crew in crews)
        day = at.astimezone(self.known.sites[scope.site_id].tz).date()
        return day.weekday() not in self._weekend(scope.site_id) and not self.holiday_on(scope.site_id, day)

    def _starts_in(self, scope: Scope, after: datetime, until: datetime) -> Iterator[datetime]:
        crews = self.known.crews_in(scope)
        if not crews:
            yield from (at for at in self._midnights(scope, after, until) if self._works(scope, at))
        for crew in crews:
            for span in crew.spans_between(after, until + ONE_SECOND):
                if self.stop_of_shift(scope, span.day, span.starts_at) is None:
                    yield span.starts_at

    def _midnights(self, scope: Scope, start: datetime, end: datetime) -> Iterator[datetime]:
        """The first moment of each local day from the one of ``start`` to the one of ``end``."""
        tz = self.known.sites[scope.site_id].tz
        day, last = start.astimezone(tz).date(), end.astimezone(tz).date()
        while day <= last:
            yield instant(day, time(), tz)
            day += ONE_DAY

    def _crew_works(self, crew: CrewCalendar, site_id: int, at: datetime) -> bool:
        span = crew.span_at(at)
        return span is not None and not self.holiday_on(site_id, span.day)

    def _weekend(self, site_id: int) -> Sequence[int]:
        """Without a calendar every day is worked: nobody said that the place stands still."""
        calendar = self._calendars.get(site_id)
        return calendar.weekend if calendar else ()

    def _changes(self, place: Place, start: datetime, end: datetime) -> list[datetime]:
        """Moments from ``start`` to ``end`` at which the answer may change, in order."""
        scope = self.known.scope(place)
        return sorted({one for one in self._candidates(scope, start, end) if start <= one <= end})

    def _candidates(self, scope: Scope, start: datetime, end: datetime) -> Iterator[datetime]:
        yield from self._midnights(scope, start, end)
        for one in self._scopes(scope):
            for crew in self.known.crews_in(one):
                for span in crew.spans_between(start, end):
                    yield from (span.starts_at, span.ends_at)
        for entry in self._entries:
            if entry.row.site_id == scope.site_id:
                yield from (entry.row.starts_at, entry.row.ends_at)


class WorkingTime(PlantHours):
    """The same beside who is on duty."""

    @classmethod
    def load(cls, book: DutyBook) -> WorkingTime:
        """Three queries, once for a book: entries that are not over, their areas, and calendars of sites."""
        book.hours = book.hours or cls(book, *_calendar(book.known))
        return book.hours

    def __init__(self, book: DutyBook, entries: Sequence[Entry], calendars: Sequence[SiteCalendar]) -> None:
        super().__init__(book.known, entries, calendars)
        self.book = book


def _calendar(known: Layout) -> tuple[list[Entry], list[SiteCalendar]]:
    rows = CalendarEntry.objects.filter(ends_at__gt=known.since).prefetch_related("areas")
    entries = [Entry(row, frozenset(area.pk for area in row.areas.all())) for row in rows]
    return entries, list(SiteCalendar.objects.all())


def said_why(why: str) -> str:
    """The reason of a wait in the language in force; what somebody wrote in the calendar stays as it is."""
    return gettext(why) if why in (WEEKEND, NO_SHIFT) else why


def language_of_holidays() -> str:
    """What the lists of holidays call the language in force."""
    return LANGUAGES.get((get_language() or "").split("-")[0], KEY_LANGUAGE)


@lru_cache(maxsize=256)
def public_holidays(
    country: str, subdivision: str, year: int, language: str = KEY_LANGUAGE
) -> dict[date, str]:
    """Public holidays of a country or one of its regions in a year, in the language if the list has it."""
    known = holidays.list_supported_countries()
    if country not in known or (subdivision and subdivision not in known[country]):
        return {}  # this release no longer lists it
    listed = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    if language in listed.supported_languages:
        listed = holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=language)
    return dict(sorted(listed.items()))
