"""The measurement log: what was seen while a fix is being proved, written down once and never changed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.exposure import counted
from countermeasures.lifecycle.moves import refuse, tell
from countermeasures.models import Countermeasure, Kind, Measurement, Stage
from incidents.permissions import Action, can, refuse_unless
from opsdesk.errors import Refused
from plant.models import Person


@transaction.atomic
def log_measurement(
    pk: int,
    *,
    by: Person,
    value: Decimal | None = None,
    unit: str = "",
    times: int | None = None,
    note: str = "",
    at: datetime | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Measurement:
    """Write down what was measured, how often it was tried since the last time, or what was seen.

    ``times`` counts towards the window when its unit is counted by hand. ``at``: now, unless it was earlier.
    """
    found = Countermeasure.objects.locked(pk)
    if not (by == found.owner or can(by, Action.CHECK, found.incident)):
        refuse_unless(by, Action.PLAN, found.incident)
    refuse_unless(by, Action.ADD_WORDS, found.incident)
    found.incident.refuse_if_stale(seen_version)
    now = now or timezone.now()
    at = at or now
    note, times = note.strip(), times or 0
    _refuse_unmeasurable(found)
    if not found.incident.raised_at <= at <= now:
        refuse("at", "bad_time", _("That time is in the future, or before the problem was raised."))
    if value is None and not times and not note:
        refuse("value", "empty", _("Write the number, how often it was tried, or what you saw."))
    logged = Measurement.objects.create(
        countermeasure=found,
        at=at,
        value=value,
        unit=unit.strip(),
        times=times,
        note=note,
        by=by,
        created_at=now,
    )
    _count_by_hand(found, now)
    data = {"measurement": logged.pk, "value": logged.number, "unit": logged.unit, "times": times}
    tell(found, by=by, now=now, did="measured", words=str(logged) if logged.number else note, data=data)
    return logged


def _refuse_unmeasurable(found: Countermeasure) -> None:
    if not found.is_pursued:
        raise Refused("wrong_status", _("%(code)s is closed.") % {"code": found.incident.code})
    if found.kind == Kind.CONTAINMENT:
        raise Refused("not_proved", _("A bandage is not proved, so nothing is measured for it."))
    if found.stage in (Stage.WITHDRAWN, Stage.EFFECTIVE):
        raise Refused("too_late", _("The proof is over. What is seen now belongs to the problem itself."))


def _count_by_hand(found: Countermeasure, now: datetime) -> None:
    if found.stage == Stage.CHECKING and not found.is_counted_from_shifts:
        found.exposed = counted(found, now)
        found.save(update_fields=["exposed"])
