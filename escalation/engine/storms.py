"""Storms: an area where so much is raised at once that people get one message that lists it.

They are looked for when something was raised, and every half a minute it is asked whether they are over; an
idle turn costs nothing. When they begin and end is decided in `outbox.load`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import connection
from django.db.models import Count

from escalation.models import Storm
from escalation.models.storms import STORM_WITHIN
from escalation.outbox.load import STORM_AFTER, STORM_CALM, is_over
from incidents.models import Incident

logger = logging.getLogger(__name__)

NEWEST = 50
"""Incidents looked at to know whether it is over: 21 of them crowd somewhere within ten minutes."""


def begin(now: datetime) -> None:
    """Asked when something was raised. Two engines at once open one storm: the database keeps it to that."""
    _contained(_begin, now)


def end(now: datetime) -> None:
    """Asked now and then."""
    _contained(_end, now)


def _contained(work: Callable[[datetime], None], now: datetime) -> None:
    """Trouble here delays nobody's message."""
    try:
        work(now)
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("Whether there is a storm could not be found out.")


def _begin(now: datetime) -> None:
    """Practice is no storm."""
    recent = Incident.objects.filter(raised_at__gt=now - STORM_WITHIN, raised_at__lte=now, is_drill=False)
    crowded = (
        recent.order_by()
        .values("site_id", "area_id")
        .annotate(raised=Count("pk"))
        .filter(raised__gt=STORM_AFTER)
        .values_list("site_id", "area_id")
    )
    new = [Storm(site_id=site_id, area_id=area_id, began_at=now) for site_id, area_id in crowded]
    if new:
        Storm.objects.bulk_create(new, ignore_conflicts=True)


def _end(now: datetime) -> None:
    for storm in Storm.objects.on().order_by("pk"):
        if is_over(_raised(storm, now), now):
            Storm.objects.filter(pk=storm.pk, ended_at=None).update(ended_at=now)


def _raised(storm: Storm, now: datetime) -> list[datetime]:
    """When the newest of its place were raised, newest first."""
    here = Incident.objects.filter(site=storm.site, area=storm.area, is_drill=False)
    recent = here.filter(raised_at__gt=now - STORM_WITHIN - STORM_CALM, raised_at__lte=now)
    return list(recent.order_by("-raised_at").values_list("raised_at", flat=True)[:NEWEST])
