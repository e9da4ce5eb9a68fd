"""The practice of last week: everybody was asked, and not everybody answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from escalation import answering
from escalation.demo.cast import Cast
from escalation.drills import plan, running
from escalation.models import Drill, Notification
from incidents.models import Severity
from opsdesk.errors import Refused

AREA = "MBK-ASM"
SILENT = frozenset({"brandt", "prewitt"})
"""Who did not look at their phone that morning."""

TURN = timedelta(seconds=25)
LONG_AGO = timedelta(days=1)


def practice(cast: Cast, *, now: datetime) -> Iterator[datetime]:
    """At the last planned moment before yesterday, or the next hour at which nothing real was in the way."""
    area = next(line.area for line in (s.line for s in cast.stations.values()) if line.area.code == AREA)
    kept = plan.plan_of(area.site, now)
    slot = plan.last_slot(kept, now - LONG_AGO)
    drill: Drill | None = None
    for at in plan.tries(kept, slot):
        yield at
        try:
            drill = running.start(area.site, by=None, severity=Severity.S1, area=area, now=at)
            break
        except Refused:
            continue
    while drill is not None and drill.ended_at is None:
        at += TURN
        yield at
        _answer(drill, at)
        running.step(drill.pk, now=at)
        drill = Drill.objects.get(pk=drill.pk)


def _answer(drill: Drill, at: datetime) -> None:
    """Whoever was asked presses the button after one to three turns, but for the silent ones."""
    waiting = Notification.objects.filter(incident=drill.incident_id, answered_at=None, wants_answer=True)
    for one in waiting.exclude(person__username__in=SILENT).order_by("pk"):
        if one.created_at <= at - TURN * (1 + one.person_id % 3):
            answering.answer(one.token, now=at - timedelta(seconds=one.person_id * 7 % 20))
