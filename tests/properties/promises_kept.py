"""Rule 1 for promises: whatever becomes of them, somebody will be asked. Read as rows, like the others."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

SILENT = """
    SELECT p.subject FROM countermeasures_promise p
    WHERE p.outcome = 'open' AND NOT p.is_unread AND p.kind <> 'waiting'
      AND NOT EXISTS (SELECT 1 FROM escalation_chase c WHERE c.promise_id = p.id AND c.state = 'armed')
"""
"""What an incident waits on is asked about by the incident's own clock."""

NOT_ASKED = """
    SELECT p.subject FROM escalation_chase c JOIN countermeasures_promise p ON p.id = c.promise_id
    WHERE c.state = 'armed' AND c.due_at <= %s
"""


class PromisesKept:
    """Beside the rules for incidents."""

    now: datetime
    is_quiet: bool

    def rule_1_no_promise_is_silent(self) -> None:
        """Each open promise has its next question at every moment, and after a turn none is overdue."""
        assert not (silent := _subjects(SILENT)), f"Rule 1: nobody will be asked about {silent}"
        if self.is_quiet:
            late = _subjects(NOT_ASKED, self.now)
            assert not late, f"Rule 1: the engine has turned, and nobody was asked about {late}"


def _subjects(sql: str, *parameters: datetime) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]
