"""Silence is not ownership: what nobody says a word about goes back to everybody (domain §4)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.lifecycle.moves import move
from incidents.lifecycle.working import WORKED_ON
from incidents.models import EventKind, Incident, Status
from opsdesk.errors import Refused

MISSED = 2
"""Words missed in a row after which the acknowledgement lapses (domain §4)."""


@transaction.atomic
def lapse(number: int | str, *, now: datetime | None = None) -> Incident:
    """Its owner missed two words in a row: nobody has it any more, and the response clock starts again.

    The system does this when the clock for it has run out; no person can. The event keeps who had it and
    since when nothing was said. Refused (`not_owned`) unless somebody has it and product is not moving: what
    is contained or resolved does not lapse, since product moves and only its proof is owed.
    """
    incident = Incident.objects.locked(number)
    if incident.status not in WORKED_ON or incident.owner is None:
        raise Refused("not_owned", _("Nobody has %(code)s to lose it.") % {"code": incident.code})
    now = now or timezone.now()
    return move(
        incident,
        to=Status.RAISED,
        kind=EventKind.LAPSED,
        by=None,
        now=now,
        data={
            "had": incident.owner.name,
            "had_id": incident.owner.pk,
            "silent_since": _silent_since(incident).isoformat(),
        },
        owner=None,
        assigned_to=None,
        acknowledged_at=None,
        arrived_at=None,
        next_update_due=None,
        missed_updates=MISSED,
        clocks_from=now,
    )


def _silent_since(incident: Incident) -> datetime:
    """The last word about it, or when its owner took it, or it came back to them."""
    last = incident.updates.order_by("-at").values_list("at", flat=True).first()
    return max(filter(None, [last, incident.acknowledged_at, incident.reopened_at]))
