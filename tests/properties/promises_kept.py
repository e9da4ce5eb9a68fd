"""The rules for promises: whatever becomes of one, somebody is asked in time, once, and not after its end."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

from django.db import connection

from tests.properties import numbers
from tests.properties.model import Model

ALWAYS = """
    SELECT 'Rule 1: nobody will be asked about', p.subject FROM countermeasures_promise p
    WHERE p.outcome = 'open' AND NOT p.is_unread AND p.kind <> 'waiting'
      AND NOT EXISTS (SELECT 1 FROM escalation_chase c WHERE c.promise_id = p.id AND c.state = 'armed')
    UNION ALL
    SELECT 'Rule 1: the next question is too far away about', p.subject
    FROM escalation_chase c JOIN countermeasures_promise p ON p.id = c.promise_id
    WHERE c.state = 'armed' AND NOT p.is_unread
      AND coalesce(c.planned_at, c.due_at) > greatest(p.due_at + %(morning)s, %(now)s + %(gap)s)
    UNION ALL
    SELECT 'Rule 2: somebody was asked, or got the question, after its end, about', p.subject
    FROM escalation_notification n
    JOIN countermeasures_promise p ON p.id = (n.data ->> 'promise')::bigint
    LEFT JOIN escalation_delivery d ON d.notification_id = n.id
    WHERE n.reason = 'promise' AND (n.created_at > p.ended_at OR d.sent_at > p.ended_at)
    UNION ALL
    SELECT 'Rule 3: one person was asked twice at once about', n.data ->> 'promise'
    FROM escalation_notification n WHERE n.reason = 'promise'
    GROUP BY n.data ->> 'promise', n.person_id, n.created_at HAVING count(*) > 1
    UNION ALL
    SELECT 'Rule 4: a question was dropped that still stands, about', p.subject
    FROM escalation_notification n
    JOIN countermeasures_promise p ON p.id = (n.data ->> 'promise')::bigint
    JOIN escalation_delivery d ON d.notification_id = n.id
    WHERE n.reason = 'promise' AND d.state = 'dropped' AND p.outcome = 'open' AND p.chased_from < n.created_at
    UNION ALL
    SELECT 'Rule 6: several questions were asked at once about', p.subject
    FROM escalation_chase c JOIN countermeasures_promise p ON p.id = c.promise_id
    WHERE c.fired_at IS NOT NULL GROUP BY p.subject, c.fired_at HAVING count(*) > 1
"""
"""What is wrong at any moment. What an incident waits on is asked about by the incident's own clock."""

AFTER_A_TURN = """
    SELECT 'Rule 1: the engine has turned, and nobody was asked about', p.subject
    FROM escalation_chase c JOIN countermeasures_promise p ON p.id = c.promise_id
    WHERE c.state = 'armed' AND c.due_at <= %(now)s
"""

OPEN = """
    SELECT id, incident_id, kind, due_on FROM countermeasures_promise
    WHERE outcome = 'open' AND kind <> 'waiting'
"""


class PromisesKept:
    """Beside the rules for incidents."""

    model: Model
    now: datetime
    is_quiet: bool

    def promises_are_asked_about(self) -> None:
        sql = f"{ALWAYS} UNION ALL {AFTER_A_TURN}" if self.is_quiet else ALWAYS
        asked: dict[str, Any] = {
            "now": self.now,
            "morning": numbers.MORNING,
            "gap": numbers.LONGEST_CHASE_GAP,
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, asked)
            wrong = [f"{what} {subject}" for what, subject in cursor.fetchall()]
        assert not wrong, wrong

    def what_is_owed_is_promised(self, read: set[int]) -> None:
        """Of the incidents that the engine has read: one open promise for each thing owed, for its day."""
        promised: dict[int, Counter[str]] = defaultdict(Counter)
        for pk, incident, kind, due_on in self._open_promises():
            promised[incident][kind] += 1
            day: date | None = self.model.days.get(pk)
            assert day in (None, due_on), f"Promise {pk} ({kind}) was agreed for {day}, but is for {due_on}"
        for incident in read:
            thing = self.model.things[incident]
            assert promised[incident] == thing.owes, (
                f"Rule 1: INC-{thing.number} owes {dict(thing.owes)}, but open is {dict(promised[incident])}"
            )

    def _open_promises(self) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(OPEN)
            return cursor.fetchall()
