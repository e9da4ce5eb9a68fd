"""The figures of a proof in words, "61 of 90 days · 41 of 60 shift starts", and why something came back."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from countermeasures.models import SHIFT_STARTS, Countermeasure
from incidents.models import Event, EventKind


def held_for(one: Countermeasure, now: datetime) -> str:
    """How far it is proved: days, and beside them the exposure where one was planned."""
    days = _("%(days)s of %(window)s days") % {"days": one.days_proved(now), "window": one.window_days}
    if one.window_exposure is None:
        return days
    times = _("%(times)s of %(window)s %(unit)s") % {
        "times": one.times_held,
        "window": one.window_exposure,
        "unit": unit_words(one.exposure_unit),
    }
    return f"{days} · {times}"


def unit_words(unit: str) -> str:
    """What is counted, in the reader's language; empty is shift starts."""
    return _("shift starts") if unit in ("", SHIFT_STARTS) else unit


def words_of(event: Event) -> str:
    """What somebody wrote; that a fix did not hold, which nobody wrote, is said in the reader's language."""
    if event.kind == EventKind.REOPENED and "failed_fix" in event.data:
        return _("The fix did not hold: %(what)s") % {"what": event.data["failed_fix"]}
    return event.words
