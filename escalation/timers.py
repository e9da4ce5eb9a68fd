"""Timer rows as the rules see them."""

from __future__ import annotations

from datetime import datetime

from escalation.models import Timer
from escalation.rules import FiredStep, WantedTimer


def as_fired(timer: Timer, *, at: datetime | None = None) -> FiredStep:
    return FiredStep(
        clock=timer.clock,
        epoch=timer.epoch,
        severity=timer.severity,
        step=timer.step,
        round=timer.round,
        due_at=timer.due_at,
        fired_at=at or timer.fired_at or timer.due_at,
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
    )
