"""The pace of a practice: the real ladders of a policy, played in minutes instead of hours.

A practice incident runs the version of the policy that a real one would, with the same steps, people and
channels; only their minutes are shorter. The engine reads the ladders from here, so the screens show times
that come true. No database and no clock in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from escalation.steps import PolicyClocks, Step

A_MINUTE = timedelta(seconds=5)
"""What a minute of the policy lasts: the five hours of the usual ladders fit into ten minutes."""

SHORTEST_GAP = timedelta(seconds=20)
"""Between two levels: time for a message to fail twice and to go by the person's next channel."""

LONGEST_GAP = timedelta(seconds=120)
"""Between two levels: nobody is kept in a practice for an hour that a policy waits."""

ANSWER_TIME = timedelta(minutes=3)
"""How long those who were told last have to say that they have seen it, before the practice ends."""

LONGEST = timedelta(minutes=15)
"""From the first message to the end. A ladder with very many steps is played faster than `SHORTEST_GAP`."""


def practice_pace(policy: PolicyClocks) -> PolicyClocks:
    """The same policy with the response and containment ladders at the pace of a practice, without repeats.

    Containment goes on where response ends: in a practice nobody takes it before everybody was tried.
    """
    response, containment = _moments(policy)
    return replace(
        policy,
        response=tuple(_at(step, moment) for step, moment in zip(policy.response, response, strict=True)),
        containment=tuple(
            _at(step, moment) for step, moment in zip(policy.containment, containment, strict=True)
        ),
    )


def taken_after(policy: PolicyClocks) -> timedelta:
    """When the practice goes on as if somebody had taken it: the top of the response ladder was tried."""
    return practice_pace(policy).response[-1].after + _faster(policy) * SHORTEST_GAP


def ends_after(policy: PolicyClocks) -> timedelta:
    """When everybody was tried and the last of them had time to answer."""
    paced = practice_pace(policy)
    return max(step.after for step in (*paced.response, *paced.containment)) + ANSWER_TIME


def _moments(policy: PolicyClocks) -> tuple[list[timedelta], list[timedelta]]:
    faster = _faster(policy)
    response = list(_sums(timedelta(0), (gap * faster for gap in _gaps(policy.response))))
    start = response[-1] + faster * SHORTEST_GAP
    rest = [SHORTEST_GAP, *_gaps(policy.containment)] if policy.containment else []
    moments = list(_sums(start, (gap * faster for gap in rest)))[1:]
    return response, moments


def _faster(policy: PolicyClocks) -> float:
    """1 for ordinary ladders; less when the whole would last longer than `LONGEST`."""
    gaps = [*_gaps(policy.response), *_gaps(policy.containment), SHORTEST_GAP * 2]
    return min(1.0, (LONGEST - ANSWER_TIME) / sum(gaps, timedelta(0)))


def _gaps(steps: Sequence[Step]) -> list[timedelta]:
    """Between each two steps, at the pace of a practice."""
    minute = timedelta(minutes=1)
    return [
        min(max((two.after - one.after) / minute * A_MINUTE, SHORTEST_GAP), LONGEST_GAP)
        for one, two in pairwise(steps)
    ]


def _sums(start: timedelta, gaps: Iterable[timedelta]) -> Iterator[timedelta]:
    yield start
    for gap in gaps:
        start += gap
        yield start


def _at(step: Step, moment: timedelta) -> Step:
    return replace(step, after=moment, repeat=None)
