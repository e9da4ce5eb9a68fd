"""The shifts of people in a week with cover applied: who is away, and who stands in for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from plant.duty import DutyBook
from plant.models import Cover, Person
from plant.rotation import ShiftSpan
from plant.snapshot import CrewRow


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a shift: worked, or away with whoever stands in. The times are in UTC."""

    starts_at: datetime
    ends_at: datetime
    is_away: bool
    stand_in: Person | None
    cover: Cover | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One shift of one person on one day; ``instead_of`` is set when it is somebody else's shift.

    ``crew``: with whom it is worked, and so where.
    """

    day: date
    code: str
    name: str
    starts_at: datetime
    ends_at: datetime
    crew: CrewRow
    parts: tuple[Part, ...] = ()
    instead_of: Person | None = None
    cover: Cover | None = None

    @property
    def is_away(self) -> bool:
        """Away for the whole of it."""
        return bool(self.parts) and all(part.is_away for part in self.parts)

    @property
    def away_parts(self) -> list[Part]:
        return [part for part in self.parts if part.is_away]


class Turns:
    """Everybody's turns between two moments; nothing is read, all comes from the book."""

    def __init__(self, book: DutyBook, start: datetime, end: datetime) -> None:
        self._book, self._start, self._end = book, start, end
        self._covers: defaultdict[int, list[Cover]] = defaultdict(list)
        for cover in book.known.covers_between(start, end):
            self._covers[cover.absent_id].append(cover)
        self._given = self._find_given()

    def of(self, person: Person) -> list[Turn]:
        """The person's own shifts and those they take over, in order."""
        return sorted(
            [*self.own(person), *self._given.get(person.pk, [])],
            key=lambda turn: (turn.starts_at, turn.instead_of is not None),
        )

    def own(self, person: Person) -> list[Turn]:
        """The person's shifts by roster, each cut where cover begins and ends."""
        found = self._book.shifts_with_crews(person, self._start, self._end)
        return [self._turn(person, span, crew) for span, crew in found]

    def covers_of(self, person: Person) -> Sequence[Cover]:
        """When the person is away, earliest first, whether or not they have a shift then."""
        return self._covers.get(person.pk, [])

    def _turn(self, person: Person, span: ShiftSpan, crew: CrewRow) -> Turn:
        parts = tuple(self._parts(person, span))
        return Turn(span.day, span.code, span.name, span.starts_at, span.ends_at, crew, parts)

    def _parts(self, person: Person, span: ShiftSpan) -> Iterator[Part]:
        covers = [cover for cover in self.covers_of(person) if span.overlaps(cover.starts_at, cover.ends_at)]
        if not covers:
            yield Part(span.starts_at, span.ends_at, is_away=False, stand_in=None, cover=None)
            return
        moments = [span.starts_at, *self._book.changes_between(span.starts_at, span.ends_at), span.ends_at]
        last: Part | None = None
        for since, until in pairwise(moments):
            part = self._part(person, since, until, covers)
            if last and (last.is_away, last.stand_in, last.cover) == (
                part.is_away,
                part.stand_in,
                part.cover,
            ):
                last = replace(last, ends_at=until)
                continue
            if last:
                yield last
            last = part
        if last:
            yield last

    def _part(self, person: Person, since: datetime, until: datetime, covers: Sequence[Cover]) -> Part:
        if not self._book.is_away(person, since):
            return Part(since, until, is_away=False, stand_in=None, cover=None)
        stand_in = self._book.stand_in_for(person, since)
        here = [cover for cover in covers if cover.starts_at <= since < cover.ends_at]
        named = [cover for cover in here if stand_in and cover.stand_in_id == stand_in.pk]
        return Part(since, until, is_away=True, stand_in=stand_in, cover=(named or here)[0])

    def _find_given(self) -> dict[int, list[Turn]]:
        """Shifts taken over, by the id of who stands in."""
        given: defaultdict[int, list[Turn]] = defaultdict(list)
        for absent_id in self._covers:
            absent = self._book.known.people.get(absent_id)
            for turn in self.own(absent) if absent else ():
                for part in turn.away_parts:
                    if part.stand_in:
                        taken = replace(
                            turn,
                            starts_at=part.starts_at,
                            ends_at=part.ends_at,
                            parts=(),
                            instead_of=absent,
                            cover=part.cover,
                        )
                        given[part.stand_in.pk].append(taken)
        return dict(given)
