"""Years of countermeasures: most of them proven or taken off long ago, and what a plant has open now."""

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


class Fixes:
    """The last row that was there before; None until the crowd of countermeasures is there."""

    mark: int | None = None


def there_are(count: int) -> None:
    """Bring the countermeasures to `count` once: 3,000 of open incidents, the rest of closed ones."""
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
        cursor.execute("VACUUM ANALYZE")


def forget() -> None:
    """Take them away again, past the trigger that keeps people from doing so."""
    if Fixes.mark is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE countermeasures_countermeasure DISABLE TRIGGER USER")
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
