"""How often a fix was really tried: shift starts from the plant's patterns and calendar, or what was counted.

A quiet month proves nothing when the line stood still. So a window is days *and* exposure (domain §3). Shift
starts are counted into a column every few minutes (ADR 0095), because boards show hundreds of them; a
sign-off and a repeat count anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext_noop

from countermeasures.models import SHIFT_STARTS, Countermeasure, Measurement, Stage
from incidents.models import Incident
from plant.models import Area, Site
from plant.rotation import ONE_DAY
from plant.working_time import PlantHours

ALSO_SHIFT_STARTS = frozenset(
    {
        "",
        SHIFT_STARTS,
        "shift start",
        "shifts",
        "shift",
        "inicios de turno",
        "inicio de turno",
        "turnos",
        "turno",
    }
)
"""Words by which people name what is counted from the shift patterns."""

gettext_noop("shift starts")


def unit_of(words: str) -> str:
    """The unit as it is kept: one name for shift starts, anything else as it was written."""
    words = words.strip()
    return SHIFT_STARTS if words.casefold() in ALSO_SHIFT_STARTS else words


def counted(found: Countermeasure, at: datetime, hours: PlantHours | None = None) -> int:
    """The exposure since it is being proved, up to a moment, counted now.

    ``hours`` must have been read for the time since then; without them they are read (seven queries).
    """
    if found.checking_from is None or found.window_exposure is None or at < found.checking_from:
        return 0
    if not found.is_counted_from_shifts:
        return Measurement.objects.while_proving(found, at).aggregate(n=Sum("times"))["n"] or 0
    hours = hours or PlantHours.at(found.checking_from + ONE_DAY)
    return len(hours.shift_starts(place_of(found.incident), found.checking_from, at))


def is_being_proved(found: Countermeasure, at: datetime) -> bool:
    """Whether that moment lies inside the window in which it must hold; a repeat then proves it wrong."""
    if found.stage != Stage.CHECKING or found.checking_from is None or at < found.checking_from:
        return False
    if found.days_proved(at) < (found.window_days or 0):
        return True  # without counting: most repeats come early
    return not found.is_window_over(at, exposed=counted(found, at))


def place_of(incident: Incident) -> Area | Site:
    """Whose shifts count: those of the area, and of the whole site where no area is known."""
    return incident.area or incident.site


def count_shift_starts(now: datetime) -> int:
    """Bring the column up to date for everything that is being proved; returns how many changed.

    Nine queries and one for each different count. What moved on meanwhile is left alone.
    """
    proving = list(
        Countermeasure.objects.filter(
            stage=Stage.CHECKING, window_exposure__isnull=False, exposure_unit=SHIFT_STARTS
        )
        .select_related("incident__area__site", "incident__site")
        .only("exposed", "checking_from", "incident__area", "incident__site")
    )
    starts = _starts_of_each_place(proving, now)
    changed: defaultdict[int, list[int]] = defaultdict(list)
    for found in proving:
        assert found.checking_from is not None  # the database keeps it so
        moments = starts[place_of(found.incident)]
        exposed = len(moments) - bisect_right(moments, found.checking_from)
        if exposed != found.exposed:
            changed[exposed].append(found.pk)
    for exposed, pks in changed.items():
        Countermeasure.objects.filter(pk__in=pks, stage=Stage.CHECKING).update(exposed=exposed)
    return sum(map(len, changed.values()))


def _starts_of_each_place(proving: list[Countermeasure], now: datetime) -> dict[Area | Site, list[datetime]]:
    since: dict[Area | Site, datetime] = {}
    for found in proving:
        assert found.checking_from is not None
        place = place_of(found.incident)
        since[place] = min(found.checking_from, since.get(place, found.checking_from))
    if not since:
        return {}
    hours = PlantHours.at(min(since.values()) + ONE_DAY)
    return {place: hours.shift_starts(place, earliest, now) for place, earliest in since.items()}
