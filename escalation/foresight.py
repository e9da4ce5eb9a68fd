"""What would happen next if nothing else does: the steps to come, with the people they would reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation import rules
from escalation.recipients import People, Recipient
from escalation.rules import FiredStep, IncidentState, WantedTimer
from escalation.steps import PolicyClocks
from plant.models import Area, Person, Site
from plant.working_time import said_why

KNOWS_AHEAD = timedelta(days=70)
"""Roster read ahead of now: a step may wait 62 days, and the slowest default reminder comes after 7."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens and who has it: all that decides who a step reaches, beside the moment."""

    place: Area | Site
    flow: str
    owner_id: int | None = None


@dataclass(frozen=True, slots=True)
class ForeseenStep:
    """A step that is still to come. `gaps` are sentences about coverage, in the language in force.

    `waits_for` says why the place does not work before it is due; empty when it does not wait.
    """

    clock: str
    step: int
    round: int
    due_at: datetime
    roles: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    gaps: tuple[str, ...]
    goes_up: bool
    is_repeat: bool
    waits_for: str = ""

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(recipient.person for recipient in self.recipients)

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for recipient in self.recipients for c in recipient.channels))


def foresee(
    timer: WantedTimer,
    state: IncidentState,
    policy: PolicyClocks,
    scene: Scene,
    people: People,
    *,
    at: datetime,
) -> ForeseenStep:
    """Who this step reaches if it fires when it is due; `at` is now, in case it is due already."""
    asks = rules.asks(timer, state, policy, flow=scene.flow)
    moment = known_moment(people, max(timer.due_at, at), at)
    resolved = people.resolve(asks, clock=timer.clock, place=scene.place, owner_id=scene.owner_id, at=moment)
    return ForeseenStep(
        clock=timer.clock,
        step=timer.step,
        round=timer.round,
        due_at=timer.due_at,
        roles=tuple(ask.role for ask in asks if ask.role),
        recipients=tuple(resolved.recipients),
        gaps=tuple(dict.fromkeys(gap.note for one in resolved.recipients for gap in one.gaps)),
        goes_up=resolved.goes_up,
        is_repeat=rules.is_used_up(timer, policy, is_safety=state.is_safety),
        waits_for=said_why(timer.waits_for),
    )


def known_moment(people: People, moment: datetime, now: datetime) -> datetime:
    """The moment, or now when it lies further ahead than the roster that was read."""
    return moment if moment <= people.book.knows_until else now


def rest_of_ladder(
    first: WantedTimer,
    state: IncidentState,
    policy: PolicyClocks,
    *,
    hours: rules.Stretch | None = None,
    most: int = 8,
) -> Iterator[WantedTimer]:
    """A clock's next step and those after it, each fired on time, up to the first repeat of everything."""
    timer: WantedTimer | None = first
    while timer is not None and most > 0:
        yield timer
        if rules.is_used_up(timer, policy, is_safety=state.is_safety):
            return
        most -= 1
        timer = rules.next_after(_on_time(timer), state, policy, hours=hours)


def _on_time(timer: WantedTimer) -> FiredStep:
    return FiredStep(
        clock=timer.clock,
        epoch=timer.epoch,
        severity=timer.severity,
        step=timer.step,
        round=timer.round,
        due_at=timer.due_at,
        fired_at=timer.due_at,
        waited=timer.planned_at is not None,
    )


def with_gaps_going_up(
    steps: Sequence[ForeseenStep], *, gap: timedelta = timedelta(0)
) -> Iterator[tuple[ForeseenStep, datetime]]:
    """Each step with the moment it really goes out: at once where the level below reaches nobody on shift."""
    brought: datetime | None = None
    for step in steps:
        at = min(step.due_at, brought) if brought is not None and not step.is_repeat else step.due_at
        yield step, at
        brought = at + gap if step.goes_up else None
