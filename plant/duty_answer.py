"""What the question "who is on duty?" is answered with, and how a gap is said to the person who is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import ngettext

from plant.models import Person, Role
from plant.wording import names


class DutyLevel(StrEnum):
    """How far up the answer was found."""

    AREA = "area"
    SITE = "site"
    OFF_SHIFT = "off_shift"
    LAST_RESORT = "last_resort"


@dataclass(frozen=True, slots=True)
class StandIn:
    """``person`` is in the answer because they stand in for ``absent``."""

    person: Person
    absent: Person


@dataclass(frozen=True, slots=True)
class DutyAnswer:
    """The people to tell, nearest scope first, then by name; at least one.

    ``is_gap``: the answer went past the first place this role is held at, so somebody is told who would not
    expect it. ``where`` is the name of the area or site that was asked about.
    """

    role: Role
    people: tuple[Person, ...]
    level: DutyLevel
    is_gap: bool
    where: str
    stand_ins: tuple[StandIn, ...] = ()

    @property
    def note(self) -> str:
        """One sentence for the message when it is a gap, in the language in force; else empty."""
        if not self.is_gap:
            return ""
        said = {"role": role_in_a_sentence(self.role), "where": self.where, "people": names(self.people)}
        return _gap_sentence(self.level, len(self.people)) % said

    def stands_in_for(self, person: Person) -> Sequence[Person]:
        """Whom this person stands in for in this answer."""
        return [mark.absent for mark in self.stand_ins if mark.person.pk == person.pk]


def role_in_a_sentence(role: Role) -> str:
    """ "IT technician", but "supervisor": the first letter is small unless the word is an abbreviation."""
    label = str(role.label)
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _gap_sentence(level: DutyLevel, count: int) -> str:
    if level == DutyLevel.OFF_SHIFT:
        return ngettext(
            "Nobody on shift as %(role)s, so %(people)s is told off shift.",
            "Nobody on shift as %(role)s, so %(people)s are told off shift.",
            count,
        )
    if level == DutyLevel.LAST_RESORT:
        return ngettext(
            "Nobody can be found as %(role)s for %(where)s, so %(people)s is told instead.",
            "Nobody can be found as %(role)s for %(where)s, so %(people)s are told instead.",
            count,
        )
    return ngettext(
        "Nobody on shift as %(role)s in %(where)s, so %(people)s is told.",
        "Nobody on shift as %(role)s in %(where)s, so %(people)s are told.",
        count,
    )
