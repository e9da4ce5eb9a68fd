"""Which queues have something to do now, so that nobody is woken for nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from escalation.models import Rank

WAITING = """
    SELECT way.name FROM unnest(%(channels)s::text[]) AS way(name)
    WHERE EXISTS (
        SELECT 1 FROM unnest(%(ranks)s::int[]) AS line(rank) CROSS JOIN LATERAL (
            SELECT 1 FROM escalation_delivery d
            WHERE d.state = 'queued' AND d.channel = way.name AND d.rank = line.rank
              AND d.not_before <= %(now)s LIMIT 1
        ) AS first
    ) OR EXISTS (
        SELECT 1 FROM escalation_delivery d WHERE d.channel = way.name AND d.receipt_due_at <= %(now)s
    )
    UNION ALL
    SELECT way.name FROM unnest(%(listeners)s::text[]) AS way(name)
    WHERE EXISTS (
        SELECT 1 FROM escalation_listener l
        WHERE l.kind = way.name AND l.is_active AND (
            EXISTS (SELECT 1 FROM escalation_unposted)
            OR (l.paused_until IS NULL OR l.paused_until <= %(now)s) AND EXISTS (
                SELECT 1 FROM escalation_post p
                WHERE p.listener_id = l.id AND p.state = 'queued' AND p.not_before <= %(now)s
            )
        )
    )
"""


def queues_with_work(now: datetime) -> list[str]:
    """Channels with messages or receipts that are due, and listeners with posts. One query, by indexes."""
    asked: dict[str, Any] = {
        "now": now,
        "channels": list(settings.CHANNELS),
        "listeners": list(settings.LISTENERS),
        "ranks": [rank.value for rank in Rank],
    }
    with connection.cursor() as cursor:
        cursor.execute(WAITING, asked)
        return [row[0] for row in cursor.fetchall()]
