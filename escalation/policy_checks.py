"""What is asked of a policy before it is published, beyond being readable: nobody is left in silence.

Only publishing asks this. A version that was published under older rules stays readable, or the incidents
that run under it would stop.

The longest waits follow domain §2 and §4. For the first word: 15 minutes for a stopped line, after which its
default ladder begins again; an hour, a shift and a day for S2, S3 and S4. Between two levels, several times
what the default ladders take: an hour, half a shift, a day and a week. A week is also the slowest reminder
that a default policy has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from escalation.policy_words import length
from escalation.steps import (
    CAN_TAKE,
    CLOCKS,
    CLOSURE,
    CONTAINMENT,
    OWNER,
    RESPONSE,
    SAFETY,
    UPDATE,
    BadPolicy,
    PolicyClocks,
    Step,
    parse_step,
    refuse,
    steps_of,
)
from plant.models import Channel

FIRST_WORD = {
    "S1": timedelta(minutes=15),
    "S2": timedelta(hours=1),
    "S3": timedelta(hours=8),
    "S4": timedelta(hours=24),
}
"""A new incident of this severity is heard of within this by somebody, and by somebody who may take it."""

LONGEST_GAP = {
    "S1": timedelta(hours=1),
    "S2": timedelta(hours=4),
    "S3": timedelta(hours=24),
    "S4": timedelta(days=7),
}
"""While nobody has it, and for what is urgent while product stands still, somebody is told this often."""

LONGEST_SILENCE = timedelta(days=7)
"""An open incident is remembered at least this often."""

URGENT = ("S1", "S2")
RINGS = frozenset({"sms", "push"})
"""Channels that make a phone ring."""


def problems(raw: Any, *, severity: str) -> list[BadPolicy]:
    """Everything that speaks against publishing these clocks, in their order; empty when nothing does."""
    try:
        policy = PolicyClocks.parse(raw, severity=severity)
    except BadPolicy as first:
        steps = list(_unreadable(raw)) if isinstance(raw, dict) else []
        return steps or [first]
    return [*_never_fires(policy), *_never_answered(policy), *_silent(policy)]


def _unreadable(raw: Mapping[str, Any]) -> Iterator[BadPolicy]:
    """Each step that cannot be read by itself, so that a form can show all of them at once."""
    for clock in (*CLOCKS, SAFETY):
        ladder = raw.get(clock)
        for n, step in enumerate(ladder if isinstance(ladder, list) else (), start=1):
            try:
                parse_step(step, clock, n)
            except BadPolicy as problem:
                yield problem


def _never_fires(policy: PolicyClocks) -> Iterator[BadPolicy]:
    """A repeat that the next step always overtakes."""
    for clock in CLOCKS:
        for n, (step, later) in enumerate(pairwise(policy.ladder(clock)), start=1):
            where = {"n": n, "clock": clock}
            if step.repeat is not None and step.after + step.repeat >= later.after:
                yield refuse(
                    _("Step %(n)s of the %(clock)s clock could never repeat: the next step comes before.")
                    % where,
                    where,
                )


def _never_answered(policy: PolicyClocks) -> Iterator[BadPolicy]:
    """A step that asks for an answer which cannot come, or would say nothing."""
    for clock in (*CLOCKS, SAFETY):
        for n, step in enumerate(steps_of(policy, clock), start=1):
            where = {"n": n, "clock": clock}
            if step.answer and set(step.channels) == {Channel.DIGEST}:
                sentence = _(
                    "Step %(n)s of the %(clock)s clock: a digest cannot be answered. "
                    "Ask by SMS, email or push, or ask nobody."
                )
                yield refuse(sentence % where, where)
            if step.answer and step.roles == (OWNER,) and not step.people:
                sentence = _(
                    "Step %(n)s of the %(clock)s clock: the owner answers with the news itself. "
                    "Ask somebody else for an answer, or nobody."
                )
                yield refuse(sentence % where, where)


def _silent(policy: PolicyClocks) -> Iterator[BadPolicy]:
    yield from _silent_response(policy)
    yield from _silent_containment(policy)
    yield from _silent_update(policy)
    yield from _silent_closure(policy)
    if not RINGS & set(policy.safety.channels):
        yield refuse(
            _("About safety a phone has to ring: tell them by SMS or push."), {"clock": SAFETY, "n": 1}
        )


def _silent_response(policy: PolicyClocks) -> Iterator[BadPolicy]:
    first, longest = policy.response[0], FIRST_WORD[policy.severity]
    where = {"clock": RESPONSE, "n": 1}
    if first.after > longest:
        sentence = _("Nobody would hear of it for too long: the first step comes within %(time)s.")
        yield refuse(sentence % {"time": length(longest)}, where)
    elif not any(step.people or CAN_TAKE & set(step.roles) for step in soon_told(policy)):
        yield nobody_could_take_it(policy.severity)
    if policy.severity in URGENT and not RINGS & set(first.channels):
        yield refuse(_("Nobody’s phone would ring: the first step goes by SMS or push."), where)
    yield from _too_far_apart(policy, RESPONSE)


def soon_told(policy: PolicyClocks) -> list[Step]:
    """The steps by which a new incident is heard of in time."""
    return [step for step in policy.response if step.after <= FIRST_WORD[policy.severity]]


def nobody_could_take_it(severity: str) -> BadPolicy:
    sentence = _("Nobody who is told within %(time)s could take it: add somebody from IT.")
    return refuse(sentence % {"time": length(FIRST_WORD[severity])}, {"clock": RESPONSE})


def _too_far_apart(policy: PolicyClocks, clock: str) -> Iterator[BadPolicy]:
    """A level after which nobody hears for too long, before the next one or until the last one repeats."""
    steps, longest = policy.ladder(clock), LONGEST_GAP[policy.severity]
    sentence = _("After step %(n)s of the %(clock)s clock nobody is told for more than %(time)s.")
    for n, step in enumerate(steps, start=1):
        until_next = steps[n].after - step.after if n < len(steps) else timedelta(0)
        if (step.repeat or until_next) > longest:
            where = {"n": n, "clock": clock}
            yield refuse(sentence % {**where, "time": length(longest)}, where)


def _silent_containment(policy: PolicyClocks) -> Iterator[BadPolicy]:
    if policy.severity in URGENT and not policy.containment:
        yield refuse(
            _("Product could stand still in silence: the containment clock needs a step."),
            {"clock": CONTAINMENT},
        )
    elif policy.severity in URGENT:
        yield from _late_containment(policy)


def _late_containment(policy: PolicyClocks) -> Iterator[BadPolicy]:
    longest = LONGEST_GAP[policy.severity]
    if policy.containment[0].after > longest:
        sentence = _("Product could stand still in silence: the first step comes within %(time)s.")
        yield refuse(sentence % {"time": length(longest)}, {"clock": CONTAINMENT, "n": 1})
    yield from _too_far_apart(policy, CONTAINMENT)


def _silent_update(policy: PolicyClocks) -> Iterator[BadPolicy]:
    if policy.severity in URGENT and not policy.update:
        yield refuse(
            _("Whoever has it could say nothing for ever: the update clock needs a step."), {"clock": UPDATE}
        )
    if policy.update and OWNER not in policy.update[0].roles:
        yield refuse(
            _("The owner owes the news, so the first step of the update clock tells the owner."),
            {"clock": UPDATE, "n": 1},
        )
    longest = FIRST_WORD[policy.severity]
    if policy.update and policy.update[0].after > longest:
        sentence = _("The owner would not be asked for too long: the first step comes within %(time)s.")
        yield refuse(sentence % {"time": length(longest)}, {"clock": UPDATE, "n": 1})
    # What is minor is closed by its owner in their own time; only there may late news be between them and us.
    if policy.update and policy.severity != "S4" and not any(_others(step) for step in policy.update):
        yield refuse(
            _("Nobody but the owner would hear that news is late: add somebody to the update clock."),
            {"clock": UPDATE},
        )


def _others(step: Step) -> bool:
    return bool(step.people or set(step.roles) - {OWNER})


def _silent_closure(policy: PolicyClocks) -> Iterator[BadPolicy]:
    first, last = policy.closure[0], policy.closure[-1]
    at_last = {"clock": CLOSURE, "n": len(policy.closure)}
    too_long = _("An open incident is remembered at least once a week.")
    if first.after > LONGEST_SILENCE:
        yield refuse(too_long, {"clock": CLOSURE, "n": 1})
    if last.repeat is None:
        yield refuse(
            _("It is open until it is closed: say how often the last step of the closure clock repeats."),
            at_last,
        )
    elif last.repeat > LONGEST_SILENCE:
        yield refuse(too_long, at_last)
    for n, (one, two) in enumerate(pairwise(policy.closure), start=2):
        if two.after - one.after > LONGEST_SILENCE:
            yield refuse(too_long, {"clock": CLOSURE, "n": n})
