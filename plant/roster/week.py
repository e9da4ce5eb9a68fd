"""A week of the roster: people by days with cover applied, and who is on for each shift and role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from plant.coverage import PLANNED_ROLES, Scope, gap_spells, places_of, unheld
from plant.models import Area, Cover, Person, Role, RoleAssignment, Site
from plant.roster.turns import Turn, Turns
from plant.rotation import ONE_DAY, ShiftSpan, instant
from plant.snapshot import CrewRow
from plant.working_time import WorkingTime

DAYS = 7
EARLIEST_START = timedelta(hours=4)
"""What starts before 04:00 belongs to the night."""


@dataclass(frozen=True, slots=True)
class Day:
    """A local day; its ends are in UTC, so that it lasts 23 or 25 hours twice a year."""

    date: date
    starts_at: datetime
    ends_at: datetime
    is_today: bool
    note: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Nobody on shift at a place for a part of the shift, or all of it."""

    where: str
    starts_at: datetime
    ends_at: datetime
    is_whole: bool
    told: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """One shift on one day: who is on for the role, and where nobody is; or why nobody works then."""

    day: date
    starts_at: datetime
    ends_at: datetime
    people: tuple[Person, ...]
    missing: tuple[Missing, ...]
    closed: str = ""


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift of a pattern through the week; None on days without it."""

    name: str
    pattern: str
    starts_at: datetime
    ends_at: datetime
    cells: tuple[Covered | None, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A person's day. ``away`` is cover on a day without a shift of their own."""

    day: Day
    turns: tuple[Turn, ...]
    away: Cover | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    person: Person
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Everything about one role."""

    role: Role
    shifts: tuple[ShiftRow, ...]
    people: tuple[PersonRow, ...]

    @property
    def has_missing(self) -> bool:
        return any(cell and cell.missing for row in self.shifts for cell in row.cells)

    @property
    def has_patterns(self) -> bool:
        """Whether its shifts are of more than one pattern, so that each must say of which."""
        return len({row.pattern for row in self.shifts}) > 1

    def on_day(self, number: int) -> DayOfSection:
        """The same turned around, for a screen that is read day by day."""
        shifts = tuple((row, cell) for row in self.shifts if (cell := row.cells[number]))
        rows = ((row.person, row.cells[number]) for row in self.people)
        return DayOfSection(
            self.role, shifts, tuple((person, cell) for person, cell in rows if cell.turns or cell.away)
        )


@dataclass(frozen=True, slots=True)
class DayOfSection:
    role: Role
    shifts: tuple[tuple[ShiftRow, Covered], ...]
    people: tuple[tuple[Person, Cell], ...]

    @property
    def missing(self) -> int:
        return sum(1 for _row, cell in self.shifts if cell.missing)


@dataclass(frozen=True, slots=True)
class Week:
    """``unheld``: roles asked for that nobody at all holds, and where."""

    site: Site
    days: tuple[Day, ...]
    sections: tuple[Section, ...]
    unheld: tuple[tuple[Role, tuple[Scope, ...]], ...] = ()

    @property
    def by_day(self) -> list[tuple[Day, list[DayOfSection], int]]:
        """Each day with its sections and how many of its shifts have nobody on somewhere."""
        turned = [[section.on_day(number) for section in self.sections] for number in range(len(self.days))]
        return [
            (day, sections, sum(section.missing for section in sections))
            for day, sections in zip(self.days, turned, strict=True)
        ]

    @property
    def missing(self) -> int:
        """How many shifts have nobody on somewhere."""
        return sum(1 for cell in self._covered if cell.missing)

    @property
    def has_shifts(self) -> bool:
        """Whether anybody has to be on at all."""
        return any(not cell.closed for cell in self._covered)

    @property
    def _covered(self) -> Iterator[Covered]:
        return (cell for one in self.sections for row in one.shifts for cell in row.cells if cell)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def local_midnight(site: Site, day: date) -> datetime:
    """The instant at which a day begins at the site, in UTC."""
    return instant(day, time(), site.tz)


class WeekBuilder:
    """Builds weeks of one site from a book: no query. The book knows the week and a day on either side."""

    def __init__(self, hours: WorkingTime, site: Site, areas: Sequence[Area], *, monday: date, now: datetime):
        self._hours, self._book, self._site, self._areas = hours, hours.book, site, areas
        today = now.astimezone(site.tz).date()
        days = [monday + number * ONE_DAY for number in range(DAYS)]
        self.days = tuple(
            Day(
                day,
                local_midnight(site, day),
                local_midnight(site, day + ONE_DAY),
                is_today=day == today,
                note=hours.day_note(site, day),
            )
            for day in days
        )
        self._turns = Turns(hours.book, self.days[0].starts_at, self.days[-1].ends_at + ONE_DAY)

    def week(
        self, *, roles: Sequence[Role] = PLANNED_ROLES, area: Area | None = None, only: Person | None = None
    ) -> Week:
        """``area`` leaves what concerns it; ``only`` leaves that person's row and everybody's coverage."""
        sections = (self._section(role, area, only) for role in roles)
        kept = tuple(section for section in sections if section.shifts or section.people)
        return Week(self._site, self.days, kept, tuple(self._unheld(roles, area)))

    def _unheld(self, roles: Sequence[Role], area: Area | None) -> Iterator[tuple[Role, tuple[Scope, ...]]]:
        for role, places in unheld(self._book, self._site, self._areas).items():
            here = tuple(place for place in places if area is None or place in (area, self._site))
            if role in roles and here:
                yield role, here

    def _section(self, role: Role, area: Area | None, only: Person | None) -> Section:
        holders = self._holders(role, area)
        people = [person for person in holders if only is None or person == only]
        shifts = self._shift_rows(role, area, holders) if role in PLANNED_ROLES else ()
        return Section(role, tuple(shifts), tuple(self._person_row(person) for person in people))

    def _holders(self, role: Role, area: Area | None) -> list[Person]:
        held = self._book.known.held.get(role, ())
        return list({person.pk: person for person, one in held if self._is_here(person, one, area)}.values())

    def _is_here(self, person: Person, held: RoleAssignment, area: Area | None) -> bool:
        if held.site_id != self._site.pk and (held.site_id or person.site_id != self._site.pk):
            return False
        mine = held.area_ids
        return area is None or not mine or area.pk in mine

    # --- people by days -------------------------------------------------------------------------------------

    def _person_row(self, person: Person) -> PersonRow:
        turns = self._turns.of(person)
        return PersonRow(person, tuple(self._cell(person, day, turns) for day in self.days))

    def _cell(self, person: Person, day: Day, turns: Sequence[Turn]) -> Cell:
        todays = tuple(turn for turn in turns if turn.day == day.date)
        if any(turn.instead_of is None for turn in todays):
            return Cell(day, todays, None)
        away = (cover for cover in self._turns.covers_of(person) if _is_day_off(cover, day, turns))
        return Cell(day, todays, next(away, None))

    # --- shifts by days -------------------------------------------------------------------------------------

    def _shift_rows(self, role: Role, area: Area | None, holders: Sequence[Person]) -> Iterator[ShiftRow]:
        places: list[Scope] = [area] if area else places_of(self._book, role, self._site, self._areas)
        if area and not self._book.is_held(role, area):
            return
        for crews, where in self._crews_by_pattern(places, holders).values():
            yield from self._rows_of_pattern(role, crews, where)

    def _crews_by_pattern(
        self, places: Sequence[Scope], holders: Sequence[Person]
    ) -> dict[int, tuple[list[CrewRow], list[Scope]]]:
        """Crews of each pattern and the places it is for; of a whole site, patterns the holders work in."""
        works_in = self._book.known.patterns_of({person.pk for person in holders})
        found: dict[int, tuple[list[CrewRow], list[Scope]]] = {}
        for place in places:
            rows = self._book.known.crew_rows_of(place)
            if isinstance(place, Site):
                rows = [row for row in rows if row.pattern_id in works_in] or rows
            for pattern_id in dict.fromkeys(row.pattern_id for row in rows):
                crews = [row for row in rows if row.pattern_id == pattern_id]
                found.setdefault(pattern_id, (crews, []))[1].append(place)
        return found

    def _rows_of_pattern(
        self, role: Role, crews: Sequence[CrewRow], places: Sequence[Scope]
    ) -> Iterator[ShiftRow]:
        by_code: dict[str, dict[date, ShiftSpan]] = {}
        for row in crews:
            for day in self.days:
                if span := row.calendar.span_on(day.date):
                    by_code.setdefault(span.code, {})[day.date] = span
        for spans in sorted(by_code.values(), key=lambda spans: _wall_time(spans, self._site)):
            first = next(iter(spans.values()))
            cells = (self._covered(role, places, spans.get(day.date)) for day in self.days)
            yield ShiftRow(first.name, crews[0].pattern, first.starts_at, first.ends_at, tuple(cells))

    def _covered(self, role: Role, places: Sequence[Scope], span: ShiftSpan | None) -> Covered | None:
        if span is None:
            return None
        worked = [
            (place, stint)
            for place in places
            for stint in self._hours.worked_between(place, span.starts_at, span.ends_at)
        ]
        if not worked:
            why = self._hours.why_not(places[0], span.starts_at)
            return Covered(span.day, span.starts_at, span.ends_at, (), (), closed=why)
        missing = [
            Missing(
                spell.answer.where,
                spell.starts_at,
                spell.ends_at,
                is_whole=(spell.starts_at, spell.ends_at) == (span.starts_at, span.ends_at),
                told=spell.answer.people,
            )
            for place, stint in worked
            for spell in gap_spells(self._book, role, place, stint.starts_at, stint.ends_at)
        ]
        people = {
            person.pk: person
            for place, stint in worked
            for spell in self._book.answers_between(role, place, stint.starts_at, stint.ends_at)
            if not spell.answer.is_gap
            for person in spell.answer.people
        }
        return Covered(span.day, span.starts_at, span.ends_at, tuple(people.values()), tuple(missing))


def _is_day_off(cover: Cover, day: Day, turns: Sequence[Turn]) -> bool:
    """Whether cover is worth saying on a day without a shift: for all of it, or when it meets no shift."""
    if cover.starts_at <= day.starts_at and cover.ends_at >= day.ends_at:
        return True
    if cover.starts_at >= day.ends_at or cover.ends_at <= day.starts_at:
        return False
    own = (turn for turn in turns if turn.instead_of is None)
    return not any(cover.starts_at < turn.ends_at and cover.ends_at > turn.starts_at for turn in own)


def _wall_time(spans: Mapping[date, ShiftSpan], site: Site) -> time:
    """Orders shifts as the working day does: what starts in the morning comes first, the night last."""
    local = next(iter(spans.values())).starts_at.astimezone(site.tz)
    return (local.replace(tzinfo=None) - EARLIEST_START).time()
