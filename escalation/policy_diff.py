"""What changed between two versions of a policy, in words. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from escalation import policy_words as words
from escalation.policy_words import Names
from escalation.steps import CLOCKS, SAFETY, PolicyClocks, Step, steps_of


class Kind(StrEnum):
    """What happened to a step."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One step that differs: its sentence, and for a changed one what is different, each in words."""

    clock: str
    kind: Kind
    sentence: str
    details: tuple[str, ...] = ()

    @property
    def clock_name(self) -> str:
        return str(words.CLOCK_NAMES[self.clock])


def diff(old: PolicyClocks, new: PolicyClocks, people: Names) -> list[Change]:
    """From the old version to the new one, clock by clock, in the order of the ladders."""
    return [
        change
        for clock in (*CLOCKS, SAFETY)
        if clock != SAFETY or new.severity == "S1"
        for change in _ladder(clock, steps_of(old, clock), steps_of(new, clock), people)
    ]


def _ladder(clock: str, old: Sequence[Step], new: Sequence[Step], people: Names) -> Iterator[Change]:
    pairs = _pairs(old, new)
    kept = {n: m for m, n in pairs}
    gone = sorted(set(range(len(old))) - {m for m, _n in pairs})
    for n, step in enumerate(new):
        if n not in kept:
            yield Change(clock, Kind.ADDED, words.sentence(step, clock, people))
        elif old[kept[n]] != step:
            details = tuple(_details(old[kept[n]], step, clock, people))
            if details:  # nothing but another order of names has none
                yield Change(clock, Kind.CHANGED, words.sentence(step, clock, people), details)
    for m in gone:
        yield Change(clock, Kind.REMOVED, words.sentence(old[m], clock, people))


def _pairs(old: Sequence[Step], new: Sequence[Step]) -> list[tuple[int, int]]:
    """Which step became which: the same one, else the same people at another time, else the same time."""
    pairs: list[tuple[int, int]] = []
    for is_alike in (_equal, _same_people, _same_time):
        for m, one in enumerate(old):
            for n, two in enumerate(new):
                is_free = all(m != a and n != b for a, b in pairs)
                if is_free and is_alike(one, two):
                    pairs.append((m, n))
    return pairs


def _equal(one: Step, two: Step) -> bool:
    return one == two


def _same_people(one: Step, two: Step) -> bool:
    return (set(one.roles), set(one.people)) == (set(two.roles), set(two.people))


def _same_time(one: Step, two: Step) -> bool:
    return one.after == two.after


def _details(old: Step, new: Step, clock: str, people: Names) -> Iterator[str]:
    if old.after != new.after:
        yield _instead(words.when(new, clock), words.when(old, clock))
    more, less = _only(new, old), _only(old, new)
    if more:
        yield _("also told: %(who)s") % {"who": words.who(more, people)}
    if less:
        yield _("no longer told: %(who)s") % {"who": words.who(less, people)}
    if set(old.channels) != set(new.channels):
        yield _instead(words.by_which_way(new.channels), words.by_which_way(old.channels))
    if old.repeat != new.repeat:
        yield _instead(words.repeats(new) or _("not repeated"), words.repeats(old) or _("not repeated"))
    if old.answer != new.answer:
        yield _("each is asked to answer") if new.answer else _("nobody is asked to answer any more")


def _instead(new: str, old: str) -> str:
    return _("%(new)s (was: %(old)s)") % {"new": new, "old": old[:1].lower() + old[1:]}


def _only(one: Step, other: Step) -> Step | None:
    """Whom the one step names and the other does not; None when there is nobody."""
    roles = tuple(role for role in one.roles if role not in other.roles)
    people = tuple(name for name in one.people if name not in other.people)
    return Step(after=one.after, roles=roles, people=people) if roles or people else None
