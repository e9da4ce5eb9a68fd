"""Dates that a countermeasure was promised for before the one that stands now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import F

from countermeasures.models import Countermeasure
from countermeasures.promises import rules
from countermeasures.promises.models import Outcome, PromiseChange, PromiseKind

SHOWN = 3
"""Dates that fit on a card; the page of the countermeasure has all."""


@dataclass(frozen=True, slots=True)
class Slips:
    """The newest few, oldest first, and why it was moved the last time."""

    days: list[date] = field(default_factory=list)
    why: str = ""


def slips_of(found: Iterable[Countermeasure]) -> dict[int, Slips]:
    """By countermeasure; only those whose day was moved. One query, none for nothing.

    The incident and its site must be loaded.
    """
    zones = {one.pk: one.incident.site.tz for one in found if one.due_on is not None}
    if not zones:
        return {}
    changes = (
        PromiseChange.objects.filter(
            promise__countermeasure__in=zones, promise__kind=PromiseKind.FIX, promise__outcome=Outcome.OPEN
        )
        .exclude(was_due_at=F("due_at"))
        .order_by("at", "pk")
        .values_list("promise__countermeasure", "was_due_at", "reason")
    )
    slips: dict[int, Slips] = {}
    for pk, was_due_at, reason in changes:
        before = slips.get(pk, Slips()).days
        slips[pk] = Slips([*before, rules.day_that_ends(was_due_at, zones[pk])][-SHOWN:], reason)
    return slips
