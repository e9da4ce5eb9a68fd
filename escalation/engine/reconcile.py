"""Reading what changed: the timers of each changed incident become those that the rules want now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from countermeasures.promises.follow import follow_incidents
from escalation import rules
from escalation.engine import asking, news, subjects
from escalation.engine.contained import batch
from escalation.engine.fire import Outcome, Wanted, arm
from escalation.engine.subjects import Subject
from escalation.hours import Hours
from escalation.models import Policy, Run, Timer, TimerState, Unread
from escalation.policies import PolicyBook, clocks_for
from escalation.situation import IncidentState, WantedTimer
from escalation.telling import tell
from escalation.timers import as_wanted
from incidents.models import Event, EventKind

BATCH = 200
"""Incidents per transaction."""


@dataclass(slots=True)
class Plan:
    """What is to be written for a batch of incidents."""

    cancel: list[int] = field(default_factory=list)
    arm: list[Wanted] = field(default_factory=list)
    replanned: set[int] = field(default_factory=set)
    move: list[Timer] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    new_runs: list[Run] = field(default_factory=list)


def reconcile_batch(now: datetime, *, limit: int = BATCH) -> Outcome:
    """Read one batch of changed incidents. A bad row is set aside, the others are read."""
    return batch(subjects.LOCK_UNREAD, now, limit, lambda ids: reconcile(ids, now), Outcome())


def reconcile(ids: Sequence[int], now: datetime) -> Outcome:
    """Bring the timers of these incidents, which the caller has locked, in line with the rules."""
    known = subjects.read(ids)
    plan = Plan()
    armed, fired = subjects.armed_timers(ids), subjects.last_fired(ids)
    policies = _policies(known)
    plant = Hours.at(now)
    for subject in known:
        policy, replanned_at = _policy_of(subject, policies, now)
        _plan_run(plan, subject, policy, replanned_at)
        state, hours = subject.state(replanned_at=replanned_at), plant.stretch(subject.place)
        clocks = clocks_for(policy, is_drill=subject.is_drill)
        wanted = rules.wanted_timers(state, clocks, fired[subject.pk], hours=hours)
        waits = partial(rules.stretched, state=state, hours=hours)
        _bring_forward(plan, armed[subject.pk], state, now)
        _compare(plan, subject.pk, wanted, armed[subject.pk], now, waits)
    asking.follow(known, plant, now)
    follow_incidents(ids, now)
    told = news.tellings(known, now)
    _write(plan, now)
    channels = tell(told, now=now)
    Unread.objects.filter(incident_id__in=ids).delete()
    return Outcome(seen=len(known), told=len(told), channels=frozenset(channels))


# --- which policy ---


@dataclass(slots=True)
class _Policies:
    """The versions that running incidents keep, and, read when somebody needs them, those in force."""

    kept: dict[int, Policy]
    changed_at: dict[int, datetime]
    book: PolicyBook | None = None

    def in_force(self, subject: Subject) -> Policy:
        self.book = self.book or PolicyBook.load()
        return self.book.policy(
            subject.severity,
            site_id=subject.site_id,
            area_id=subject.area_id,
            category_id=subject.category_id,
        )


def _policies(known: Sequence[Subject]) -> _Policies:
    ids = {subject.policy_id for subject in known if subject.policy_id is not None}
    kept = {policy.pk: policy for policy in Policy.objects.filter(pk__in=ids)} if ids else {}
    changed = [s.pk for s in known if s.policy_id is not None and kept[s.policy_id].severity != s.severity]
    return _Policies(kept, _severity_changed_at(changed))


def _severity_changed_at(ids: Sequence[int]) -> dict[int, datetime]:
    if not ids:
        return {}
    events = Event.objects.filter(incident_id__in=ids, kind=EventKind.SEVERITY_CHANGED).order_by("at", "id")
    return dict(events.values_list("incident_id", "at"))


def _policy_of(subject: Subject, policies: _Policies, now: datetime) -> tuple[Policy, datetime | None]:
    """The version the incident keeps, or with a new severity that severity's, and since when."""
    if subject.policy_id is None:
        return policies.in_force(subject), None
    kept = policies.kept[subject.policy_id]
    if kept.severity == subject.severity:
        return kept, subject.replanned_at
    return policies.in_force(subject), policies.changed_at.get(subject.pk, now)


def _plan_run(plan: Plan, subject: Subject, policy: Policy, replanned_at: datetime | None) -> None:
    run = Run(
        pk=subject.run_id,
        incident_id=subject.pk,
        policy=policy,
        incident_version=subject.version,
        replanned_at=replanned_at,
    )
    if replanned_at is not None:
        plan.replanned.add(subject.pk)
    (plan.runs if subject.run_id is not None else plan.new_runs).append(run)


# --- which timers ---


Waits = Callable[[WantedTimer], WantedTimer]
"""A step at the next working minute of the place, if it may wait."""


def _compare(
    plan: Plan,
    incident_id: int,
    wanted: Sequence[WantedTimer],
    armed: Sequence[Timer],
    now: datetime,
    waits: Waits,
) -> None:
    """Keep what is right, move what is due at another time, cancel and arm the rest."""
    there = {timer.clock: timer for timer in armed}
    for want in wanted:
        timer = there.pop(want.clock, None)
        if timer is not None and as_wanted(timer).key == want.key:
            _adjust(plan, timer, waits(rules.replacement(want, timer.due_at, now)))
            continue
        if timer is not None:
            plan.cancel.append(timer.pk)
        plan.arm.append((incident_id, want, ""))
    plan.cancel += [timer.pk for timer in there.values()]


def _bring_forward(plan: Plan, armed: Sequence[Timer], state: IncidentState, now: datetime) -> None:
    """What was brought forward waits for the end of a pause, and goes out when that is lifted."""
    for timer in armed:
        at = rules.brought_forward_to(timer.clock, state, now)
        if timer.goes_up_from and timer.due_at != at and (at > now or timer.due_at > now):
            timer.due_at = at
            plan.move.append(timer)


MOVES = ("due_at", "first_step", "planned_at", "waits_for")


def _adjust(plan: Plan, timer: Timer, want: WantedTimer) -> None:
    """The same step: what was brought forward stays so; else its due moment follows the rules."""
    if timer.goes_up_from or all(getattr(timer, name) == getattr(want, name) for name in MOVES):
        return
    for name in MOVES:
        setattr(timer, name, getattr(want, name))
    plan.move.append(timer)


def _write(plan: Plan, now: datetime) -> None:
    if plan.cancel:
        Timer.objects.armed().filter(pk__in=plan.cancel).update(state=TimerState.CANCELLED)
    if plan.move:
        Timer.objects.bulk_update(plan.move, MOVES)
    arm(plan.arm, now, replanned=plan.replanned)
    if plan.new_runs:
        Run.objects.bulk_create(plan.new_runs)
    if plan.runs:
        Run.objects.bulk_update(plan.runs, ["policy", "incident_version", "replanned_at"])
