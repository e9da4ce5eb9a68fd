"""Posts: made from events once, claimed with a lease, one listener at a time.

One sender at a time serves a listener, so that it hears things in their order; a listener that does not
answer is left alone for a while, so that it holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction

from escalation.models import Listener, Notification, Post, Unposted
from escalation.webhooks.hears import hears
from incidents.models import Event

LEASE = timedelta(seconds=60)

BATCH = 500
"""Events turned into posts in one transaction."""

_LOCK = 11_020


@transaction.atomic
def spread(now: datetime) -> int:
    """Give new events to whoever hears them. Returns how many events were looked at.

    The note that an event is new goes in the same transaction: it is given once, and a crash gives it later.
    """
    rows = Unposted.objects.select_for_update(skip_locked=True).order_by("pk")[:BATCH]
    ids = [row.pk for row in rows]
    if not ids:
        return 0
    listeners = list(Listener.objects.active())
    events = list(Event.objects.filter(pk__in=ids).select_related("incident").order_by("pk"))
    told = _roles_told(listeners, events)
    posts = [
        Post(listener=listener, event=event, queued_at=now, not_before=now)
        for event in events
        for listener in listeners
        if hears(listener, event, told.get(event.incident_id, ()))
    ]
    Post.objects.bulk_create(posts, ignore_conflicts=True)
    Unposted.objects.filter(pk__in=ids).delete()
    return len(ids)


def _roles_told(listeners: Iterable[Listener], events: Iterable[Event]) -> dict[int, set[str]]:
    """By incident: which of the roles that anybody listens for were told of it. One query, or none."""
    found: dict[int, set[str]] = {}
    roles = {role for listener in listeners for role in listener.roles}
    if not roles:
        return found
    about = {event.incident_id for event in events}
    rows = Notification.objects.filter(incident__in=about, role__in=roles).order_by()
    for incident_id, role in rows.values_list("incident_id", "role").distinct():
        found.setdefault(incident_id, set()).add(role)
    return found


@transaction.atomic
def claim(kind: str, *, limit: int, now: datetime) -> list[int]:
    """Up to `limit` posts of one listener, oldest first: of the one that waits longest and nobody serves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(
            """
            UPDATE escalation_post AS p
            SET state = 'sending', attempt = p.attempt + 1, lease_until = %(until)s
            WHERE p.id IN (
                SELECT q.id FROM escalation_post q WHERE q.state = 'queued' AND q.not_before <= %(now)s
                  AND q.listener_id = (
                    SELECT l.id FROM escalation_listener l
                    JOIN LATERAL (
                        SELECT w.id FROM escalation_post w
                        WHERE w.listener_id = l.id AND w.state = 'queued' AND w.not_before <= %(now)s
                        ORDER BY w.id LIMIT 1
                    ) AS oldest ON true
                    WHERE l.kind = %(kind)s AND l.is_active
                      AND (l.paused_until IS NULL OR l.paused_until <= %(now)s)
                      AND NOT EXISTS (SELECT 1 FROM escalation_post s
                                      WHERE s.listener_id = l.id AND s.state = 'sending')
                    ORDER BY oldest.id LIMIT 1
                  )
                ORDER BY q.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            RETURNING p.id
            """,
            {"until": now + LEASE, "now": now, "kind": kind, "limit": limit},
        )
        return sorted(row[0] for row in cursor.fetchall())


def release(ids: list[int]) -> None:
    """Give back what was claimed and not tried."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE escalation_post
            SET state = 'queued', lease_until = NULL, attempt = greatest(attempt - 1, 0)
            WHERE id = ANY(%s) AND state = 'sending'
            """,
            [ids],
        )


def take_back_expired(now: datetime) -> int:
    """Queue again what a dead sender left in the middle."""
    return Post.objects.lease_expired(now).update(state="queued", lease_until=None)
