"""What the engine reads of a batch of incidents, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from escalation.models import Policy, Timer, TimerState, Unread
from escalation.policies import clocks_of
from escalation.situation import FiredStep, IncidentState
from escalation.steps import PolicyClocks
from escalation.timers import as_fired
from incidents.models import Event, EventKind, Impact, Incident, Severity, SeverityRule, Status
from plant.models import Area, Site


@dataclass(frozen=True, slots=True)
class Subject:
    """An incident as the engine sees it, with its run (None before the first reading)."""

    pk: int
    number: int
    version: int
    status: str
    severity: str
    impact: str
    flow: str
    site_id: int
    area_id: int | None
    category_id: int
    owner_id: int | None
    assigned_to_id: int | None
    clocks_from: datetime
    raised_at: datetime
    reopened_at: datetime | None
    acknowledged_at: datetime | None
    next_update_due: datetime | None
    waiting_until: datetime | None
    shelved_until: datetime | None
    run_id: int | None
    policy_id: int | None
    read_version: int | None
    replanned_at: datetime | None
    is_drill: bool = False
    update_every: timedelta | None = None
    has_spoken: bool = False

    @property
    def is_safety(self) -> bool:
        return self.impact == Impact.SAFETY

    @property
    def is_read(self) -> bool:
        """Whether its timers were planned with the incident as it is now."""
        return self.read_version == self.version

    @property
    def place(self) -> Area | Site:
        """The area or site whose duty counts; only the id is filled in."""
        return Area(pk=self.area_id, site_id=self.site_id) if self.area_id else Site(pk=self.site_id)

    def state(self, *, replanned_at: datetime | None = None) -> IncidentState:
        return IncidentState(
            status=self.status,
            severity=self.severity,
            clocks_from=self.clocks_from,
            troubled_since=self.reopened_at or self.raised_at,
            is_safety=self.is_safety,
            acknowledged_at=self.acknowledged_at,
            next_update_due=self.next_update_due,
            waiting_until=self.waiting_until,
            shelved_until=self.shelved_until,
            replanned_at=replanned_at or self.replanned_at,
            update_every=self.update_every,
            has_spoken=self.has_spoken or self.is_drill,  # nobody is asked to help with a practice
        )


_COLUMNS = (
    "pk",
    "number",
    "version",
    "status",
    "severity",
    "impact",
    "flow",
    "site_id",
    "area_id",
    "category_id",
    "owner_id",
    "assigned_to_id",
    "clocks_from",
    "raised_at",
    "reopened_at",
    "acknowledged_at",
    "next_update_due",
    "waiting_until",
    "shelved_until",
    "run__pk",
    "run__policy_id",
    "run__incident_version",
    "run__replanned_at",
    "is_drill",
)

UNREAD = """
    SELECT incident_id FROM escalation_unread
    WHERE not_before IS NULL OR not_before <= %s
    ORDER BY id
"""

DUE = """
    SELECT t.incident_id FROM escalation_timer t
    WHERE t.state = 'armed' AND t.due_at <= %s
      AND NOT EXISTS (SELECT 1 FROM escalation_unread u WHERE u.incident_id = t.incident_id)
    ORDER BY t.due_at
"""


def locking(wanted: str) -> str:
    """The statement that locks the incidents of these rows, in their order, one look-up each.

    A plain join may be planned as a walk through every incident there ever was: where the numbers of what
    waits lie is not known to the statistics, because it is new (60 ms at 100,000 incidents, a second at
    1,000,000).
    """
    return f"""
        SELECT locked.id FROM ({wanted}) AS waits
        CROSS JOIN LATERAL (
            SELECT id FROM incidents_incident WHERE id = waits.incident_id FOR UPDATE SKIP LOCKED
        ) AS locked LIMIT %s
    """  # noqa: S608 - statements of our own


LOCK_UNREAD = locking(UNREAD)
LOCK_DUE = locking(DUE)


def lock(sql: str, now: datetime, limit: int) -> list[int]:
    """Lock incidents that nobody else holds, and only them: the incident row is the lock of its family.

    What hangs on them is read afterwards, by statements of their own: a statement that locks sees the rows
    that it does not lock as they were before.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [now, limit])
        return sorted({row[0] for row in cursor.fetchall()})


def lock_these(ids: Sequence[int]) -> list[int]:
    """Lock those of these incidents that nobody else holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM incidents_incident WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED",
            [list(ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def mark_unread(ids: Iterable[int]) -> None:
    """Have these incidents read again; the caller holds their locks."""
    Unread.objects.bulk_create([Unread(incident_id=pk) for pk in sorted(set(ids))], ignore_conflicts=True)


def read(ids: Sequence[int]) -> list[Subject]:
    rows = Incident.objects.filter(pk__in=ids).order_by("pk").values_list(*_COLUMNS)
    known = [Subject(*row) for row in rows]
    owned = [subject for subject in known if subject.status in (Status.ACKNOWLEDGED, Status.REOPENED)]
    if not owned:
        return known
    every, spoken = SeverityRule.intervals(), _spoken(owned)
    return [replace(s, update_every=every[s.severity], has_spoken=s.pk in spoken) for s in known]


def _spoken(owned: Sequence[Subject]) -> set[int]:
    """The urgent ones about which a word was said, or help asked for, since somebody took them."""
    asked = [subject.pk for subject in owned if subject.severity in (Severity.S1, Severity.S2)]
    if not asked:
        return set()
    said = Event.objects.filter(incident__in=asked, kind__in=(EventKind.UPDATED, EventKind.HELP_ASKED))
    since_taken = said.filter(at__gte=F("incident__acknowledged_at"))
    return set(since_taken.order_by().values_list("incident_id", flat=True).distinct())


def policies(ids: Iterable[int | None]) -> dict[int, PolicyClocks]:
    """The ladders of these policy versions."""
    wanted = {pk for pk in ids if pk is not None}
    return {policy.pk: clocks_of(policy) for policy in Policy.objects.filter(pk__in=wanted)} if wanted else {}


def armed_timers(ids: Sequence[int]) -> dict[int, list[Timer]]:
    found: dict[int, list[Timer]] = {pk: [] for pk in ids}
    for timer in Timer.objects.armed().filter(incident_id__in=ids).order_by():
        found[timer.incident_id].append(timer)
    return found


def last_fired(ids: Sequence[int]) -> dict[int, list[FiredStep]]:
    """The last firing of each step of each clock, in each of its epochs and under each severity."""
    found: dict[int, list[FiredStep]] = {pk: [] for pk in ids}
    rows = (
        Timer.objects.filter(incident_id__in=ids, state=TimerState.FIRED)
        .order_by("incident_id", "clock", "epoch", "severity", "step", "-id")
        .distinct("incident_id", "clock", "epoch", "severity", "step")
    )
    for timer in rows:
        found[timer.incident_id].append(as_fired(timer))
    return found
