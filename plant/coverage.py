"""Where nobody on shift would answer for a role: found before it happens.

A gap is what ``DutyAnswer.is_gap`` says while the place works. A role that nobody holds for a place is no gap
of the roster but of the setup; ``unheld`` lists those, so that nobody is told about them every day anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from plant.duty import DutyBook, Spell
from plant.duty_answer import DutyAnswer
from plant.models import SHIFT_ROLES, Area, Person, Role, Site
from plant.rotation import ONE_DAY
from plant.working_time import WorkingTime

PLANNED_ROLES = tuple(role for role in Role if role in SHIFT_ROLES)
"""Roles somebody on shift should hold, in the order of the ladder."""

Scope = Area | Site


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody on shift holds the role in the area (None: in the whole site) from ``starts_at`` to ``ends_at``.

    The times are in UTC. ``told`` are the people who would be told instead; never empty.
    """

    role: Role
    site: Site
    area: Area | None
    starts_at: datetime
    ends_at: datetime
    answer: DutyAnswer

    @property
    def told(self) -> tuple[Person, ...]:
        return self.answer.people

    @property
    def where(self) -> str:
        return self.answer.where

    @property
    def is_long(self) -> bool:
        """A day or more, so that a time alone does not say when it ends."""
        return self.ends_at - self.starts_at >= ONE_DAY

    @property
    def note(self) -> str:
        """The gap in one sentence, in the language in force."""
        return self.answer.note


def gaps_ahead(
    site: Site,
    frm: datetime,
    until: datetime,
    *,
    hours: WorkingTime | None = None,
    areas: Sequence[Area] = (),
) -> list[Gap]:
    """Gaps of the site between two moments, earliest first, then by role and place.

    One gap per role, place and answer: it ends when somebody else would be told. Roles held by area are asked
    for each area, others for the site. Thirteen queries without ``hours`` and the site's ``areas``, none with
    them. The book must know the whole time.
    """
    hours = hours or WorkingTime.load(DutyBook.load(frm, until=until))
    areas = areas or list(site.areas.all())
    found = [
        gap
        for role in PLANNED_ROLES
        for place in places_of(hours.book, role, site, areas)
        for gap in _gaps_of(hours, role, place, frm, until)
    ]
    order = {role: number for number, role in enumerate(PLANNED_ROLES)}
    return sorted(found, key=lambda gap: (gap.starts_at, order[gap.role], gap.where))


def places_of(book: DutyBook, role: Role, site: Site, areas: Sequence[Area]) -> list[Scope]:
    """The places for which somebody should be on shift as this role: its areas, or the site as one."""
    ids = {area.pk for area in areas}
    if any(held.area_ids & ids for _person, held in book.known.held.get(role, ())):
        return [area for area in areas if book.is_held(role, area)]
    return [site] if book.is_held(role, site) else []


def unheld(book: DutyBook, site: Site, areas: Sequence[Area]) -> dict[Role, tuple[Scope, ...]]:
    """Roles that nobody at all holds, and where: in the whole site, else in some of its areas."""
    missing: dict[Role, tuple[Scope, ...]] = {}
    for role in PLANNED_ROLES:
        covered = places_of(book, role, site, areas)
        if not covered:
            missing[role] = (site,)
        elif site not in covered and (bare := tuple(area for area in areas if area not in covered)):
            missing[role] = bare
    return missing


def _gaps_of(hours: WorkingTime, role: Role, place: Scope, frm: datetime, until: datetime) -> Iterator[Gap]:
    site = place if isinstance(place, Site) else place.site
    area = None if isinstance(place, Site) else place
    for start, end in hours.worked_between(place, frm, until):
        for spell in gap_spells(hours.book, role, place, start, end):
            yield Gap(role, site, area, spell.starts_at, spell.ends_at, spell.answer)


def gap_spells(book: DutyBook, role: Role, place: Scope, start: datetime, end: datetime) -> list[Spell]:
    return [spell for spell in book.answers_between(role, place, start, end) if spell.answer.is_gap]
