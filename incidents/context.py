"""The figures beside the navigation, asked for only by a page that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import connection
from django.http import HttpRequest
from django.utils.functional import cached_property

from plant.models import Person

MOST = 99
"""Counting stops one after this: a figure beside the navigation never costs more than a few rows."""

_OPEN = """
    SELECT FROM incidents_incident
    WHERE status <> 'closed' AND NOT is_drill AND (%(sees_all)s OR site_id = ANY(%(sites)s))
"""


class Counts:
    """Open incidents of the person's sites: all, their own, and what presses at the site they work at.

    All figures of the side bar are one query, in plain SQL: every page asks it, and putting the same together
    from querysets costs a page more than the answer. Apps above add theirs to it (`ROWS`).
    """

    ROWS: ClassVar[Mapping[str, str]] = {
        "open": _OPEN,
        # S1 and S2 that do not move, at the site that their dashboard opens with
        "urgent": f"{_OPEN} AND severity IN ('S1', 'S2') AND status NOT IN ('contained', 'resolved')"
        " AND (%(site)s IS NULL OR site_id = %(site)s)",
        "mine": f"{_OPEN} AND (owner_id = %(person)s OR assigned_to_id = %(person)s)",
    }
    """What is counted, by the name of its figure."""

    def __init__(self, person: Person):
        self._person = person

    @cached_property
    def _figures(self) -> dict[str, int]:
        return self._count(*self.ROWS)

    @property
    def open(self) -> int:
        return self._figures["open"]

    @property
    def urgent(self) -> int:
        return self._figures["urgent"]

    @cached_property
    def mine(self) -> int:
        """The only figure of the floor's rail: asked alone where the side bar is not drawn."""
        return (vars(self).get("_figures") or self._count("mine"))["mine"]

    def _count(self, *names: str) -> dict[str, int]:
        counted = ", ".join(
            f"(SELECT count(*) FROM ({self.ROWS[name]} LIMIT {MOST + 1}) AS found)"  # noqa: S608 - our own
            for name in names
        )
        person = self._person
        about = {
            "person": person.pk,
            "site": person.site_id,
            "sites": list(person.site_ids),
            "sees_all": person.is_corporate,
        }
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {counted}", about)
            return dict(zip(names, cursor.fetchone(), strict=True))


def counts_of(request: HttpRequest, kind: type[Counts]) -> dict[str, Any]:
    """For a context processor: nothing is read before a template shows it."""
    user = getattr(request, "user", None)
    return {"counts": kind(user)} if isinstance(user, Person) else {}
