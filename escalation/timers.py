"""Timer rows as the rules see them."""

from __future__ import annotations

from datetime import datetime

from escalation.models import Timer, TimerQuerySet
from escalation.situation import FiredStep, WantedTimer


def as_fired(timer: Timer, *, at: datetime | None = None) -> FiredStep:
    return FiredStep(
        clock=timer.clock,
        epoch=timer.epoch,
        severity=timer.severity,
        step=timer.step,
        round=timer.round,
        due_at=timer.due_at,
        fired_at=at or timer.fired_at or timer.due_at,
        waited=timer.planned_at is not None,
    )


def as_wanted(timer: Timer) -> WantedTimer:
    return WantedTimer(
        clock=timer.clock,
        epoch=timer.epoch,
        severity=timer.severity,
        step=timer.step,
        round=timer.round,
        first_step=timer.first_step,
        due_at=timer.due_at,
        planned_at=timer.planned_at,
        waits_for=timer.waits_for,
    )


def bring_next_forward(timer: Timer, *, why: str, at: datetime) -> bool:
    """Make the very next level of this clock due then, if it would come later. Later ones keep their time.

    `at`: now, or when the pause ends that holds it back.
    """
    following = next_level(timer).armed().filter(round=0, due_at__gt=at)
    return bool(following.update(due_at=at, planned_at=None, waits_for="", goes_up_from=why))


def next_level(timer: Timer) -> TimerQuerySet:
    """The level above this one on the same ladder, whether it is still to come or was told."""
    return Timer.objects.filter(
        incident_id=timer.incident_id,
        clock=timer.clock,
        epoch=timer.epoch,
        severity=timer.severity,
        first_step__lte=timer.step + 1,
        step__gt=timer.step,
    )
