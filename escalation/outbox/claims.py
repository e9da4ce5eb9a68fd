"""Who may send a message: whoever claimed it, until its lease ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

LEASE = timedelta(seconds=90)
"""How long a sender may hold what it claimed."""

SENDERS_PER_CHANNEL = 2
"""Senders at work on one channel over all machines: a provider that hangs cannot occupy every worker."""

_SLOTS = {"sms": 11_001, "email": 11_002, "push": 11_004, "chat": 11_005, "webhooks": 11_006}
_OTHER_CHANNEL = 11_003


def claim(channel: str, *, limit: int, now: datetime) -> list[int]:
    """Take up to `limit` queued messages, most urgent first; nobody else gets them while the lease lasts."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE escalation_delivery AS d
            SET state = 'sending', attempt = d.attempt + 1, lease_until = %s, lease_by = me.name
            FROM (
                SELECT pid || ' ' || extract(epoch FROM backend_start) AS name
                FROM pg_stat_activity WHERE pid = pg_backend_pid()
            ) AS me
            WHERE d.id IN (
                SELECT id FROM escalation_delivery
                WHERE state = 'queued' AND channel = %s AND not_before <= %s
                ORDER BY rank, not_before, id LIMIT %s FOR UPDATE SKIP LOCKED
            )
            RETURNING d.id
            """,
            [now + LEASE, channel, now, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def take_back_expired(now: datetime) -> int:
    """Queue again what a dead sender left in the middle: its lease ended, or its database session is gone.

    A sender holds its session while it sends, so that a killed one is noticed within a second. (Behind a
    pooler that shares sessions a lease could be taken from the living: then a message goes twice.)
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM escalation_delivery WHERE state = 'sending' LIMIT 1")
        if cursor.fetchone() is None:
            return 0
        cursor.execute(
            """
            UPDATE escalation_delivery
            SET state = 'queued', lease_until = NULL, lease_by = '', not_before = least(not_before, %(now)s)
            WHERE state = 'sending' AND (lease_until <= %(now)s OR lease_by NOT IN (
                SELECT pid || ' ' || extract(epoch FROM backend_start)
                FROM pg_stat_activity WHERE pid IS NOT NULL AND backend_start IS NOT NULL
            ))
            """,
            {"now": now},
        )
        return cursor.rowcount


def release(ids: Sequence[int], *, not_before: datetime) -> None:
    """Give back what this session claimed and did not try; not what somebody else has claimed since."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE escalation_delivery
            SET state = 'queued', lease_until = NULL, lease_by = '',
                attempt = greatest(attempt - 1, 0), not_before = %s
            WHERE id = ANY(%s) AND state = 'sending' AND lease_by = (
                SELECT pid || ' ' || extract(epoch FROM backend_start)
                FROM pg_stat_activity WHERE pid = pg_backend_pid()
            )
            """,
            [not_before, list(ids)],
        )


@contextmanager
def slot(channel: str) -> Iterator[bool]:
    """One of the few places to send from on this channel; False when all are taken."""
    group = _SLOTS.get(channel, _OTHER_CHANNEL)
    with connection.cursor() as cursor:
        for number in range(SENDERS_PER_CHANNEL):
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [group, number])
            if cursor.fetchone()[0]:
                break
        else:
            yield False
            return
    try:
        yield True
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [group, number])
