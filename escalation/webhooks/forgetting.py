"""What rooms and programs were given is kept for a while, then forgotten: the timeline has it for good."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from escalation import watch

EVERY = timedelta(days=1)

BATCH = 5_000
"""Rows of one statement: nobody who posts waits for it."""

MOST = 100
"""Batches of one night; a longer past is forgotten in several."""


def forget_old(now: datetime) -> int:
    """Once a day: remove posts that ended `POSTS_KEPT_DAYS` ago. Returns how many. What still waits stays."""
    if not watch.is_time_for("forget posts", now, every=EVERY):
        return 0
    before = now - timedelta(days=settings.POSTS_KEPT_DAYS)
    total = 0
    for _unused in range(MOST):
        gone = _forget_some(before)
        total += gone
        if gone < BATCH:
            break
    return total


def _forget_some(before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM escalation_post WHERE id IN (
                SELECT id FROM escalation_post
                WHERE queued_at < %s AND state IN ('sent', 'failed', 'dropped') ORDER BY id LIMIT %s
            )
            """,
            [before, BATCH],
        )
        return int(cursor.rowcount)
