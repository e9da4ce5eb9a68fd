"""Reads what the database has of a run, in plain SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from chaos.account import Delivery, Incident, Notification, Rows, Told

INCIDENTS = """
    SELECT i.id, i.number, i.client_id::text, i.severity, i.impact, extract(epoch FROM i.raised_at)::float8,
           extract(epoch FROM (SELECT min(e.at) FROM incidents_event e
                               WHERE e.incident_id = i.id AND e.kind IN ('acknowledged', 'closed')))::float8
    FROM incidents_incident i WHERE i.client_id = ANY(%(clients)s::uuid[]) ORDER BY i.id
"""
TOLD = """
    SELECT e.incident_id, e.data->>'clock', (e.data->>'step')::int, coalesce((e.data->>'round')::int, 0),
           extract(epoch FROM e.at)::float8
    FROM incidents_event e WHERE e.kind = 'told' AND e.incident_id = ANY(%(ids)s) AND e.data ? 'step'
"""
TAKEN = """
    SELECT DISTINCT i.number FROM incidents_event e JOIN incidents_incident i ON i.id = e.incident_id
    WHERE e.kind = 'acknowledged' AND e.incident_id = ANY(%(ids)s)
"""
NOTIFICATIONS = """
    SELECT id, incident_id, person_id, reason, clock, (data->>'step')::int, (data->>'round')::int, token,
           is_urgent, extract(epoch FROM due_at)::float8, extract(epoch FROM created_at)::float8
    FROM escalation_notification WHERE extract(epoch FROM created_at) >= %(began)s ORDER BY id
"""
DELIVERIES = """
    SELECT d.id, d.notification_id, d.channel, d.state, d.bundled_into_id, d.attempt,
           extract(epoch FROM d.queued_at)::float8, extract(epoch FROM d.not_before)::float8,
           extract(epoch FROM d.sent_at)::float8
    FROM escalation_delivery d JOIN escalation_notification n ON n.id = d.notification_id
    WHERE extract(epoch FROM n.created_at) >= %(began)s ORDER BY d.id
"""
SILENT = """
    SELECT i.number FROM incidents_incident i
    WHERE i.status <> 'closed' AND i.id = ANY(%(ids)s)
      AND NOT EXISTS (SELECT 1 FROM escalation_timer t WHERE t.incident_id = i.id AND t.state = 'armed')
"""
OVERDUE = """
    SELECT count(*) FROM escalation_timer
    WHERE state = 'armed' AND incident_id = ANY(%(ids)s) AND extract(epoch FROM due_at) <= %(end)s
"""
WAIT_FOR_WORK = """
    SELECT DISTINCT incident_id FROM escalation_timer WHERE waits_for <> '' AND incident_id = ANY(%(ids)s)
"""

BUSY = """
    SELECT (SELECT count(*) FROM escalation_unread WHERE failures > 0)
         + (SELECT count(*) FROM escalation_timer WHERE state = 'armed' AND due_at <= %(before)s)
         + (SELECT count(*) FROM escalation_delivery
            WHERE state = 'sending' AND queued_at <= %(before)s
               OR state = 'queued' AND (attempt > 0 OR not_before <= %(before)s))
"""
"""What should have been done by now. What is held back to go with others is not in it."""

HELD = "SELECT count(*) FROM escalation_delivery WHERE state = 'queued'"


def busy(before: datetime) -> int:
    """What was due before this moment and still waits."""
    return int(_ask(BUSY, before=before)[0][0])


def held() -> int:
    """Messages that are held back."""
    return int(_ask(HELD)[0][0])


def read(clients: Iterable[str], *, began: float, end: float) -> Rows:
    incidents = [Incident(*row) for row in _ask(INCIDENTS, clients=list(clients))]
    known: dict[str, Any] = {"ids": [one.id for one in incidents], "began": began, "end": end}
    return Rows(
        incidents=incidents,
        told=[Told(*row) for row in _ask(TOLD, **known)],
        taken={row[0] for row in _ask(TAKEN, **known)},
        notifications=[Notification(*row) for row in _ask(NOTIFICATIONS, **known)],
        deliveries=[Delivery(*row) for row in _ask(DELIVERIES, **known)],
        silent=[row[0] for row in _ask(SILENT, **known)],
        overdue=int(_ask(OVERDUE, **known)[0][0]),
        wait_for_work={row[0] for row in _ask(WAIT_FOR_WORK, **known)},
    )


def _ask(sql: str, **asked: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked or None)
        return cursor.fetchall()
