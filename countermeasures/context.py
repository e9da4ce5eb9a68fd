"""The figures beside the navigation: incidents, and what is open of countermeasures and promises."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from countermeasures.board import still_needed
from countermeasures.models import Promise
from incidents import context as incidents
from plant.models import Person


class Counts(incidents.Counts):
    """Adds what the board and the ledger call open, at the site that they open with."""

    def asked(self) -> dict[str, QuerySet[Any]]:
        return {**super().asked(), "countermeasures": self._countermeasures(), "promises": self._promises()}

    @property
    def countermeasures(self) -> int:
        return self._figures["countermeasures"]

    @property
    def promises(self) -> int:
        return self._figures["promises"]

    def _countermeasures(self) -> QuerySet[Any]:
        return still_needed(self._person.site) if self._person.site else Person.objects.none()

    def _promises(self) -> QuerySet[Any]:
        return Promise.objects.open().filter(site=self._person.site_id).order_by()


def counts(request: HttpRequest) -> dict[str, Any]:
    return incidents.counts_of(request, Counts)
