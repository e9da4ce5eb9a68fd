"""What is known of a family: how often, what was tried, what held, and why it happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from countermeasures.models import Cause, Countermeasure, Kind, Stage
from incidents.families import Family, HowOften
from incidents.models import Incident

MOST = 50
"""Incidents read of a family, the newest first: what is older says little about now."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Something that was done against it. `came_again`: the first of the family raised while it was in."""

    countermeasure: Countermeasure
    came_again: Incident | None

    @property
    def held(self) -> bool:
        """Proved, and nothing came after it."""
        return self.countermeasure.stage == Stage.EFFECTIVE and self.came_again is None

    @property
    def is_in_question(self) -> bool:
        """It was signed off or its window is over, and yet the same came again."""
        is_in = self.countermeasure.stage in (Stage.CHECKING, Stage.EFFECTIVE)
        return is_in and self.came_again is not None


@dataclass(frozen=True, slots=True)
class History:
    """The newest incidents of a family with their causes, and all that was done so that it stays fixed."""

    family: Family
    how_often: HowOften
    incidents: list[Incident]
    has_more: bool
    causes: list[Cause]
    tried: list[Tried]

    @property
    def held(self) -> list[Tried]:
        return [one for one in self.tried if one.held]


def history(family: Family, *, now: datetime) -> History:
    """Four queries, however long the history. What a reader may see is asked before."""
    newest = family.incidents().with_place().order_by("-raised_at", "-pk")[: MOST + 1]
    found = list(newest)
    shown = found[:MOST]
    causes = Cause.objects.filter(incident__in=shown).select_related("written_by")
    return History(
        family=family,
        how_often=family.how_often(now),
        incidents=shown,
        has_more=len(found) > MOST,
        causes=_with_incident(causes, shown),
        tried=_tried(shown),
    )


def _with_incident(causes: Iterable[Cause], shown: Sequence[Incident]) -> list[Cause]:
    """Newest first; a sentence with which a small thing was closed is a cause too."""
    written = {cause.incident_id: cause for cause in causes}
    found = []
    for incident in shown:
        cause = written.get(incident.pk) or Cause(root_cause=incident.closed_cause)
        cause.incident = incident
        if cause.root_cause or cause.escape_cause:
            found.append(cause)
    return found


def _tried(shown: Sequence[Incident]) -> list[Tried]:
    by_pk = {incident.pk: incident for incident in shown}
    fixes = Countermeasure.objects.exclude(kind=Kind.CONTAINMENT).filter(incident__in=shown)
    tried = []
    for fix in fixes.with_people().order_by("-created_at", "-pk"):
        fix.incident = by_pk[fix.incident_id]
        tried.append(Tried(fix, _came_again(fix, shown)))
    return tried


def _came_again(fix: Countermeasure, shown: Sequence[Incident]) -> Incident | None:
    """The first other one of the family that was raised once the fix was in."""
    since = fix.in_place_at
    if since is None:
        return None
    after = [one for one in shown if one.pk != fix.incident_id and one.raised_at >= since]
    return min(after, key=lambda one: one.raised_at, default=None)
