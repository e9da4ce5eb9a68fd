"""The figures beside the navigation, asked for only by a page that shows them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import cached_property

from incidents.models import Incident, IncidentQuerySet, Severity, Status
from plant.models import Person

MOST = 99
"""Counting stops here: a figure beside the navigation never costs more than a few rows."""


class Counts:
    """Open incidents of the person's sites: all, their own, and what presses at the site they work at."""

    def __init__(self, person: Person):
        self._person = person

    def _open(self) -> IncidentQuerySet:
        return Incident.objects.open().visible_to(self._person).filter(is_drill=False)

    @cached_property
    def open(self) -> int:
        return self._open()[:MOST].count()

    @cached_property
    def urgent(self) -> int:
        """S1 and S2 that do not move, at the site that their dashboard opens with."""
        urgent = self._open().filter(severity__in=(Severity.S1, Severity.S2))
        if self._person.site is not None:
            urgent = urgent.at_site(self._person.site)
        return urgent.exclude(status__in=(Status.CONTAINED, Status.RESOLVED))[:MOST].count()

    @cached_property
    def mine(self) -> int:
        return self._open().owned_by(self._person)[:MOST].count()


def counts(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    return {"counts": Counts(user)} if isinstance(user, Person) else {}
