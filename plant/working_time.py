"""When a place works: its shifts, minus holidays, shutdowns and planned downtime.

Asked of a snapshot, like duty: three queries on top of those of the ``DutyBook``, then pure Python. A holiday
counts for the shift that begins on it: the night shift of the day before runs to its end. Only S3 and S4 wait
for working time; S1, S2 and safety never ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

import holidays
from django.utils.translation import gettext as _

from plant.duty import DutyBook, Place
from plant.models import CalendarEntry, Site, SiteCalendar
from plant.rotation import ONE_DAY, CrewCalendar, instant
from plant.snapshot import Scope

HORIZON = timedelta(days=62)
"""Nothing waits longer than this for a working minute: waiting must never become silence."""
KEY_LANGUAGE = "en_US"
"""Holidays are told apart by their English names where the country's list has them."""
OBSERVED = " (observed)"


class Stint(NamedTuple):
    """A stretch of time in which a place works, in UTC."""

    starts_at: datetime
    ends_at: datetime


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


class WorkingTime:
    """Answers whether and when places work, from a day before the book on."""

    @classmethod
    def load(cls, book: DutyBook) -> WorkingTime:
        """Three queries: entries that are not over, their areas, and the calendars of the sites."""
        rows = CalendarEntry.objects.filter(ends_at__gt=book.known.since).prefetch_related("areas")
        entries = [Entry(row, frozenset(area.pk for area in row.areas.all())) for row in rows]
        return cls(book, entries, list(SiteCalendar.objects.all()))

    def __init__(self, book: DutyBook, entries: Sequence[Entry], calendars: Sequence[SiteCalendar]) -> None:
        self.book = book
        self._entries = entries
        self._calendars = {calendar.site_id: calendar for calendar in calendars}

    # --- questions ------------------------------------------------------------------------------------------

    def is_working(self, place: Place, at: datetime) -> bool:
        """Whether anybody is planned to work there; a site works when one of its areas does."""
        return any(self._works(scope, at) for scope in self._scopes(self.book.known.scope(place)))

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

    def why_not(self, place: Place, at: datetime) -> str:
        """Why the place does not work at that moment, in a word or two; empty when it does."""
        if self.is_working(place, at):
            return ""
        scope = self.book.known.scope(place)
        for entry in self._entries:
            if entry.row.is_stop and entry.concerns(scope) and entry.holds(at):
                return entry.row.name
        local = at.astimezone(self.book.known.sites[scope.site_id].tz).date()
        return self.holiday_on(scope.site_id, local) or _("No shift")

    def holiday_on(self, site_id: int, day: date) -> str:
        """The public holiday the site keeps on that local day, by its English name; else empty."""
        calendar = self._calendars.get(site_id)
        if calendar is None or not calendar.country:
            return ""
        name = public_holidays(calendar.country, calendar.subdivision, day.year).get(day, "")
        kept = [one for one in name.split("; ") if one.removesuffix(OBSERVED) not in calendar.works_on]
        return "; ".join(kept)

    def day_note(self, site: Site, day: date) -> str:
        """What the day is for the whole site: a public holiday, a shutdown; usually nothing."""
        noon = instant(day, time(12), self.book.known.sites[site.pk].tz)
        names = [
            entry.row.name for entry in self.entries_of(site) if entry.holds(noon) and not entry.area_ids
        ]
        return ", ".join([*names, *filter(None, [self.holiday_on(site.pk, day)])])

    def entries_of(self, site: Site) -> list[Entry]:
        return [entry for entry in self._entries if entry.row.site_id == site.pk]

    # --- one area at one moment -----------------------------------------------------------------------------

    def _scopes(self, scope: Scope) -> list[Scope]:
        if scope.area_id is not None:
            return [scope]
        areas = self.book.known.areas_of(scope.site_id)
        return [Scope(scope.site_id, area_id) for area_id in areas] or [scope]

    def _works(self, scope: Scope, at: datetime) -> bool:
        here = [entry for entry in self._entries if entry.holds(at) and entry.concerns(scope)]
        if here:
            return not any(entry.row.is_stop for entry in here)
        crews = self.book.known.crews_in(scope)
        if crews:
            return any(self._crew_works(crew, scope.site_id, at) for crew in crews)
        day = at.astimezone(self.book.known.sites[scope.site_id].tz).date()
        return day.weekday() not in self._weekend(scope.site_id) and not self.holiday_on(scope.site_id, day)

    def _crew_works(self, crew: CrewCalendar, site_id: int, at: datetime) -> bool:
        span = crew.span_at(at)
        return span is not None and not self.holiday_on(site_id, span.day)

    def _weekend(self, site_id: int) -> Sequence[int]:
        """Without a calendar every day is worked: nobody said that the place stands still."""
        calendar = self._calendars.get(site_id)
        return calendar.weekend if calendar else ()

    def _changes(self, place: Place, start: datetime, end: datetime) -> list[datetime]:
        """Moments from ``start`` to ``end`` at which the answer may change, in order."""
        scope = self.book.known.scope(place)
        return sorted({one for one in self._candidates(scope, start, end) if start <= one <= end})

    def _candidates(self, scope: Scope, start: datetime, end: datetime) -> Iterator[datetime]:
        tz = self.book.known.sites[scope.site_id].tz
        day, last = start.astimezone(tz).date(), end.astimezone(tz).date()
        while day <= last:
            yield instant(day, time(), tz)
            day += ONE_DAY
        for one in self._scopes(scope):
            for crew in self.book.known.crews_in(one):
                for span in crew.spans_between(start, end):
                    yield from (span.starts_at, span.ends_at)
        for entry in self._entries:
            if entry.row.site_id == scope.site_id:
                yield from (entry.row.starts_at, entry.row.ends_at)


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
