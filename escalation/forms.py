"""The policy editor's form: steps as rows that are added, moved and taken out by plain submit buttons.

It keeps whatever was typed; what is wrong with it is said by `policy_checks`, and put beside its row here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from escalation.asks import ASK_AGAIN_AFTER
from escalation.defaults import SAFETY as DEFAULT_SAFETY
from escalation.policy_words import CLOCK_HELP, CLOCK_NAMES
from escalation.steps import (
    CHANNELS,
    CLOCKS,
    MAX_STEPS,
    OWNER,
    RESPONSE,
    ROLES,
    SAFETY,
    BadPolicy,
    PolicyClocks,
)
from escalation.wording import role_name
from plant.models import Channel
from plant.wording import span

UNITS = {"min": 1, "h": 60, "d": 24 * 60}
"""Minutes in each unit a wait can be given in."""

WORDS = 150
"""Characters kept of a typed value: as long as a username can be."""

WHY = 300


@dataclass(slots=True)
class Wait:
    """A length of time as it is typed: a number and its unit."""

    number: str = ""
    unit: str = "min"

    @classmethod
    def of(cls, minutes: int | None) -> Wait:
        """In the largest unit that needs no fraction."""
        if minutes is None:
            return cls()
        unit = next(
            unit for unit in ("d", "h", "min") if minutes % UNITS[unit] == 0 and (minutes or unit == "min")
        )
        return cls(str(minutes // UNITS[unit]), unit)

    @property
    def minutes(self) -> int | None:
        """None for nothing, -1 for what is no whole number."""
        if not self.number:
            return None
        return (
            int(self.number) * UNITS[self.unit] if self.number.isascii() and self.number.isdecimal() else -1
        )


@dataclass(slots=True)
class Row:
    """One step as it is typed."""

    after: Wait = field(default_factory=Wait)
    roles: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    repeat: Wait = field(default_factory=Wait)
    answer: bool = False
    wrong: list[str] = field(default_factory=list)
    is_new: bool = False

    @classmethod
    def of(cls, step: Mapping[str, Any]) -> Row:
        return cls(
            after=Wait.of(step.get("after")),
            roles=list(step.get("roles") or ()),
            people=list(step.get("people") or ()),
            channels=list(step.get("channels") or ()),
            repeat=Wait.of(step.get("repeat")),
            answer=bool(step.get("answer")),
        )

    @classmethod
    def typed(cls, data: QueryDict, name: str, usernames: Mapping[str, str]) -> Row:
        """From the fields that begin with `name`; `usernames` knows people by what may be typed for them."""
        more = data.get(f"{name}-more", "").strip()[:WORDS]
        people = [*data.getlist(f"{name}-people"), *([usernames.get(more.lower(), more)] if more else [])]
        order = data.get(f"{name}-order", "").split(",")
        return cls(
            after=_wait(data, f"{name}-after"),
            roles=_ticked(data, f"{name}-roles", ROLES, order),
            people=list(dict.fromkeys(one[:WORDS] for one in people)),
            channels=_ticked(data, f"{name}-channels", CHANNELS, order),
            repeat=_wait(data, f"{name}-repeat"),
            answer=f"{name}-answer" in data,
        )

    @property
    def order(self) -> str:
        """Boxes come back in the order of the page; this keeps the policy's, in which people are named."""
        return ",".join([*self.roles, *self.channels])

    def raw(self) -> dict[str, Any]:
        """The step as `Policy.clocks` has it; what cannot be a number stays wrong, so that it is refused."""
        return {
            "after": self.after.minutes,
            "roles": self.roles,
            "people": self.people,
            "channels": self.channels,
            "repeat": self.repeat.minutes,
            "answer": self.answer,
        }

    def swap_with(self, other: Row) -> None:
        """Who is told, and how, change places; the times stay where they are."""
        for name in ("roles", "people", "channels", "answer"):
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, theirs)
            setattr(other, name, mine)


def _ticked(data: QueryDict, name: str, known: Sequence[str], order: Sequence[str]) -> list[str]:
    """The ticked ones: those that were ticked before in their order, then new ones in that of the page."""
    ticked = set(data.getlist(name))
    return [one for one in dict.fromkeys([*order, *known]) if one in ticked and one in known]


def _wait(data: QueryDict, name: str) -> Wait:
    unit = data.get(f"{name}-unit", "min")
    return Wait(data.get(name, "").strip()[:9], unit if unit in UNITS else "min")


@dataclass(slots=True)
class Ladder:
    """The rows of one clock."""

    clock: str
    rows: list[Row]
    wrong: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(CLOCK_NAMES[self.clock])

    @property
    def help(self) -> str:
        return str(CLOCK_HELP[self.clock])

    @property
    def is_safety(self) -> bool:
        """One step, at once, without a time of its own."""
        return self.clock == SAFETY

    @property
    def can_grow(self) -> bool:
        return not self.is_safety and len(self.rows) < MAX_STEPS

    @property
    def roles(self) -> list[tuple[str, str]]:
        """Who can be told; nobody owns what nobody has taken."""
        nobody_owns = self.clock in (RESPONSE, SAFETY)
        return [(role, role_name(role)) for role in ROLES if role != OWNER or not nobody_owns]

    @property
    def channels(self) -> list[tuple[str, str]]:
        return [(channel, str(Channel(channel).label)) for channel in CHANNELS]


@dataclass(slots=True)
class PolicyForm:
    """A policy while it is edited. `seen` is the version that was in force when the editor was opened."""

    severity: str
    ladders: dict[str, Ladder]
    seen: int
    why: str = ""
    wrong_why: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, clocks: Mapping[str, Any], *, severity: str, seen: int) -> PolicyForm:
        """As a published version has it."""
        known = {**clocks, SAFETY: clocks.get(SAFETY) or DEFAULT_SAFETY}
        ladders = {
            clock: Ladder(clock, [Row.of(step) for step in known.get(clock) or ()])
            for clock in _edited(severity)
        }
        return cls(severity, ladders, seen)

    @classmethod
    def typed(cls, data: QueryDict, *, severity: str, people: Mapping[str, str], in_force: int) -> PolicyForm:
        """As it was sent. `people`: usernames and names; `in_force` stands in for a missing `seen`."""
        usernames = _known_as(people)
        ladders = {
            clock: Ladder(clock, [Row.typed(data, f"{clock}-{n}", usernames) for n in _count(data, clock)])
            for clock in _edited(severity)
        }
        seen = data.get("seen", "")
        version = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 9 else in_force
        return cls(severity, ladders, version, why=data.get("why", "").strip()[:WHY])

    @property
    def answer_help(self) -> str:
        """What asking for an answer means, in minutes of this severity."""
        return _(
            "Each says “I’ve seen it” for themselves. Who has not is asked again every %(length)s, "
            "three times; then the next level is told."
        ) % {"length": span(ASK_AGAIN_AFTER[self.severity])}

    def raw(self, base: Mapping[str, Any]) -> dict[str, Any]:
        """The clocks to publish; what the editor does not show (safety, below S1) stays as it was."""
        kept = {SAFETY: base[SAFETY]} if SAFETY in base and SAFETY not in self.ladders else {}
        rows = {clock: [row.raw() for row in ladder.rows] for clock, ladder in self.ladders.items()}
        if SAFETY in rows:
            rows[SAFETY] = [{**row, "after": 0} for row in rows[SAFETY]]
        return {**rows, **kept}

    def do(self, command: str) -> None:
        """Carry out what a button says, `add:response` or `up:response:2`; anything else changes nothing."""
        verb, _colon, rest = command.partition(":")
        clock, _colon, number = rest.partition(":")
        ladder = self.ladders.get(clock)
        if ladder is None or ladder.is_safety:
            return
        n = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else -1
        if verb == "add" and ladder.can_grow:
            _add(ladder.rows)
        elif 0 <= n < len(ladder.rows):
            _change(ladder.rows, verb, n)

    def say_what_is_wrong(self, problems: Iterable[BadPolicy]) -> None:
        """Each sentence beside its row, else at its clock, else on top."""
        for problem in problems:
            ladder = self.ladders.get(problem.clock)
            if ladder is None:
                self.wrong.append(str(problem))
            elif 0 < problem.step <= len(ladder.rows):
                ladder.rows[problem.step - 1].wrong.append(str(problem))
            else:
                ladder.wrong.append(str(problem))

    @property
    def is_wrong(self) -> bool:
        return bool(self.wrong or self.wrong_why or any(self._wrong_ladders()))

    def _wrong_ladders(self) -> Iterable[bool]:
        return (bool(one.wrong or any(row.wrong for row in one.rows)) for one in self.ladders.values())


def _edited(severity: str) -> tuple[str, ...]:
    """Safety is always S1, so only there is it decided who hears of it at once."""
    return (*CLOCKS, SAFETY) if severity == "S1" else CLOCKS


def _known_as(people: Mapping[str, str]) -> dict[str, str]:
    """Usernames by what is typed for somebody: the name, where only one has it, or the username itself."""
    counts = Counter(name.lower() for name in people.values())
    named = {name.lower(): username for username, name in people.items() if counts[name.lower()] == 1}
    return named | {username.lower(): username for username in people}


def _count(data: QueryDict, clock: str) -> range:
    said = data.get(f"{clock}-count", "")
    return range(min(int(said), MAX_STEPS) if said.isascii() and said.isdecimal() and len(said) < 4 else 0)


def _add(rows: list[Row]) -> None:
    """A new step twice as late as the last, by SMS: a guess that is easily changed."""
    last = rows[-1] if rows else Row(after=Wait("0"))
    minutes = max(last.after.minutes or 0, 5) * 2 if rows else 0
    # The end of the ladder is what repeats: in the middle the next step would overtake it.
    rows.append(Row(after=Wait.of(minutes), channels=["sms"], repeat=last.repeat, is_new=True))
    last.repeat = Wait()


def _remove(rows: list[Row], n: int) -> None:
    gone = rows.pop(n)
    if rows and n == len(rows) and not rows[-1].repeat.number:
        rows[-1].repeat = gone.repeat


def _change(rows: list[Row], verb: str, n: int) -> None:
    if verb == "remove":
        _remove(rows, n)
    elif verb == "up" and n > 0:
        rows[n].swap_with(rows[n - 1])
    elif verb == "down" and n + 1 < len(rows):
        rows[n].swap_with(rows[n + 1])


def readable(raw: Mapping[str, Any], *, severity: str) -> PolicyClocks | None:
    """The clocks, when they can be read: to say what would change while it is being changed."""
    try:
        return PolicyClocks.parse(dict(raw), severity=severity)
    except BadPolicy:
        return None
