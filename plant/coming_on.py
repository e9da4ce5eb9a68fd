"""Who comes on at a shift start, and what they answer for from then on: from a book, without a query.

Somebody comes on when they answer for a role at a place that they did not answer for a moment before: at the
start of their shift, when they begin to stand in, when they are back. Two shifts in a row with the same roles
are one start; so are the two minutes at which the clock shows the same time in autumn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from plant.models import SHIFT_ROLES, Area, Person, Role, RoleAssignment, Site
from plant.rotation import ONE_SECOND
from plant.working_time import WorkingTime


class Held(NamedTuple):
    """A role for some areas of a site, for all of it (no areas), or everywhere (no site)."""

    role: Role
    site_id: int | None
    areas: tuple[Area, ...] = ()

    def covers(self, *, site_id: int, area_id: int | None) -> bool:
        """Whether a place is theirs. What is known by its site alone may be anywhere, so it is."""
        if self.site_id not in (None, site_id):
            return False
        return not self.areas or area_id is None or area_id in {area.pk for area in self.areas}


@dataclass(frozen=True, slots=True)
class ComingOn:
    """``held`` is what is new for them at that moment; ``instead_of`` are those they stand in for."""

    person: Person
    at: datetime
    held: tuple[Held, ...]
    instead_of: tuple[Person, ...]


def coming_on(
    hours: WorkingTime, sites: Mapping[int, Site], *, since: datetime, until: datetime
) -> list[ComingOn]:
    """Who came on after ``since``, up to and with ``until``, earliest first; nobody where no work is planned.

    ``sites`` by id: all there are. The book knows a second before ``since``.
    """
    moments = hours.book.changes_between(since, until + timedelta(microseconds=1))
    return [one for at in moments for one in _at(hours, sites, at)]


def _at(hours: WorkingTime, sites: Mapping[int, Site], at: datetime) -> Iterable[ComingOn]:
    before, after = (hours.book.at_work(moment) for moment in (at - ONE_SECOND, at))
    people = hours.book.known.people
    for pk in sorted(after, key=lambda pk: people[pk].name):
        known = _held_by(before.get(pk, ()))
        new = {held: None for held in _held_by(after[pk]) if held not in known}
        held = tuple(one for one in new if _is_worked(hours, sites, one, people[pk], at))
        if held:
            others = tuple(one for one in after[pk] if one.pk != pk)
            yield ComingOn(people[pk], at, held, others)


def _held_by(people: Iterable[Person]) -> list[Held]:
    """The shift roles of these people, each once."""
    rows = [row for person in people for row in person.assignments if row.role in SHIFT_ROLES]
    return list(dict.fromkeys(_held(row) for row in rows))


def _held(row: RoleAssignment) -> Held:
    return Held(Role(row.role), row.site_id, tuple(sorted(row.areas.all(), key=lambda area: area.pk)))


def _is_worked(
    hours: WorkingTime, sites: Mapping[int, Site], held: Held, person: Person, at: datetime
) -> bool:
    """Whether the place of the role works then: on a holiday nobody comes on, whatever the rotation says."""
    if held.areas:
        return any(hours.is_working(area, at) for area in held.areas)
    home = held.site_id or person.site_id
    places = [sites[home]] if home else list(sites.values())
    return any(hours.is_working(site, at) for site in places)
