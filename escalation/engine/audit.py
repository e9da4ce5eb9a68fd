"""Rule 1 looked after: an open incident that waits for nothing is found, mended and reported within a minute.

It should never find one: every change notes itself, and every firing arms the next step. So it is loud.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction

from escalation import watch
from escalation.engine import subjects

logger = logging.getLogger(__name__)

EVERY = timedelta(seconds=30)

SILENT = """
    SELECT i.id FROM incidents_incident i
    WHERE i.status <> 'closed'
      AND NOT EXISTS (SELECT 1 FROM escalation_timer t WHERE t.incident_id = i.id AND t.state = 'armed')
      AND NOT EXISTS (SELECT 1 FROM escalation_unread u WHERE u.incident_id = i.id)
    LIMIT 500
"""


def mend_silent(now: datetime) -> int:
    """Have silent incidents read again; returns how many there were. One process looks, every 30 s."""
    if not watch.is_time_for("audit", now, every=EVERY):
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SILENT)
            silent = [row[0] for row in cursor.fetchall()]
        subjects.mark_unread(subjects.lock_these(silent))
    if silent:
        logger.error("Open incidents without an armed timer, planned anew: %s", silent)
    return len(silent)
