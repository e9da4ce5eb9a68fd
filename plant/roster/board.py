"""Who would answer right now, and after the next changes of shift: by level, for the site and its areas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from plant.coverage import PLANNED_ROLES, Gap, Scope, gaps_ahead, unheld
from plant.duty_answer import DutyAnswer
from plant.models import Area, Person, Role, Site
from plant.working_time import WorkingTime

IT_LEVELS = (Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD)
MANAGERS = (
    Role.IT_MANAGER,
    Role.PRODUCTION_MANAGER,
    Role.MATERIALS_MANAGER,
    Role.PLANT_MANAGER,
    Role.IT_DIRECTOR,
)
LOOKS_AHEAD = timedelta(hours=72)
"""Far enough for Monday's first shift on a Friday evening."""
PHASES = 3
"""Now, next, and then."""
GAPS_WITHIN = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time with the same people.

    ``shift`` is empty when no shift is on at the place; with ``is_last_known`` the end is only how far the
    board looks. ``closed``: why the place stands still for a role that works shifts; on its roster or not,
    who is named may be at home.
    """

    starts_at: datetime
    ends_at: datetime
    answer: DutyAnswer
    shift: str
    is_working: bool
    closed: str = ""
    is_last_known: bool = False

    @property
    def is_gap(self) -> bool:
        """Worth a warning: somebody should be on shift, and nobody is."""
        return self.answer.is_gap and self.is_working

    @property
    def people(self) -> list[tuple[Person, str]]:
        """Everybody who answers, and for whom they stand in (names, or nothing)."""
        return [
            (one, ", ".join(str(absent) for absent in self.answer.stands_in_for(one)))
            for one in self.answer.people
        ]

    def continues(self, last: Phase) -> bool:
        return self._what == last._what

    @property
    def _what(self) -> tuple[object, ...]:
        answer = self.answer
        return answer.people, answer.is_gap, answer.stand_ins, self.is_working, self.closed


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the ladder at one place; the first phase is now."""

    role: Role
    place: Scope
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Board:
    at: datetime
    it: tuple[Level, ...]
    supervisors: tuple[Level, ...]
    managers: tuple[Level, ...]
    gaps: tuple[Gap, ...]
    unheld: tuple[tuple[Role, tuple[Scope, ...]], ...]

    @property
    def gaps_now(self) -> int:
        levels = (*self.it, *self.supervisors, *self.managers)
        return sum(1 for level in levels if level.phases[0].is_gap)


def build_board(hours: WorkingTime, site: Site, areas: Sequence[Area], at: datetime) -> Board:
    """The board of a site at a moment. No query; the book knows ``at`` and ``LOOKS_AHEAD`` after it."""
    book = hours.book

    def level(role: Role, place: Scope) -> Level:
        return Level(role, place, tuple(_phases(hours, role, place, at)))

    ahead = gaps_ahead(site, at, at + LOOKS_AHEAD, hours=hours, areas=areas)
    return Board(
        at,
        tuple(level(role, site) for role in IT_LEVELS),
        tuple(level(Role.SUPERVISOR, area) for area in areas if book.is_held(Role.SUPERVISOR, area)),
        tuple(level(role, site) for role in MANAGERS if book.is_held(role, site)),
        tuple(gap for gap in ahead if gap.starts_at < at + GAPS_WITHIN),
        tuple(unheld(book, site, areas).items()),
    )


def _phases(hours: WorkingTime, role: Role, place: Scope, at: datetime) -> Iterator[Phase]:
    """The first few stretches from a moment on, equal neighbours as one."""
    book, end = hours.book, at + LOOKS_AHEAD
    stints = hours.worked_between(place, at, end)
    borders = {moment for stint in stints for moment in stint if at < moment < end}
    moments = [at, *sorted(borders | set(book.changes_between(at, end))), end]
    shown, last = 0, None
    for since, until in pairwise(moments):
        works = any(stint.starts_at <= since < stint.ends_at for stint in stints)
        span = book.shift_at(place, since) if isinstance(place, Area) else None
        shift = span.name if span and works else ""
        closed = "" if works or role not in PLANNED_ROLES else hours.why_closed(place, since)
        phase = Phase(since, until, book.on_duty(role, place, since), shift, works, closed)
        if last and phase.continues(last):
            last = replace(last, ends_at=until)
            continue
        if last:
            yield last
            shown += 1
            if shown == PHASES:
                return
        last = phase
    if last:
        yield replace(last, is_last_known=True)
