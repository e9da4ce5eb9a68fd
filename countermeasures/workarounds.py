"""What worked last time: how product was kept moving in the same family, and what always helps a system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from countermeasures.models import Countermeasure, Kind, Stage
from incidents import families
from incidents.families import Family
from incidents.models import Incident
from plant.models import System

MOST = 3
"""Workarounds offered: somebody stands at the line and reads them."""

LOOK_BACK = timedelta(days=730)
A_DAY = timedelta(days=1)
"""What came back within this was not kept moving by its bandage; later, something else failed."""

LOOKED_AT = 60
"""Bandages of the family looked at, newest first; the same words count together."""


@dataclass(slots=True)
class Workaround:
    """`times` it got product moving, last for `incident` `after` so long; a system's own has neither."""

    what: str
    system: System | None = None
    incident: Incident | None = None
    at: datetime | None = None
    after: timedelta | None = None
    times: int = 0

    @property
    def is_standing(self) -> bool:
        return self.system is not None


def known(
    family: Family | None, systems: Iterable[System] = (), *, now: datetime, besides: Incident | None = None
) -> list[Workaround]:
    """What worked before in the family, newest first, then the standing workarounds of these systems.

    A bandage worked when it went on, product moved, and the incident did not come back within a day.
    One query; none without a family.
    """
    worked: dict[str, Workaround] = {}
    for bandage in _that_held(family, now, besides) if family is not None else ():
        key = bandage.what.strip().rstrip(".").casefold()
        last = worked.setdefault(key, _of(bandage))
        last.times += 1
    standing = [Workaround(system.workaround, system=system) for system in systems if system.workaround]
    return [*list(worked.values())[:MOST], *standing[:MOST]]


def of_incident(incident: Incident, *, now: datetime) -> list[Workaround]:
    """For an incident that stands still: its family's, and those of its system or else of its station."""
    from_station = incident.station.systems.all() if incident.station else ()
    systems = [incident.system] if incident.system else from_station
    return known(families.of(incident), systems, now=now, besides=incident)


def _that_held(family: Family, now: datetime, besides: Incident | None) -> Iterable[Countermeasure]:
    came_back_on_it = Q(
        incident__reopened_at__gte=F("in_place_at"), incident__reopened_at__lt=F("in_place_at") + A_DAY
    )
    return (
        Countermeasure.objects.filter(
            kind=Kind.CONTAINMENT,
            stage__in=(Stage.IN_PLACE, Stage.EFFECTIVE),
            in_place_at__gte=now - LOOK_BACK,
            incident__in=family.incidents(),
        )
        .exclude(came_back_on_it)
        .exclude(incident=besides)
        .select_related("incident")
        .order_by("-in_place_at")[:LOOKED_AT]
    )


def _of(bandage: Countermeasure) -> Workaround:
    started = bandage.incident.raised_at
    return Workaround(
        what=bandage.what,
        incident=bandage.incident,
        at=bandage.in_place_at,
        after=bandage.in_place_at - started if bandage.in_place_at else None,
    )
