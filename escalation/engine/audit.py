"""Rule 1 looked after: an open incident that waits for nothing is found, mended and reported within a minute.

It should never find one: every change notes itself, and every firing arms the next step. So it is loud: what
it finds becomes an incident of its own (`engine.own_trouble`). Mending does not depend on that.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from escalation import watch
from escalation.engine import own_trouble, storms, subjects
from escalation.engine.own_trouble import Trouble

logger = logging.getLogger(__name__)

EVERY = timedelta(seconds=30)

SILENT = """
    SELECT i.id FROM incidents_incident i
    WHERE i.status <> 'closed' AND (%(ids)s::bigint[] IS NULL OR i.id = ANY(%(ids)s))
      AND NOT EXISTS (SELECT 1 FROM escalation_timer t WHERE t.incident_id = i.id AND t.state = 'armed')
      AND NOT EXISTS (SELECT 1 FROM escalation_unread u WHERE u.incident_id = i.id)
    LIMIT 500
"""

SET_ASIDE = """
    SELECT u.incident_id FROM escalation_unread u
    WHERE u.failures >= %(often)s OR (u.failures > 0 AND (
        EXISTS (SELECT 1 FROM escalation_timer t
                WHERE t.incident_id = u.incident_id AND t.state = 'armed' AND t.due_at <= %(waits_since)s)
        OR EXISTS (SELECT 1 FROM escalation_notification n
                   WHERE n.incident_id = u.incident_id AND n.ask_again_at <= %(waits_since)s)))
    ORDER BY u.id LIMIT 500
"""
"""What cannot be read, and what can be read but not fired: that counts anew at every reading."""

OFTEN = 3
"""Failures in a row after which an incident that the engine sets aside is reported: the third comes 15 s
after the first, so that with a look every 30 s somebody hears of it within a minute."""

WAITS = timedelta(seconds=15)
"""The same for a step that fails again and again: so long after it was due."""


NAMED = 20
"""Incidents that a line of the log names; their number says how many there were."""


def mend_silent(now: datetime) -> int:
    """Have silent incidents read again and say so; returns how many. One process looks, every 30 s.

    What the engine cannot work on is no better than silent: it is said too, though only people can mend it.
    """
    if not watch.is_time_for("audit", now, every=EVERY):
        return 0
    storms.end(now)
    silent = _mend(now)
    if silent:
        logger.error(
            "%s open incidents without an armed timer, planned anew: %s", len(silent), silent[:NAMED]
        )
    own_trouble.try_to_report(
        Trouble.SET_ASIDE, _ids(SET_ASIDE, {"often": OFTEN, "waits_since": now - WAITS}), now
    )
    return len(silent)


@transaction.atomic
def _mend(now: datetime) -> list[int]:
    """Mended and said in one transaction: whoever dies in between has done neither, the next look does."""
    found = _ids(SILENT, {"ids": None})
    if not found:
        return []
    silent = _ids(SILENT, {"ids": subjects.lock_these(found)})  # what was locked may have changed before
    subjects.mark_unread(silent)
    own_trouble.try_to_report(Trouble.SILENT, silent, now)
    return silent


def _ids(sql: str, parameters: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]
