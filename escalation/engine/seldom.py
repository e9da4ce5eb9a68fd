"""One look at what waits seldom, so that an idle turn asks about all of it in a single statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from escalation.chasing.rules import AUDIT, AUDITED_EVERY
from escalation.models import TimerState


@dataclass(frozen=True, slots=True)
class Waits:
    """`repeats` are to be weighed; `promises` to be planned or asked about, or looked through."""

    repeats: bool
    promises: bool


def look(now: datetime) -> Waits:
    """Each is answered by a partial index, or by the few rows there are. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                    SELECT 1 FROM incidents_unweighedrepeat WHERE not_before IS NULL OR not_before <= %(now)s
                ),
                EXISTS (SELECT 1 FROM countermeasures_promise WHERE is_unread)
                OR EXISTS (SELECT 1 FROM escalation_chase WHERE state = %(armed)s AND due_at <= %(now)s)
                OR NOT EXISTS (
                    SELECT 1 FROM escalation_heartbeat WHERE name = %(audit)s AND at > %(audited)s
                )
            """,
            {"now": now, "armed": TimerState.ARMED, "audit": AUDIT, "audited": now - AUDITED_EVERY},
        )
        repeats, promises = cursor.fetchone()
    return Waits(repeats=repeats, promises=promises)
