"""The figures beside the navigation, asked for only by a page that shows them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from incidents.models import Incident, IncidentQuerySet, Severity, Status
from plant.models import Person

MOST = 99
"""Counting stops one after this: a figure beside the navigation never costs more than a few rows."""


class Counts:
    """Open incidents of the person's sites: all, their own, and what presses at the site they work at.

    All figures of the side bar are one query; apps above add theirs to it (`asked`).
    """

    def __init__(self, person: Person):
        self._person = person

    def asked(self) -> dict[str, QuerySet[Any]]:
        """What is counted, by the name of its figure."""
        return {"open": self._open(), "urgent": self._urgent(), "mine": self._mine()}

    @cached_property
    def _figures(self) -> dict[str, int]:
        """Keys are read up to the limit and not counted: a subquery may then stop early."""
        keys = {
            f"{name}_ids": ArraySubquery(rows.values("pk")[: MOST + 1]) for name, rows in self.asked().items()
        }
        found = Person.objects.filter(pk=self._person.pk).values(**keys).get()
        return {name.removesuffix("_ids"): len(ids or ()) for name, ids in found.items()}

    @property
    def open(self) -> int:
        return self._figures["open"]

    @property
    def urgent(self) -> int:
        return self._figures["urgent"]

    @cached_property
    def mine(self) -> int:
        """The only figure of the floor's rail: asked alone where the side bar is not drawn."""
        known = vars(self).get("_figures")
        return known["mine"] if known else self._mine()[: MOST + 1].count()

    def _open(self) -> IncidentQuerySet:
        return Incident.objects.open().visible_to(self._person).filter(is_drill=False).order_by()

    def _urgent(self) -> IncidentQuerySet:
        """S1 and S2 that do not move, at the site that their dashboard opens with."""
        urgent = self._open().filter(severity__in=(Severity.S1, Severity.S2))
        if self._person.site is not None:
            urgent = urgent.at_site(self._person.site)
        return urgent.exclude(status__in=(Status.CONTAINED, Status.RESOLVED))

    def _mine(self) -> IncidentQuerySet:
        return self._open().owned_by(self._person)


def counts_of(request: HttpRequest, kind: type[Counts]) -> dict[str, Any]:
    """For a context processor: nothing is read before a template shows it."""
    user = getattr(request, "user", None)
    return {"counts": kind(user)} if isinstance(user, Person) else {}
