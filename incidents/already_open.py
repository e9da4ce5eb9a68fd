"""What is open already where somebody is about to raise: is it this one? (domain §2)

Wider than a family, which also decides what counts as a repeat: at the station nobody knows yet which system
it is, so what names one is offered there too, and so is the same trouble elsewhere on the line.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Case, Q, Value, When

from incidents.models import Category, Incident
from plant.models import Line, Site, Station, System

MOST = 2
"""Offered at most: whoever reads them stands in front of a line that does not run."""


def open_there(
    category: Category,
    *,
    site: Site,
    station: Station | None = None,
    line: Line | None = None,
    systems: Iterable[System] = (),
) -> list[Incident]:
    """Open ones of this category: those of the station first, then of these systems at the site, then of the
    line, the newest first. One query."""
    line = station.line if station else line
    here, of_system = Q(station=station) if station else Q(pk__in=[]), Q(system__in=list(systems))
    on_line = Q(line=line) if line else Q(pk__in=[])
    near = Case(When(here, then=Value(0)), When(of_system, then=Value(1)), default=Value(2))
    found = Incident.objects.open().filter(here | of_system | on_line, site=site, category=category)
    return list(found.filter(is_drill=False).with_place().order_by(near, "-raised_at", "-pk")[:MOST])
