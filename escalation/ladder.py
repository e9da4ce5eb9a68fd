"""The ladder of an incident as the screens show it: who was told, how it went, and who is next, when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q

from escalation import rules, wording
from escalation.foresight import ForeseenStep, Scene, foresee, rest_of_ladder, with_gaps_going_up
from escalation.hours import Hours
from escalation.models import Delivery, DeliveryState, Notification, Reason, Run, Timer
from escalation.policies import PolicyBook, clocks_for
from escalation.recipients import People, Recipient
from escalation.situation import IncidentState, WantedTimer
from escalation.steps import BUILT_IN, LAPSE, RESPONSE, UPDATE, PolicyClocks
from escalation.timers import as_wanted
from incidents.models import Incident
from plant.duty import DutyBook
from plant.models import Area, Person, Site
from plant.working_time import said_why

SOON_PART = 0.25
SOON_LEFT = timedelta(minutes=5)
"""A clock is soon when under a quarter of its fuse is left, or under 5 minutes (design language §4)."""

LATE_BY = timedelta(seconds=10)
"""A step that is due for longer than this is not just being sent."""


TELLING = (Reason.STEP, Reason.FALLBACK, Reason.ASSIGNED, Reason.ASKED_AGAIN)
"""Reasons of a step of the ladder; news told afterwards is none."""


class ClockState(StrEnum):
    """How a clock looks (design language §4); `late` is a used-up ladder or a step that is overdue."""

    CALM = "calm"
    SOON = "soon"
    LATE = "late"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step of an incident: when who is told. `fraction` of the fuse has burnt, 0 to 1."""

    incident_id: int
    clock: str
    step: int
    round: int
    due_at: datetime
    started_at: datetime
    roles: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    gaps: tuple[str, ...]
    fraction: float
    marks: tuple[float, ...]
    state: ClockState
    is_used_up: bool
    goes_up: str = ""
    waits_for: str = ""
    """Why the place does not work before then, in the language in force; empty when it does not wait."""

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(recipient.person for recipient in self.recipients)

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for recipient in self.recipients for c in recipient.channels))

    @property
    def left(self) -> float:
        """The part of the fuse that is left, 0 to 1."""
        return 1.0 - self.fraction


@dataclass(frozen=True, slots=True)
class ToldLine:
    """Somebody who was told: by which clock, how it was sent and arrived, and whether they answered."""

    notification: Notification
    deliveries: tuple[Delivery, ...]

    @property
    def person(self) -> Person:
        return self.notification.person

    @property
    def at(self) -> datetime:
        return self.notification.created_at

    @property
    def role(self) -> str:
        return wording.role_name(self.notification.role)

    @property
    def is_step(self) -> bool:
        return self.notification.reason in TELLING

    @property
    def waits_for_answer(self) -> bool:
        return self.notification.wants_answer and self.notification.answered_at is None

    @property
    def state(self) -> str:
        """How far the message got by its best channel: `answered`, else a DeliveryState."""
        if self.notification.answered_at is not None:
            return "answered"
        return max((str(one.carrier.state) for one in self.deliveries), key=_HOW_FAR.index, default="queued")


_HOW_FAR = [
    str(state)
    for state in (
        DeliveryState.DROPPED,
        DeliveryState.FAILED,
        DeliveryState.QUEUED,
        DeliveryState.SENDING,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
    )
]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Everyone who was told, oldest first; then what comes, soonest first.

    `lapses_at`: when its owner loses it if they go on saying nothing. It is no step: it tells nobody itself.
    """

    told: tuple[ToldLine, ...]
    next: NextStep | None
    upcoming: tuple[ForeseenStep, ...]
    pause_until: datetime | None
    lapses_at: datetime | None = None


# --- for many incidents ---


def next_steps(incidents: Sequence[Incident], book: DutyBook, now: datetime) -> dict[int, NextStep]:
    """The next step of each open incident, in a fixed number of queries however many there are."""
    views = _views(incidents, book)
    return {pk: _next_step(view, now) for pk, view in views.items() if view.timers}


@dataclass(frozen=True, slots=True)
class _View:
    """What is known of one incident: its armed timers (or those it will get in a moment) and its policy."""

    incident: Incident
    state: IncidentState
    policy: PolicyClocks
    timers: tuple[tuple[WantedTimer, datetime, str], ...]
    people: People
    hours: rules.Stretch
    lapses_at: datetime | None = None

    @property
    def scene(self) -> Scene:
        return Scene(_place(self.incident), self.incident.flow, self.incident.owner_id)


def _place(incident: Incident) -> Area | Site:
    """The area or site whose duty and hours count; only the id is filled in."""
    area_id, site_id = incident.area_id, incident.site_id
    return Area(pk=area_id, site_id=site_id) if area_id else Site(pk=site_id)


def _views(incidents: Sequence[Incident], book: DutyBook) -> dict[int, _View]:
    """Four queries: runs with their policies, armed timers, people by name; just-raised ones have no timers
    yet, and are asked the policies in force instead.

    Three more when a step that is still to be planned may have to wait for the place to work.
    """
    found = [incident for incident in incidents if incident.is_open]
    runs = {run.incident_id: run for run in Run.objects.filter(incident__in=found).select_related("policy")}
    armed: dict[int, list[Timer]] = {}
    for timer in Timer.objects.armed().filter(incident__in=list(runs)).order_by("due_at", "id"):
        armed.setdefault(timer.incident_id, []).append(timer)
    policies = _policies(found, runs)
    people = People(
        book,
        ids=(incident.owner_id for incident in found),
        usernames=_usernames(policies.values()),
    )
    plant = Hours.of(book)
    return {
        one.pk: _view(one, runs.get(one.pk), policies[one.pk], armed.get(one.pk, []), people, plant)
        for one in found
    }


def _policies(incidents: Sequence[Incident], runs: Mapping[int, Run]) -> dict[int, PolicyClocks]:
    drills = {incident.pk: incident.is_drill for incident in incidents}
    known = {pk: clocks_for(run.policy, is_drill=drills[pk]) for pk, run in runs.items()}
    unread = [incident for incident in incidents if incident.pk not in known]
    if unread:
        in_force = PolicyBook.load(one.severity for one in unread)
        known |= {one.pk: clocks_for(in_force.of(one), is_drill=one.is_drill) for one in unread}
    return known


def _usernames(policies: Iterable[PolicyClocks]) -> set[str]:
    return {name for policy in policies for name in policy.named_people}


def _view(
    incident: Incident,
    run: Run | None,
    policy: PolicyClocks,
    armed: Sequence[Timer],
    people: People,
    plant: Hours,
) -> _View:
    state = state_of(incident, replanned_at=run.replanned_at if run else None)
    hours = plant.stretch(_place(incident))
    timers = [(as_wanted(timer), timer.armed_at, timer.goes_up_from) for timer in armed]
    if run is None:
        wanted = rules.wanted_timers(state, policy, hours=hours)
        timers = [(want, incident.clocks_from, "") for want in wanted]
    steps = [one for one in timers if one[0].clock not in BUILT_IN]  # the others are no rungs of a ladder
    lapses_at = next((timer.due_at for timer in armed if timer.clock == LAPSE), None)
    in_order = tuple(sorted(steps, key=lambda one: one[0].due_at))
    return _View(incident, state, policy, in_order, people, hours, lapses_at)


def state_of(incident: Incident, *, replanned_at: datetime | None = None) -> IncidentState:
    """The incident as the rules see it."""
    return IncidentState(
        status=incident.status,
        severity=incident.severity,
        clocks_from=incident.clocks_from,
        troubled_since=incident.troubled_since,
        is_safety=incident.is_safety,
        acknowledged_at=incident.acknowledged_at,
        next_update_due=incident.next_update_due,
        waiting_until=incident.waiting_until,
        shelved_until=incident.shelved_until,
        replanned_at=replanned_at,
    )


def _next_step(view: _View, now: datetime) -> NextStep:
    timer, armed_at, why = view.timers[0]
    foreseen = foresee(timer, view.state, view.policy, view.scene, view.people, at=now)
    started = _started(timer, armed_at)
    whole = (timer.due_at - started).total_seconds()
    fraction = min(1.0, max(0.0, (now - started).total_seconds() / whole)) if whole > 0 else 1.0
    return NextStep(
        incident_id=view.incident.pk,
        clock=timer.clock,
        step=timer.step,
        round=timer.round,
        due_at=timer.due_at,
        started_at=started,
        roles=foreseen.roles,
        recipients=foreseen.recipients,
        gaps=foreseen.gaps,
        fraction=fraction,
        marks=_marks(timer, view, started, whole),
        state=_state(timer, view, now, 1.0 - fraction, used_up=foreseen.is_repeat),
        is_used_up=foreseen.is_repeat and timer.clock != rules.CLOSURE,
        goes_up=wording.why_it_goes_up(why),
        waits_for=said_why(timer.waits_for) if now < timer.due_at else "",
    )


def _started(timer: WantedTimer, armed_at: datetime) -> datetime:
    """Where the fuse starts: at the clock's base, or for a repeat and for news at the time it was armed."""
    is_whole_ladder = timer.round == 0 and (timer.clock != UPDATE or timer.step > 0)
    start = timer.epoch if is_whole_ladder else armed_at
    return min(start, timer.due_at)


def _marks(timer: WantedTimer, view: _View, started: datetime, whole: float) -> tuple[float, ...]:
    """Where on the fuse the steps lie that were taken already."""
    if timer.round > 0 or whole <= 0:
        return ()
    steps = view.policy.ladder(timer.clock, is_safety=view.state.is_safety)[: timer.step]
    parts = ((timer.epoch + step.after - started).total_seconds() / whole for step in steps)
    return tuple(part for part in parts if 0.0 < part < 1.0)


def _state(timer: WantedTimer, view: _View, now: datetime, left: float, *, used_up: bool) -> ClockState:
    pause = rules.waits_until(timer.clock, view.state)
    if now < timer.due_at and (timer.waits_for or timer.due_at == pause):
        return ClockState.PAUSED
    if now - timer.due_at > LATE_BY or (used_up and timer.clock != rules.CLOSURE):
        return ClockState.LATE
    if timer.clock != rules.CLOSURE and (left < SOON_PART or timer.due_at - now < SOON_LEFT):
        return ClockState.SOON
    return ClockState.CALM


# --- for one incident ---


TOLD_READ = 250
"""Messages read for a page: an incident that stays open for months repeats by the thousand."""


def for_incident(incident: Incident, book: DutyBook, now: datetime, *, everything: bool = False) -> Ladder:
    """The ladder of one incident: the newest messages, and of each person the first and the first answered.

    With `everything`, all that were ever sent.
    """
    view = _views([incident], book).get(incident.pk)
    notifications = incident.notifications.with_deliveries().order_by("created_at", "id")
    if not everything:
        notifications = notifications.filter(_worth_reading(incident))
    told = tuple(ToldLine(one, tuple(one.deliveries.all())) for one in notifications)
    if view is None or not view.timers:
        return Ladder(told, None, (), None)
    return Ladder(told, _next_step(view, now), _upcoming(view, now), _pause(view, now), view.lapses_at)


def _worth_reading(incident: Incident) -> Q:
    sent = Notification.objects.filter(incident=incident)
    steps = sent.filter(reason__in=TELLING).order_by("person_id", "created_at", "id").distinct("person_id")
    newest = sent.order_by("-created_at", "-id")[:TOLD_READ]
    answered = steps.filter(answered_at__isnull=False)
    kinds = (newest, steps, answered)
    return Q(*(Q(pk__in=kind.values("pk")) for kind in kinds), _connector=Q.OR)


def _upcoming(view: _View, now: datetime, *, most: int = 8) -> tuple[ForeseenStep, ...]:
    """What comes on every running clock if nothing else happens, soonest first."""
    steps = [step for first, _armed_at, _why in view.timers for step in _rest_of_clock(first, view, now)]
    return tuple(sorted(steps, key=lambda step: step.due_at)[:most])


def _rest_of_clock(first: WantedTimer, view: _View, now: datetime) -> Iterator[ForeseenStep]:
    """Each step as it goes out: with the one below where that reaches nobody on shift."""
    timers = rest_of_ladder(first, view.state, view.policy, hours=view.hours)
    steps = [foresee(timer, view.state, view.policy, view.scene, view.people, at=now) for timer in timers]
    for step, at in with_gaps_going_up(steps):
        yield step if at == step.due_at else replace(step, due_at=at, waits_for="")


def _pause(view: _View, now: datetime) -> datetime | None:
    pause = rules.waits_until(RESPONSE, view.state)
    return pause if pause is not None and pause > now else None
