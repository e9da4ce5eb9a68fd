"""An incident among its like: the one it repeats, those that came after it, and where else it may happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from countermeasures.models import Countermeasure, Stage
from countermeasures.where_else import Progress, progress_of
from incidents import families
from incidents.models import Incident

MOST = 3


@dataclass(frozen=True, slots=True)
class Linked:
    """`repeats`: raised after it, as repeats of it, newest first."""

    url: str
    repeat_of: Incident | None
    repeats: list[Incident]


def linked(incident: Incident) -> Linked | None:
    """None where it is the first of its kind and nothing came after it. Two queries at most."""
    family = families.of(incident)
    if family is None or incident.is_drill:
        return None
    repeats = list(incident.repeats.meant().with_title().order_by("-raised_at")[:MOST])
    old = incident.repeat_of_id and Incident.objects.with_title().get(pk=incident.repeat_of_id)
    if not repeats and not old and incident.times_again is None:
        return None
    return Linked(family.get_absolute_url(), old or None, repeats)


def where_else_of(countermeasures: Sequence[Countermeasure]) -> list[tuple[Countermeasure, Progress]]:
    """Those of an incident that other stations are asked about, with how far that is.

    What did not hold here is asked about nowhere else, unless somebody is to do it, or did it there.
    """
    asked = [one for one in countermeasures if one.stage != Stage.WITHDRAWN]
    progress = progress_of(asked)
    return [
        (one, progress[one.pk])
        for one in asked
        if one.pk in progress and (one.stage != Stage.NOT_EFFECTIVE or progress[one.pk].is_begun)
    ]
