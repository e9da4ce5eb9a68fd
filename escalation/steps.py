"""The ladders of a policy: what a step is, and reading them from JSON; what is wrong is said plainly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from opsdesk.errors import Invalid

RESPONSE, CONTAINMENT, UPDATE, CLOSURE = "response", "containment", "update", "closure"
CLOCKS = (RESPONSE, CONTAINMENT, UPDATE, CLOSURE)
LAPSE, HELP = "lapse", "help"
BUILT_IN = (LAPSE, HELP)
"""Clocks that every incident has without a policy, with one step each: silence is not ownership, and the
question whether to bring somebody in (domain §2 and §4)."""

SAFETY = "safety"
"""Not a clock: who is told at once, whatever the ladder says, when somebody could get hurt."""

OWNER = "owner"
"""Stands for whoever has the incident, in a step's roles."""

ROLES = (
    OWNER,
    "it_tech",
    "it_specialist",
    "it_lead",
    "team_leader",
    "supervisor",
    "it_manager",
    "production_manager",
    "materials_manager",
    "dept_manager",
    "plant_manager",
    "it_director",
    "support",
)
CAN_TAKE = frozenset({"it_tech", "it_specialist", "it_lead", "it_manager"})
"""Roles that may acknowledge (domain §6)."""

CHANNELS = ("sms", "email", "push", "chat", "digest")
SEVERITIES = ("S1", "S2", "S3", "S4")

MAX_STEPS = 20
MAX_MINUTES = 90 * 24 * 60
SHORTEST_REPEAT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: so long after the clock's base, these roles and people, by these channels."""

    after: timedelta
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("sms",)
    repeat: timedelta | None = None
    answer: bool = False


@dataclass(frozen=True, slots=True)
class PolicyClocks:
    """The four ladders of one version of a policy, and who is told at once about safety."""

    severity: str
    response: tuple[Step, ...]
    containment: tuple[Step, ...]
    update: tuple[Step, ...]
    closure: tuple[Step, ...]
    safety: Step

    def ladder(self, clock: str, *, is_safety: bool = False) -> tuple[Step, ...]:
        """The steps of a clock; for safety the response ladder starts with those who are told at once.

        A built-in clock has none: what it does is not up to a policy.
        """
        if clock in BUILT_IN:
            return ()
        steps: tuple[Step, ...] = getattr(self, clock)
        return _with_safety(steps, self.safety) if is_safety and clock == RESPONSE else steps

    @property
    def named_people(self) -> frozenset[str]:
        """Usernames that any step names."""
        ladders = (self.response, self.containment, self.update, self.closure, (self.safety,))
        return frozenset(name for ladder in ladders for step in ladder for name in step.people)

    @classmethod
    def parse(cls, raw: Any, *, severity: str) -> PolicyClocks:
        """Read the JSON of `Policy.clocks`. Raises Invalid with a plain sentence for what is wrong first."""
        return _parse(raw, severity)


def steps_of(policy: PolicyClocks, clock: str) -> tuple[Step, ...]:
    """The steps of a clock; those who are told about safety are a ladder of one."""
    return (policy.safety,) if clock == SAFETY else policy.ladder(clock)


def _with_safety(steps: tuple[Step, ...], safety: Step) -> tuple[Step, ...]:
    if not steps or steps[0].after > timedelta(0):
        return (safety, *steps)
    first = steps[0]
    return (
        replace(
            first,
            roles=tuple(dict.fromkeys(first.roles + safety.roles)),
            people=tuple(dict.fromkeys(first.people + safety.people)),
            channels=tuple(dict.fromkeys(first.channels + safety.channels)),
            answer=first.answer or safety.answer,
        ),
        *steps[1:],
    )


DEFAULT_SAFETY = Step(after=timedelta(0), roles=("plant_manager",), channels=("sms", "email"))


class BadPolicy(Invalid):
    """What is wrong with a policy, in a sentence. `clock` and `step` (from 1) say where, if in one place."""

    def __init__(self, sentence: str, *, clock: str = "", step: int = 0):
        where = [name for name in ("clocks", clock, str(step or "")) if name]
        fields = {".".join(where[:n]): [sentence] for n in (1, len(where))}
        super().__init__("bad_policy", sentence, fields=fields)
        self.clock = clock
        self.step = step


def refuse(sentence: str, where: Mapping[str, Any] | None = None) -> BadPolicy:
    """`where` holds the clock, and the number of the step from 1, as the sentence names them."""
    where = where or {}
    return BadPolicy(sentence, clock=where.get("clock", ""), step=where.get("n", 0))


def _parse(raw: Any, severity: str) -> PolicyClocks:
    if severity not in SEVERITIES:
        raise refuse(_("A policy is for S1, S2, S3 or S4."))
    if not isinstance(raw, dict):
        raise refuse(_("A policy is a set of clocks, each with its steps."))
    unknown = [str(name) for name in raw if name not in (*CLOCKS, SAFETY)]
    if unknown:
        raise refuse(_("There is no clock called “%(name)s”.") % {"name": unknown[0]})
    ladders = {clock: parse_ladder(raw.get(clock) or [], clock) for clock in CLOCKS}
    if not ladders[RESPONSE]:
        raise refuse(
            _("Nobody would hear of a new incident: the response clock needs a step."), {"clock": RESPONSE}
        )
    if not ladders[CLOSURE]:
        raise refuse(
            _("An incident could stay open in silence: the closure clock needs a step."), {"clock": CLOSURE}
        )
    safety = parse_ladder(raw.get(SAFETY) or [], SAFETY)
    if len(safety) > 1 or (safety and safety[0].after):
        raise refuse(_("About safety people are told at once, in one step."), {"clock": SAFETY})
    return PolicyClocks(severity=severity, safety=safety[0] if safety else DEFAULT_SAFETY, **ladders)


def parse_ladder(raw: Any, clock: str) -> tuple[Step, ...]:
    """The steps of a clock, in order."""
    if not isinstance(raw, list) or len(raw) > MAX_STEPS:
        raise refuse(
            _("The %(clock)s clock is a list of at most %(n)s steps.") % {"clock": clock, "n": MAX_STEPS},
            {"clock": clock},
        )
    steps = tuple(parse_step(step, clock, n) for n, step in enumerate(raw, start=1))
    for n, (one, two) in enumerate(pairwise(steps), start=2):
        if two.after <= one.after:
            where = {"n": n, "clock": clock}
            raise refuse(
                _("Step %(n)s of the %(clock)s clock could never be next: it comes before another one.")
                % where,
                where,
            )
    return steps


def parse_step(raw: Any, clock: str, n: int) -> Step:
    """The n-th step of a clock, from 1."""
    where = {"n": n, "clock": clock}
    if not isinstance(raw, dict):
        raise refuse(_("Step %(n)s of the %(clock)s clock is not a step.") % where, where)
    unknown = set(raw) - {"after", "roles", "people", "channels", "repeat", "answer"}
    if unknown:
        raise refuse(_("Step %(n)s of the %(clock)s clock has an unknown part.") % where, where)
    if raw.get("answer") not in (None, True, False):
        raise refuse(_("Step %(n)s of the %(clock)s clock: say yes or no to an answer.") % where, where)
    step = Step(
        after=_minutes(raw.get("after"), where, least=0),
        roles=_names(raw.get("roles"), where),
        people=_names(raw.get("people"), where),
        channels=_names(raw.get("channels"), where),
        repeat=None if raw.get("repeat") is None else _minutes(raw["repeat"], where, least=1),
        answer=raw.get("answer") is True,
    )
    _refuse_useless(step, clock, where)
    return step


def _refuse_useless(step: Step, clock: str, where: dict[str, Any]) -> None:
    """Refuse a step that tells nobody, by no way, or too often."""
    if not step.roles and not step.people:
        raise refuse(_("Step %(n)s of the %(clock)s clock tells nobody.") % where, where)
    for role in step.roles:
        if role not in ROLES:
            raise refuse(
                _("Step %(n)s of the %(clock)s clock: there is no role “%(name)s”.")
                % {**where, "name": role},
                where,
            )
    if OWNER in step.roles and clock in (RESPONSE, SAFETY):
        raise refuse(
            _("Step %(n)s of the %(clock)s clock: nobody owns it yet, so the owner cannot be told.") % where,
            where,
        )
    if not step.channels:
        raise refuse(_("Step %(n)s of the %(clock)s clock has no channel.") % where, where)
    for channel in step.channels:
        if channel not in CHANNELS:
            raise refuse(
                _("Step %(n)s of the %(clock)s clock: there is no channel “%(name)s”.")
                % {**where, "name": channel},
                where,
            )
    if step.repeat is not None and step.repeat < SHORTEST_REPEAT:
        raise refuse(
            _("Step %(n)s of the %(clock)s clock repeats too often: 2 minutes at least.") % where, where
        )


def _minutes(value: Any, where: dict[str, Any], *, least: int) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_MINUTES:
        raise refuse(
            _("Step %(n)s of the %(clock)s clock: give whole minutes, at most 90 days.") % where, where
        )
    return timedelta(minutes=value)


def _names(value: Any, where: dict[str, Any]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise refuse(_("Step %(n)s of the %(clock)s clock: give names as a list.") % where, where)
    return tuple(dict.fromkeys(value))
