"""Everything that decides who is on duty, read at one moment: people, places, crews, rosters and cover.

Nine queries whatever the size of the plant. Plants are small (hundreds of people), so all of them are read.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q

from plant.models import Area, Cover, Crew, Line, Person, RoleAssignment, Roster, Site, Station
from plant.rotation import ONE_DAY, CrewCalendar, ShiftTimes

logger = logging.getLogger(__name__)

Place = Station | Line | Area | Site

DAY_SECONDS = 86_400


class Scope(NamedTuple):
    """The part of the plant that roles are held for; without an area the whole site."""

    site_id: int
    area_id: int | None


class SiteRow(NamedTuple):
    name: str
    tz: tzinfo
    last_resort_id: int | None


class CrewRow(NamedTuple):
    calendar: CrewCalendar
    site_id: int
    area_ids: frozenset[int]
    pattern_id: int
    pattern: str


class Layout:
    """How the plant is laid out and when its crews work, without its people; four queries.

    ``since``: what ended before that moment is not asked about.
    """

    def __init__(self, *, since: datetime) -> None:
        self.since = since
        self._read_places()
        self._read_crews()

    # --- places ---------------------------------------------------------------------------------------------

    def scope(self, place: Place) -> Scope:
        """The area and the site of a place, without a query."""
        if isinstance(place, Site):
            return Scope(place.pk, None)
        if isinstance(place, Station):
            area_id = self._area_of_line[place.line_id]
        else:
            area_id = place.area_id if isinstance(place, Line) else place.pk
        return Scope(self.site_of_area[area_id], area_id)

    def name_of(self, scope: Scope) -> str:
        return self.sites[scope.site_id].name if scope.area_id is None else self._area_names[scope.area_id]

    def crews_of(self, area: Area) -> list[CrewCalendar]:
        """Crews of the patterns that name the area, else of the site's patterns that name none."""
        return [row.calendar for row in self.crew_rows_of(area)]

    def crew_rows_of(self, place: Area | Site) -> list[CrewRow]:
        """The same with their patterns; for a site the crews of all its patterns."""
        if isinstance(place, Site):
            return self._rows_in(Scope(place.pk, None))
        return self._rows_in(Scope(place.site_id, place.pk))

    def crews_in(self, scope: Scope) -> list[CrewCalendar]:
        return [row.calendar for row in self._rows_in(scope)]

    def scopes_of(self, crew: CrewRow) -> list[Scope]:
        """The areas a crew works in; the site as one when it has none."""
        areas = (Scope(crew.site_id, area) for area in self.areas_of(crew.site_id))
        return [scope for scope in areas if crew in self._rows_in(scope)] or [Scope(crew.site_id, None)]

    def areas_of(self, site_id: int) -> list[int]:
        """Ids of the areas of a site."""
        return [area for area, site in self.site_of_area.items() if site == site_id and area is not None]

    def _rows_in(self, scope: Scope) -> list[CrewRow]:
        if scope not in self._rows_by_scope:
            rows = [row for row in self._crews.values() if row.site_id == scope.site_id]
            if scope.area_id is not None:
                named = [row for row in rows if scope.area_id in row.area_ids]
                rows = named or [row for row in rows if not row.area_ids]
            self._rows_by_scope[scope] = rows
        return self._rows_by_scope[scope]

    # --- reading --------------------------------------------------------------------------------------------

    def _read_places(self) -> None:
        self.sites: dict[int, SiteRow] = {}
        self.site_of_area: dict[int, int] = {}
        self._area_names: dict[int, str] = {}
        self._area_of_line: dict[int, int] = {}
        rows = Site.objects.order_by().values_list(
            "pk", "name", "timezone", "last_resort_id", "areas__pk", "areas__name", "areas__lines__pk"
        )
        for site_id, name, zone, last_resort_id, area_id, area_name, line_id in rows:
            if site_id not in self.sites:
                self.sites[site_id] = SiteRow(name, _zone(zone), last_resort_id)
            self.site_of_area[area_id] = site_id
            self._area_names[area_id] = area_name
            self._area_of_line[line_id] = area_id

    def _read_crews(self) -> None:
        crews = Crew.objects.select_related("pattern").prefetch_related("pattern__shifts", "pattern__areas")
        self._crews = {crew.pk: self._crew_row(crew) for crew in crews}
        self._rows_by_scope: dict[Scope, list[CrewRow]] = {}

    def _crew_row(self, crew: Crew) -> CrewRow:
        pattern = crew.pattern
        shifts = {
            one.code: ShiftTimes(one.code, one.name, one.starts, one.ends) for one in pattern.shifts.all()
        }
        tz = self.sites[pattern.site_id].tz
        calendar = CrewCalendar(crew.name, pattern.anchor, _codes(crew.rotation), shifts, tz)
        area_ids = frozenset(area.pk for area in pattern.areas.all())
        return CrewRow(calendar, pattern.site_id, area_ids, pattern.pk, pattern.name)


class Snapshot(Layout):
    """Active people by name; cover from ``since`` to ``until``, rosters from ``since`` on."""

    _covers: list[Cover]

    def __init__(self, *, since: datetime, until: datetime) -> None:
        super().__init__(since=since)
        self.until = until
        self._read_people()
        self._read_rosters()
        self._read_cover()

    def patterns_of(self, people: Collection[int]) -> set[int]:
        """Ids of the patterns in which somebody of these people (by id) has a roster."""
        return {
            self._crews[crew_id].pattern_id
            for crew_id, rosters in self._rosters.items()
            if any(roster.person_id in people for roster in rosters)
        }

    # --- moments --------------------------------------------------------------------------------------------

    def rostered(self, at: datetime) -> Iterator[int]:
        """Ids of those whose crew works at this moment; cover is not counted."""
        for crew_id, rosters in self._rosters.items():
            if span := self._crews[crew_id].calendar.span_at(at):
                yield from (roster.person_id for roster in rosters if is_rostered(roster, span.day))

    def rosters_of(self, person: Person) -> Iterator[tuple[Roster, CrewRow]]:
        for crew_id, rosters in self._rosters.items():
            for roster in rosters:
                if roster.person_id == person.pk:
                    yield roster, self._crews[crew_id]

    def away(self, at: datetime) -> dict[int, int | None]:
        """Who is away at this moment, by id, and the id of who stands in (None: nobody does)."""
        offers: dict[int, list[int]] = {}
        for cover in self._covers:
            if cover.starts_at <= at < cover.ends_at:
                offer = offers.setdefault(cover.absent_id, [])
                if cover.stand_in_id is not None and cover.stand_in_id in self.people:
                    offer.append(cover.stand_in_id)
        return {absent: _first_free(absent, offers) for absent in offers}

    def covers_between(self, start: datetime, end: datetime) -> list[Cover]:
        """Cover that overlaps the time from ``start`` to ``end``, earliest first."""
        return [cover for cover in self._covers if cover.starts_at < end and cover.ends_at > start]

    def suppose(self, cover: Cover) -> None:
        """Take a cover for granted that is not saved, or not saved so; before the first question is asked."""
        others = [one for one in self._covers if one.pk != cover.pk or cover.pk is None]
        self._covers = sorted([*others, cover], key=lambda one: one.starts_at)
        self._mark_cover_moments()

    def boundaries_of(self, day: int) -> list[float]:
        """The start of a UTC day, and every moment in it at which a shift or a cover starts or ends.

        ``day`` is counted in days since 1970, the moments in seconds.
        """
        first, last = day * DAY_SECONDS, (day + 1) * DAY_SECONDS
        middle = datetime.fromtimestamp(first, tz=UTC).date()
        # A shift may start two local days before the UTC day it ends in: zones reach from -12 to +14 hours.
        days = [middle + offset * ONE_DAY for offset in (-2, -1, 0, 1)]
        spans = [crew.calendar.span_on(one) for crew in self._crews.values() for one in days]
        moments = {moment.timestamp() for span in spans if span for moment in (span.starts_at, span.ends_at)}
        moments |= self._cover_moments
        return sorted({float(first), *(moment for moment in moments if first < moment < last)})

    # --- reading --------------------------------------------------------------------------------------------

    def _read_people(self) -> None:
        people = sorted(Person.objects.active().with_roles(), key=by_name)
        self.people = {person.pk: person for person in people}
        self.held: defaultdict[str, list[tuple[Person, RoleAssignment]]] = defaultdict(list)
        for person in people:
            for assignment in person.assignments:
                self.held[assignment.role].append((person, assignment))

    def _read_rosters(self) -> None:
        # A shift that still runs may have started two local days before the UTC date.
        since = self.since.date() - 2 * ONE_DAY
        self._rosters: defaultdict[int, list[Roster]] = defaultdict(list)
        for roster in Roster.objects.filter(Q(last_day=None) | Q(last_day__gte=since)).order_by():
            self._rosters[roster.crew_id].append(roster)

    def _read_cover(self) -> None:
        covers = Cover.objects.filter(ends_at__gt=self.since, starts_at__lt=self.until)
        self._covers = list(covers.order_by("starts_at", "pk"))
        self._mark_cover_moments()

    def _mark_cover_moments(self) -> None:
        ends = ((cover.starts_at, cover.ends_at) for cover in self._covers)
        self._cover_moments = {moment.timestamp() for pair in ends for moment in pair}


def _zone(name: str) -> tzinfo:
    """A site with a time zone that does not exist must not keep the others from knowing who is on duty."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        logger.error("There is no time zone %r; its site is taken to be in UTC.", name)
        return UTC


def _codes(rotation: object) -> list[str]:
    """Shift codes of a rotation; what is not one is a day off: one bad row must not stop the plant."""
    if not isinstance(rotation, list):
        return []
    return [code if isinstance(code, str) else "" for code in rotation]


def by_name(person: Person) -> tuple[str, int]:
    return (person.name.casefold(), person.pk)


def is_rostered(roster: Roster, day: date) -> bool:
    return roster.first_day <= day and (roster.last_day is None or day <= roster.last_day)


def _first_free(
    absent: int, offers: Mapping[int, Sequence[int]], seen: frozenset[int] = frozenset()
) -> int | None:
    """Who stands in: the first on offer, or whoever stands in for them when they are away too."""
    for stand_in in offers[absent]:
        if stand_in not in offers:
            return stand_in
        if stand_in not in seen and (found := _first_free(stand_in, offers, seen | {absent})):
            return found
    return None
