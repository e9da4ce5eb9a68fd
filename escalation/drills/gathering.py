"""What was sent in a practice and what came back, for its report: from the rows of the real engine."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from escalation.drills.report import Asked, Facts, Level, Way
from escalation.models import Delivery, Drill, Notification, Reason, Run
from escalation.policies import clocks_of
from escalation.steps import CONTAINMENT, RESPONSE, PolicyClocks
from incidents.models import Event, EventKind
from plant.models import Channel, Person

CLOCKS = (RESPONSE, CONTAINMENT)
TOLD = (Reason.STEP, Reason.FALLBACK, Reason.ASKED_AGAIN)


def of(drill: Drill) -> Facts:
    """Everything about one practice, in five queries."""
    run = Run.objects.filter(incident=drill.incident_id).select_related("policy").first()
    asked = _asked(drill)
    if run is None:  # it ended before the engine read it
        return Facts(severity=drill.incident.severity, policy_version=0, asked=asked)
    return Facts(
        severity=run.policy.severity,
        policy_version=run.policy.version,
        levels=_levels(drill, clocks_of(run.policy)),
        asked=asked,
    )


def _levels(drill: Drill, policy: PolicyClocks) -> list[Level]:
    """The steps of both ladders with the minutes of the policy, and when each was told here."""
    told = _told(drill)
    return [
        Level(
            clock=clock,
            step=n,
            minutes=int(step.after.total_seconds() // 60),
            roles=[*step.roles, *step.people],
            told_at=told[clock, n].at if (clock, n) in told else None,
            missing=told[clock, n].data.get("missing", []) if (clock, n) in told else [],
        )
        for clock in CLOCKS
        for n, step in enumerate(policy.ladder(clock))
    ]


def _told(drill: Drill) -> dict[tuple[str, int], Event]:
    """The first firing of each step, from the timeline."""
    events = Event.objects.filter(incident=drill.incident_id, kind=EventKind.TOLD).order_by("-at", "-id")
    return {(event.data.get("clock", ""), event.data.get("step", 0)): event for event in events}


def _asked(drill: Drill) -> list[Asked]:
    rows = Notification.objects.filter(incident=drill.incident_id, reason__in=TOLD, clock__in=CLOCKS)
    seen = _seen(drill)
    return [
        _one(one, seen.get(one.person_id))
        for one in rows.select_related("timer").with_deliveries().order_by("created_at", "id")
    ]


def _seen(drill: Drill) -> dict[int, Event]:
    """Who said so by another way than the link of their message: on a screen, "I'll take it"."""
    events = Event.objects.filter(incident=drill.incident_id, kind=EventKind.SEEN, by__isnull=False)
    return {event.by_id or 0: event for event in events.order_by("-at", "-id")}


def _one(one: Notification, seen: Event | None) -> Asked:
    answered: list[tuple[datetime, str]] = []
    if one.answered_at is not None:
        answered.append((one.answered_at, one.answer))
    if seen is not None:
        answered.append((max(seen.at, one.created_at), "took_it" if seen.data.get("would_take") else "seen"))
    at, answer = min(answered, default=(None, ""))
    if any(what == "took_it" for _at, what in answered):
        answer = "took_it"
    step: Any = one.timer.step if one.timer is not None else one.data.get("step", 0)
    return Asked(
        person_id=one.person_id,
        name=one.person.name,
        role=one.role,
        clock=one.clock,
        step=step,
        told_at=one.created_at,
        answered_at=at,
        answer=answer,
        has_mobile=bool(one.person.mobile),
        instead_of=str(one.data.get("instead_of", "")),
        ways=[_way(delivery, one.person) for delivery in one.deliveries.all()],
    )


def _way(delivery: Delivery, person: Person) -> Way:
    is_sms = delivery.channel == Channel.SMS
    verified_at = person.mobile_verified_at if is_sms else person.email_verified_at
    return Way(
        channel=delivery.channel,
        state=delivery.state,
        address=delivery.address,
        is_verified=verified_at is not None,
        arrived_at=delivery.delivered_at or delivery.sent_at,
        error=delivery.error,
    )
