"""Dates that a countermeasure was promised for before the one that stands now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.utils.dateparse import parse_date

from countermeasures.models import Countermeasure
from incidents.models import Event, EventKind

SHOWN = 3
"""Dates that fit on a card; the page of the countermeasure has all."""


@dataclass(frozen=True, slots=True)
class Slips:
    """The newest few, oldest first, and why it was moved the last time."""

    days: list[date] = field(default_factory=list)
    why: str = ""


def slips_of(found: Iterable[Countermeasure]) -> dict[int, Slips]:
    """By countermeasure; only those whose day was moved. One query, none for nothing."""
    known = {one.pk: one.incident_id for one in found if one.due_on is not None}
    if not known:
        return {}
    events = Event.objects.filter(
        incident_id__in=set(known.values()),
        kind=EventKind.COUNTERMEASURE,
        data__did="promised",
        data__changed__has_key="due_on",
    ).order_by("at", "pk")
    slips: dict[int, Slips] = {}
    for event in events:
        pk, was = event.data["countermeasure"], event.data["changed"]["due_on"][0]
        day = parse_date(was) if was else None
        if pk in known and day:
            days = slips[pk].days if pk in slips else []
            slips[pk] = Slips([*days, day][-SHOWN:], event.words)
    return slips
