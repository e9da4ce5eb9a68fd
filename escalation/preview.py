"""Before it happens: who would be told, when, how, and where the gaps are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from escalation import foresight, rules
from escalation.foresight import KNOWS_AHEAD, ForeseenStep, Scene
from escalation.hours import Hours
from escalation.policies import PolicyBook, clocks_of
from escalation.recipients import People, Recipient, ways_to, with_push
from escalation.rules import IncidentState
from escalation.steps import CAN_TAKE, CLOSURE, CONTAINMENT, RESPONSE, UPDATE, PolicyClocks
from incidents.models import Category, Flow, Impact, SeverityRule
from plant.duty import DutyAnswer, DutyBook
from plant.models import Area, Line, Person, Site, Station


@dataclass(frozen=True, slots=True)
class PreviewPerson:
    """Somebody who would be told, as what, by which channels, and the gaps that made it them."""

    person: Person
    role: str
    channels: tuple[str, ...]
    because: tuple[DutyAnswer, ...] = ()
    wants_answer: bool = False


@dataclass(frozen=True, slots=True)
class PreviewStep:
    """One step. `at` is when it goes out: earlier than `due_at` where the level below has nobody on shift."""

    clock: str
    step: int
    at: datetime
    due_at: datetime
    roles: tuple[str, ...]
    people: tuple[PreviewPerson, ...]
    channels: tuple[str, ...]
    gaps: tuple[str, ...]
    goes_up: bool
    is_repeat: bool
    waits_for: str = ""
    """Why the place does not work before then, in the language in force; empty when it does not wait."""
    word_due: datetime | None = None
    """On the update clock: by when its owner owes a word."""


def preview(
    place: Station | Line | Area | Site,
    category: Category | None,
    impact: Impact | str,
    at: datetime,
    flow: Flow | str | None = None,
    *,
    book: DutyBook | None = None,
) -> list[PreviewStep]:
    """Each of the policy's clocks as if nothing stopped it, up to its first repeat; soonest first.

    Containment and update count from the same moment, as if somebody took it at once: whoever is told first
    and may. The first word is owed as long after that as the severity says.
    """
    severity = Impact(impact).severity
    site_id, area_id = _scope(place)
    found = PolicyBook.load().policy(
        severity, site_id=site_id, area_id=area_id, category_id=category.pk if category else None
    )
    policy = clocks_of(found)
    scene = Scene(
        place=Area(pk=area_id, site_id=site_id) if area_id else Site(pk=site_id),
        flow=str(flow or _flow(place)),
    )
    book = book or DutyBook.load(at, until=at + KNOWS_AHEAD)
    people, hours = People(book, usernames=policy.named_people), Hours.of(book)
    every = SeverityRule.of(severity).update_every
    state = IncidentState(
        status="raised", severity=severity, clocks_from=at, is_safety=impact == Impact.SAFETY
    )
    taken = replace(
        state,
        status="acknowledged",
        acknowledged_at=at,
        next_update_due=at + every if every else None,
    )
    response = _clock(RESPONSE, policy, state, scene, people, hours)
    owner = _who_takes_it(response)
    if owner is not None:
        people.by_id = {**people.by_id, owner.pk: owner}
        scene = replace(scene, owner_id=owner.pk)
    rest = (_clock(clock, policy, taken, scene, people, hours) for clock in (CONTAINMENT, UPDATE, CLOSURE))
    steps = sorted([*response, *(step for steps in rest for step in steps)], key=lambda step: step[1])
    return [_shown(step, moment, taken, is_urgent=severity in ("S1", "S2")) for step, moment in steps]


def told_at_once(steps: Sequence[PreviewStep], at: datetime) -> list[PreviewPerson]:
    """Everybody who hears within the first minute: "Told at once: …" on the raise screen."""
    first = [one for step in steps if step.at <= at for one in step.people]
    return list({one.person.pk: one for one in first}.values())


Going = tuple[ForeseenStep, datetime]
"""A step and when it goes out."""


def _who_takes_it(response: Sequence[Going]) -> Person | None:
    """The first who is told and could take it."""
    told = [one for step, _at in response for one in step.recipients]
    return next((one.person for one in told if one.role in CAN_TAKE), told[0].person if told else None)


def _clock(
    clock: str, policy: PolicyClocks, state: IncidentState, scene: Scene, people: People, hours: Hours
) -> list[Going]:
    """One clock as if nothing stopped it, up to its first repeat."""
    stretch = hours.stretch(scene.place)
    wanted = rules.wanted_timers(state, policy, hours=stretch)
    first = next((timer for timer in wanted if timer.clock == clock), None)
    if first is None:
        return []
    timers = foresight.rest_of_ladder(first, state, policy, hours=stretch)
    at = state.clocks_from
    steps = [foresight.foresee(timer, state, policy, scene, people, at=at) for timer in timers]
    return list(foresight.with_gaps_going_up(steps))


def _shown(step: ForeseenStep, at: datetime, taken: IncidentState, *, is_urgent: bool) -> PreviewStep:
    urgent = is_urgent and step.clock != CLOSURE
    asked = ((one.person, one.channels) for one in step.recipients)
    pushed = with_push(asked, is_urgent=urgent)
    told = tuple(_person(one, is_urgent=urgent, pushed=pushed) for one in step.recipients)
    return PreviewStep(
        clock=step.clock,
        step=step.step,
        at=at,
        due_at=step.due_at,
        roles=step.roles,
        people=told,
        channels=tuple(dict.fromkeys(channel for one in told for channel in one.channels)),
        gaps=step.gaps,
        goes_up=step.goes_up,
        is_repeat=step.is_repeat,
        waits_for=step.waits_for if at == step.due_at else "",
        word_due=taken.next_update_due if step.clock == UPDATE else None,
    )


def _person(recipient: Recipient, *, is_urgent: bool, pushed: frozenset[int]) -> PreviewPerson:
    has_device = recipient.person.pk in pushed
    ways = ways_to(recipient.person, recipient.channels, is_urgent=is_urgent, has_device=has_device)
    channels = tuple(channel for channel, to in ways if to)
    return PreviewPerson(
        recipient.person, recipient.role, channels, tuple(recipient.gaps), recipient.wants_answer
    )


def _scope(place: Station | Line | Area | Site) -> tuple[int, int | None]:
    if isinstance(place, Site):
        return place.pk, None
    area = _line(place).area if isinstance(place, Station | Line) else place
    return area.site_id, area.pk


def _flow(place: Station | Line | Area | Site) -> str:
    return _line(place).flow if isinstance(place, Station | Line) else Flow.PRODUCTION


def _line(place: Station | Line) -> Line:
    return place.line if isinstance(place, Station) else place
