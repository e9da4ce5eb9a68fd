"""What the checks of the demo plant ask for, and why a manager accepts a weak countermeasure there."""

from __future__ import annotations

from datetime import timedelta

from countermeasures.exposure import place_of, unit_of
from countermeasures.models import SHIFT_STARTS, Countermeasure, Strength
from escalation.demo.story import Fix
from incidents.models import Incident
from plant.working_time import PlantHours


def exposure_of(fix: Fix, incident: Incident) -> tuple[int, str]:
    """What the target names, never more than the story's time has had; else a shift start every other day."""
    times, unit = fix.exposure
    if times is None:
        return max(1, fix.window_days // 2), SHIFT_STARTS
    unit = unit_of(unit)
    if unit != SHIFT_STARTS or fix.placed_at is None or fix.checked_at is None:
        return times, unit
    hours = PlantHours.at(fix.placed_at + timedelta(days=1))
    had = len(hours.shift_starts(place_of(incident), fix.placed_at, fix.checked_at))
    return max(1, min(times, had)), unit


def why_weak(found: Countermeasure) -> str:
    if found.strength == Strength.TRAIN:
        return "A start while we look for something that stops it by itself."
    return "It warns weeks before anything stops, and two people get the warning."
