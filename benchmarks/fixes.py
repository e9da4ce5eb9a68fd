"""Years of countermeasures and their promises: most are over long ago, and what a plant has open now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice

from django.db import connection
from django.utils import timezone

from benchmarks import crowd
from countermeasures.models import Countermeasure, Kind, Stage
from incidents.models import Incident
from plant.models import Person

OPEN_INCIDENTS = 600
OPEN_EACH = 5
BATCH = 5000
SEEN = "Seen at the station"

PROMISES = """
INSERT INTO countermeasures_promise (
    kind, subject, incident_id, countermeasure_id, site_id, area_id, what, person_id, given_to_id, given_at,
    first_due_at, due_at, due_on, moved, slipped, outcome, ended_at, in_the_way, in_the_way_words,
    chased_from, is_unread
)
SELECT
    k.kind, k.kind || ':' || c.id, i.id, c.id, i.site_id, i.area_id, c.what, p.id, c.checker_id,
    d.due_at - interval '20 days', d.due_at - k.moved * interval '7 days', d.due_at, d.due_at::date, k.moved,
    false, k.outcome, k.ended_at, k.in_the_way, '', d.due_at - interval '20 days', false
FROM countermeasures_countermeasure c
JOIN incidents_incident i ON i.id = c.incident_id
JOIN (
    SELECT id, site_id, row_number() OVER (PARTITION BY site_id ORDER BY id) - 1 AS place,
           count(*) OVER (PARTITION BY site_id) AS people
    FROM plant_person
) AS p ON p.site_id = i.site_id AND p.place = c.id %% p.people
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN c.kind = 'containment' THEN 'bandage' WHEN c.stage = 'checking' THEN 'check' ELSE 'fix' END
            AS kind,
        coalesce(c.removed_at, c.checked_at) AS ended_at,
        CASE WHEN coalesce(c.removed_at, c.checked_at) IS NULL THEN 'open' WHEN c.id %% 9 = 0 THEN 'late'
            WHEN c.id %% 4 = 0 THEN 'kept_by_agreement' ELSE 'kept' END AS outcome,
        CASE WHEN c.id %% 4 = 0 THEN 1 ELSE 0 END AS moved,
        CASE WHEN c.id %% 4 = 0 THEN (ARRAY['part', 'vendor', 'window', 'urgent'])[c.id / 4 %% 4 + 1]
            ELSE '' END AS in_the_way
) AS k
CROSS JOIN LATERAL (
    SELECT coalesce(
        k.ended_at + (c.id %% 9 - 1) * interval '1 day', c.due_on, c.expires_on,
        c.in_place_at + interval '60 days'
    ) AS due_at
) AS d
WHERE c.id > %(mark)s AND c.stage <> 'planned'
"""
"""One promise each, of the people of the site in turn; what was only agreed on is not promised yet."""

CHASES = """
INSERT INTO escalation_chase (promise_id, epoch, step, round, due_at, waits_for, state, armed_at)
SELECT p.id, p.chased_from, 0, 0, now() + interval '20 hours', '', 'armed', now()
FROM countermeasures_promise p JOIN countermeasures_countermeasure c ON c.id = p.countermeasure_id
WHERE c.id > %(mark)s AND p.outcome = 'open'
"""
"""The engine finds nothing to plan or to ask while pages are measured."""


class Fixes:
    """The last row that was there before; None until the crowd of countermeasures is there."""

    mark: int | None = None


def there_are(count: int) -> None:
    """Add `count` countermeasures with their promises once: 3,000 of open incidents, the rest of closed."""
    if Fixes.mark is not None:
        return
    last = Countermeasure.objects.order_by("-pk").first()
    Fixes.mark = last.pk if last else 0
    crowd.waiting_incidents(OPEN_INCIDENTS, due_at=timezone.now() + timedelta(hours=20))
    closed = Incident.objects.filter(status="closed").order_by("pk").values_list("pk", flat=True)
    opened = Incident.objects.filter(status="contained").order_by("-pk").values_list("pk", flat=True)
    open_rows = list(_open(list(opened[:OPEN_INCIDENTS])))
    closed_rows = islice(_closed(cycle(list(closed[:count]))), count - len(open_rows))
    Countermeasure.objects.bulk_create([*open_rows, *closed_rows], batch_size=BATCH)
    with connection.cursor() as cursor:
        cursor.execute(PROMISES, {"mark": Fixes.mark})
        cursor.execute(CHASES, {"mark": Fixes.mark})
        cursor.execute("VACUUM ANALYZE")


def forget() -> None:
    """Take them away again, past the trigger that keeps people from doing so."""
    if Fixes.mark is None:
        return
    promises = "SELECT id FROM countermeasures_promise WHERE countermeasure_id > %s"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE countermeasures_countermeasure DISABLE TRIGGER USER")
        cursor.execute(f"DELETE FROM escalation_chase WHERE promise_id IN ({promises})", [Fixes.mark])
        cursor.execute("DELETE FROM countermeasures_promise WHERE countermeasure_id > %s", [Fixes.mark])
        cursor.execute("DELETE FROM countermeasures_countermeasure WHERE id > %s", [Fixes.mark])
        cursor.execute("ALTER TABLE countermeasures_countermeasure ENABLE TRIGGER USER")
    Fixes.mark = None


def _people() -> tuple[Person, Person]:
    return Person.objects.get(username="vela"), Person.objects.get(username="cruz")


def _open(incidents: list[int]) -> Iterator[Countermeasure]:
    """To agree, promised (a tenth of them late), being proved, and bandages that are on."""
    owner, checker = _people()
    today, now = timezone.localdate(), timezone.now()
    check = {"metric": "Stops", "target": "None", "window_days": 60, "checker": checker}
    for n, incident in enumerate(incidents):
        placed = {
            "owner": owner,
            "in_place_at": now - timedelta(days=n % 50),
            "evidence": SEEN,
        }
        due = today + timedelta(days=n % 60 - 6)
        yield _row(incident, Stage.PLANNED, "Keep one spare in stock")
        yield _row(incident, Stage.IN_WORK, "Pin the driver", owner=owner, due_on=due, **check)
        yield _row(incident, Stage.IN_WORK, "Second power feed", owner=owner, due_on=due, **check)
        yield _row(incident, Stage.CHECKING, "New lens", checking_from=now, **placed, **check)
        yield _row(
            incident,
            Stage.IN_PLACE,
            "Spare printer",
            kind=Kind.CONTAINMENT,
            expires_on=today + timedelta(days=n % 7),
            **placed,
        )


def _closed(incidents: Iterator[int]) -> Iterator[Countermeasure]:
    owner, checker = _people()
    now = timezone.now()
    for n, incident in enumerate(incidents):
        then = now - timedelta(hours=1 + n // 6)
        placed = {"owner": owner, "in_place_at": then, "evidence": SEEN, "created_at": then}
        if n % 2:
            proved = {"checked_by": checker, "checked_at": then, "measured": "None", "window_days": 60}
            yield _row(incident, Stage.EFFECTIVE, "Cable, not Wi-Fi", checker=checker, **placed, **proved)
        else:
            off = {
                "kind": Kind.CONTAINMENT,
                "expires_on": then.date(),
                "removed_at": then,
                "removed_by": owner,
            }
            yield _row(incident, Stage.IN_PLACE, "Paper", **placed, **off)


def _row(incident: int, stage: Stage, what: str, **fields: object) -> Countermeasure:
    return Countermeasure(
        **{"incident_id": incident, "kind": Kind.PERMANENT, "stage": stage, "what": what, **fields}
    )
