"""The figures beside the navigation: incidents, and what is open of countermeasures and promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest

from incidents import context as incidents

_COUNTERMEASURES = """
    SELECT FROM countermeasures_countermeasure one JOIN incidents_incident i ON i.id = one.incident_id
    WHERE i.site_id = %(site)s AND NOT i.is_drill AND i.status <> 'closed' AND removed_at IS NULL
      AND stage IN ('planned', 'in_work', 'not_effective', 'in_place', 'checking')
      AND NOT (stage = 'not_effective' AND EXISTS (
          SELECT FROM countermeasures_countermeasure next
          WHERE next.incident_id = one.incident_id AND next.kind = one.kind AND next.id > one.id
            AND next.stage NOT IN ('withdrawn', 'not_effective')))
"""


class Counts(incidents.Counts):
    """Adds what the board and the ledger call open, at the site that they open with."""

    ROWS: ClassVar[Mapping[str, str]] = {
        **incidents.Counts.ROWS,
        "countermeasures": _COUNTERMEASURES,
        "promises": "SELECT FROM countermeasures_promise WHERE outcome = 'open' AND site_id = %(site)s",
    }

    @property
    def countermeasures(self) -> int:
        return self._figures["countermeasures"]

    @property
    def promises(self) -> int:
        return self._figures["promises"]


def counts(request: HttpRequest) -> dict[str, Any]:
    return incidents.counts_of(request, Counts)
