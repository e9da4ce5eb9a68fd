"""Containing failures: one bad row is set aside and looked at later; the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, Self, TypeVar

from django.db import connection, transaction

from escalation.engine import subjects

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=60)
"""A bad row is tried again after 5, 10, 20, 40 seconds, then every minute: mended, it goes on by itself."""


class Sum(Protocol):
    """What a piece of work did; pieces add up."""

    def __add__(self, other: Self, /) -> Self: ...


T = TypeVar("T", bound=Sum)


def batch(sql: str, now: datetime, limit: int, work: Callable[[Sequence[int]], T], nothing: T) -> T:
    """Lock up to `limit` incidents and do the work for them in one transaction.

    When it fails, the batch is halved until the bad row stands alone, and that one is set aside. A lost
    database is not a row's fault: that is raised, and the next tick starts anew.
    """
    ids: list[int] = []
    try:
        with transaction.atomic():
            ids = subjects.lock(sql, now, limit)
            return work(ids) if ids else nothing
    except Exception:
        if not ids or not connection.is_usable():
            raise
        logger.warning("A batch of %s incidents failed and is halved.", len(ids), exc_info=True)
    return _halved(ids, now, work, nothing)


def _halved(ids: Sequence[int], now: datetime, work: Callable[[Sequence[int]], T], total: T) -> T:
    middle = len(ids) // 2
    for half in filter(None, (ids[:middle], ids[middle:])):
        try:
            with transaction.atomic():
                locked = subjects.lock_these(half)
                total = total + work(locked) if locked else total
        except Exception:
            if not connection.is_usable():
                raise
            if len(half) > 1:
                total = _halved(half, now, work, total)
            else:
                logger.exception("The engine cannot work on incident %s; it is set aside.", half[0])
                set_aside(half[0], now)
    return total


def set_aside(incident_id: int, now: datetime) -> None:
    """Leave this incident alone for a while, longer each time. Reading it well takes the mark away."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM incidents_incident WHERE id = %s FOR UPDATE", [incident_id])
        cursor.execute(
            """
            INSERT INTO escalation_unread AS u (incident_id, not_before, failures)
            VALUES (%(id)s, %(first)s, 1)
            ON CONFLICT (incident_id) DO UPDATE SET
                failures = u.failures + 1,
                not_before = %(now)s
                    + least(%(pause)s * power(2, least(u.failures, 10)), %(longest)s) * interval '1 second'
            """,
            {
                "id": incident_id,
                "now": now,
                "first": now + FIRST_PAUSE,
                "pause": FIRST_PAUSE.total_seconds(),
                "longest": LONGEST_PAUSE.total_seconds(),
            },
        )
