"""An incident among its like: the one it repeats, and those that came after it."""

from __future__ import annotations

from dataclasses import dataclass

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
    repeats = list(incident.repeats.meant().with_place().order_by("-raised_at")[:MOST])
    old = incident.repeat_of_id and Incident.objects.with_place().get(pk=incident.repeat_of_id)
    if not repeats and not old and incident.times_again is None:
        return None
    return Linked(family.get_absolute_url(), old or None, repeats)
