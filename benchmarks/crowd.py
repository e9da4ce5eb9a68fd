"""A database that has seen years: incidents written by PostgreSQL itself, and timers due at one instant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

COLUMNS = """
    number, version, title, words, technical, category_id, impact, severity, flow, is_drill, site_id, area_id,
    line_id, station_id, status, owner_id, raised_by_id, noticed_at, raised_at, clocks_from, acknowledged_at,
    contained_at, closed_at, closed_cause, closed_agreed_by_id, reopen_count, missed_updates, waiting_on,
    waiting_name, shelved_reason, no_fix_reason
"""

PLACES = """
JOIN (SELECT id, line_id, name, row_number() OVER (ORDER BY id) AS place FROM plant_station) AS s
    ON s.place = n %% (SELECT count(*) FROM plant_station) + 1
JOIN plant_line l ON l.id = s.line_id
JOIN plant_area a ON a.id = l.area_id
JOIN (SELECT id, name, row_number() OVER (ORDER BY id) AS place FROM incidents_category) AS c
    ON c.place = n %% (SELECT count(*) FROM incidents_category) + 1
CROSS JOIN (
    SELECT min(id) FILTER (WHERE username = 'vela') AS owner,
           min(id) FILTER (WHERE username = 'cruz') AS raiser
    FROM plant_person
) AS p
"""

CLOSED = f"""
INSERT INTO incidents_incident ({COLUMNS})
SELECT
    nextval('incident_number'), 3, c.name || ': ' || s.name, 'It does not work since today, case ' || n,
    '', c.id, (ARRAY['stopped', 'at_risk', 'workaround', 'none'])[k.level], 'S' || k.level, l.flow, false,
    a.site_id, a.id, l.id, s.id, 'closed', p.owner, p.raiser, k.at, k.at, k.at, k.at + interval '5 min',
    k.at + interval '35 min', k.at + interval '50 min', 'A plug was loose.', p.raiser, 0, 0, '', '', '', ''
FROM generate_series(%(before)s + 1, %(before)s + %(count)s) AS n
CROSS JOIN LATERAL (
    SELECT now() - (n * interval '9 min') AS at,
           CASE WHEN n %% 20 < 1 THEN 1 WHEN n %% 20 < 4 THEN 2 WHEN n %% 20 < 14 THEN 3 ELSE 4 END AS level
) AS k
{PLACES}
"""

EVENTS = """
INSERT INTO incidents_event (incident_id, at, by_id, kind, version, words, data)
SELECT i.id, v.at, v.by, v.kind, v.version, '', '{}'
FROM incidents_incident i
CROSS JOIN LATERAL (VALUES
    (i.raised_at, i.raised_by_id, 'raised', 1),
    (i.acknowledged_at, i.owner_id, 'acknowledged', 2),
    (i.closed_at, i.owner_id, 'closed', 3)
) AS v (at, by, kind, version)
WHERE i.number > %(above)s
"""

WAITING = f"""
INSERT INTO incidents_incident ({COLUMNS})
SELECT
    nextval('incident_number'), 1, 'Label ribbon ran out: ' || s.name, 'It prints blank labels.', '', c.id,
    'at_risk', 'S2', l.flow, false, a.site_id, a.id, l.id, s.id, 'contained', p.owner, p.raiser,
    %(at)s, %(at)s, %(at)s, %(at)s, %(at)s, NULL, '', NULL, 0, 0, '', '', '', ''
FROM generate_series(1, %(count)s) AS n
{PLACES}
"""

RUNS = """
INSERT INTO escalation_run (incident_id, policy_id, incident_version)
SELECT id, p.policy, version FROM incidents_incident
CROSS JOIN (
    SELECT id AS policy FROM escalation_policy
    WHERE severity = 'S2' AND is_current AND site_id IS NULL AND area_id IS NULL AND category_id IS NULL
) AS p
WHERE number > %(above)s
"""

ARMED = """
INSERT INTO escalation_timer (
    incident_id, clock, epoch, severity, step, first_step, round, due_at, state, armed_at, goes_up_from
)
SELECT id, 'closure', clocks_from, severity, 0, 0, 0, %(due_at)s, 'armed', clocks_from, ''
FROM incidents_incident WHERE number > %(above)s
"""

REMINDER_AFTER = timedelta(hours=24)
"""The closure clock of S2: the IT manager, by email (`engine.tell_one_by_email`)."""

BELONGINGS = ("notification", "timer", "run", "unread")


class Crowd:
    """The rows that a benchmark adds; those after `mark` are taken away again."""

    mark = 0
    closed = 0


def closed_incidents(count: int) -> None:
    """Bring the closed incidents to `count`, with their timelines, one every nine minutes back from now.

    They stay.
    """
    above = _last_number()
    with connection.cursor() as cursor:
        cursor.execute(CLOSED, {"count": count - Crowd.closed, "before": Crowd.closed})
        cursor.execute(EVENTS, {"above": above})
        cursor.execute("TRUNCATE escalation_unposted")  # no chat room hears now of what was years ago
        cursor.execute("VACUUM ANALYZE")
    Crowd.closed, Crowd.mark = count, _last_number()


def waiting_incidents(count: int, *, due_at: datetime) -> None:
    """`count` open S2 incidents whose next reminder is due at one instant; the engine is to read them."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"count": count, "at": due_at - REMINDER_AFTER})


@contextmanager
def armed_incidents(count: int, *, due_at: datetime) -> Iterator[None]:
    """`count` more open incidents, read long ago, whose next timers are armed and not due; then they go."""
    before, above = Crowd.mark, _last_number()
    waiting_incidents(count, due_at=due_at)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM escalation_unread")
        cursor.execute(RUNS, {"above": above})
        cursor.execute(ARMED, {"due_at": due_at, "above": above})
        cursor.execute("VACUUM ANALYZE")
    Crowd.mark = _last_number()
    try:
        yield
    finally:
        Crowd.mark = before
        forget_newest()


def forget_newest() -> None:
    """Remove what came after `closed_incidents` with all that belongs to it: runs start from one state."""
    gone = "SELECT id FROM incidents_incident WHERE number > %s"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE incidents_event DISABLE TRIGGER USER")
        cursor.execute(
            "DELETE FROM escalation_delivery USING escalation_notification n"
            f" WHERE notification_id = n.id AND n.incident_id IN ({gone})",
            [Crowd.mark],
        )
        for table in ("escalation_unposted", "escalation_post"):  # the demo plant has a room that hears all
            cursor.execute(
                f"DELETE FROM {table} USING incidents_event e"
                f" WHERE event_id = e.id AND e.incident_id IN ({gone})",
                [Crowd.mark],
            )
        tables = [f"escalation_{name}" for name in BELONGINGS]
        for table in (*tables, "incidents_event", "incidents_downtime"):
            cursor.execute(f"DELETE FROM {table} WHERE incident_id IN ({gone})", [Crowd.mark])
        cursor.execute("DELETE FROM incidents_incident WHERE number > %s", [Crowd.mark])
        # a thousand raised in a minute are a storm, in which the next bench's messages would go as one
        cursor.execute("UPDATE escalation_storm SET ended_at = now() WHERE ended_at IS NULL")
        cursor.execute("ALTER TABLE incidents_event ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


def _last_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(number) FROM incidents_incident")
        return int(cursor.fetchone()[0] or 0)
