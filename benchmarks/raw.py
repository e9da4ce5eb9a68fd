"""The raw limit: PostgreSQL alone writes the rows that a firing writes, in batches of the same size.

No rule is asked and nobody is looked up. What the engine reaches of it is the price of deciding.
"""

from __future__ import annotations

import time
from datetime import datetime

from django.db import connection, transaction

from escalation.engine.fire import BATCH

LOCK = """
    SELECT i.id FROM escalation_timer t JOIN incidents_incident i ON i.id = t.incident_id
    WHERE t.state = 'armed' AND t.due_at <= %s ORDER BY t.due_at LIMIT %s FOR UPDATE OF i SKIP LOCKED
"""

FIRE = """
    WITH fired AS (
        UPDATE escalation_timer SET state = 'fired', fired_at = %(now)s
        WHERE state = 'armed' AND incident_id = ANY(%(ids)s) RETURNING *
    ), told AS (
        INSERT INTO escalation_notification (incident_id, person_id, timer_id, reason, key, token, clock,
            role, is_urgent, wants_answer, due_at, created_at, note, data, answered_by_channel, answer)
        SELECT incident_id, (SELECT min(id) FROM plant_person), id, 'step', 'raw:' || id,
            upper(substr(md5(id::text), 1, 10)), clock, 'it_manager', false, false, due_at, %(now)s, '',
            '{"step": 0, "round": 0, "severity": "S2"}', '', ''
        FROM fired RETURNING id
    ), queued AS (
        INSERT INTO escalation_delivery (notification_id, channel, address, language, rank, state, attempt,
            provider, provider_ref, queued_at, not_before, lease_by, error, subject, text, html)
        SELECT id, 'email', 'somebody@example.com', 'en', 2, 'queued', 0, '', '', %(now)s, %(now)s, '', '',
            '', '', ''
        FROM told
    ), said AS (
        INSERT INTO incidents_event (incident_id, at, kind, version, words, data)
        SELECT incident_id, %(now)s, 'told', 1, '',
            '{"clock": "closure", "step": 0, "round": 0, "people": []}'
        FROM fired
    )
    INSERT INTO escalation_timer (incident_id, clock, epoch, severity, step, first_step, round, due_at, state,
        armed_at, goes_up_from)
    SELECT incident_id, clock, epoch, severity, step, first_step, round + 1, due_at + interval '1 day',
        'armed', %(now)s, ''
    FROM fired
"""


def seconds_to_write(count: int, due_at: datetime) -> float:
    """Write the rows of `count` firings due by that moment; undone afterwards by whoever armed them."""
    started = time.perf_counter()
    written = 0
    while written < count:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK, [due_at, BATCH])
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                raise RuntimeError(f"Only {written} of {count} timers were due.")
            cursor.execute(FIRE, {"now": due_at, "ids": ids})
            written += len(ids)
    return time.perf_counter() - started
