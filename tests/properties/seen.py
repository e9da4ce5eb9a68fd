"""What the database shows after a step, read with plain SQL: none of the product's own queries."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection


class Incident(NamedTuple):
    id: int
    status: str
    severity: str
    impact: str
    owner: str
    shelved_at: datetime | None
    shelved_until: datetime | None
    clocks_from: datetime
    version: int
    read_version: int | None
    times: int


class Timer(NamedTuple):
    id: int
    incident: int
    clock: str
    epoch: datetime
    severity: str
    step: int
    first_step: int
    round: int
    due_at: datetime
    state: str
    armed_at: datetime
    fired_at: datetime | None
    goes_up_from: str

    @property
    def is_late(self) -> bool:
        """Fired more than a minute after it was due, and not because it was brought forward."""
        late = (self.fired_at or self.due_at) - self.due_at
        return late.total_seconds() > 60 and not self.goes_up_from


class Notification(NamedTuple):
    id: int
    incident: int | None
    person: int
    timer: int | None
    reason: str
    clock: str
    is_urgent: bool
    note: str
    created_at: datetime
    instead_of: str | None
    about_event: str | None
    asks_again: str | None
    times: int
    is_answered: bool
    is_asked_on: bool


class Delivery(NamedTuple):
    id: int
    notification: int
    channel: str
    address: str
    state: str
    error: str
    not_before: datetime
    lease_until: datetime | None
    sent_at: datetime | None
    failed_at: datetime | None
    bundled_into: int | None


class Event(NamedTuple):
    id: int
    incident: int
    kind: str
    at: datetime
    version: int
    data: dict[str, Any]


class Unread(NamedTuple):
    incident: int
    not_before: datetime | None


_QUERIES = {
    "incidents": (
        Incident,
        """SELECT i.id, status, severity, impact, coalesce(p.username, ''), shelved_at, shelved_until,
                  clocks_from, version, r.incident_version, times_in_30_days FROM incidents_incident i
           LEFT JOIN plant_person p ON p.id = i.owner_id LEFT JOIN escalation_run r ON r.incident_id = i.id
           ORDER BY i.id""",
    ),
    "timers": (
        Timer,
        """SELECT id, incident_id, clock, epoch, severity, step, first_step, round, due_at, state, armed_at,
                  fired_at, goes_up_from FROM escalation_timer ORDER BY id""",
    ),
    "unread": (Unread, "SELECT incident_id, not_before FROM escalation_unread"),
    "notifications": (
        Notification,
        """SELECT id, incident_id, person_id, timer_id, reason, clock, is_urgent, note, created_at,
                  data ->> 'instead_of', data ->> 'event', data ->> 'original', times_asked,
                  answered_at IS NOT NULL, ask_again_at IS NOT NULL
           FROM escalation_notification ORDER BY id""",
    ),
    "deliveries": (
        Delivery,
        """SELECT id, notification_id, channel, address, state, error, not_before, lease_until, sent_at,
                  failed_at, bundled_into_id FROM escalation_delivery ORDER BY id""",
    ),
    "events": (
        Event,
        "SELECT id, incident_id, kind, at, version, data FROM incidents_event ORDER BY id",
    ),
}


@dataclass
class Seen:
    """All rows that the rules are about, and the ones that are new since the last look."""

    incidents: dict[int, Incident] = field(default_factory=dict)
    timers: list[Timer] = field(default_factory=list)
    unread: dict[int, Unread] = field(default_factory=dict)
    notifications: dict[int, Notification] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    new_notifications: list[Notification] = field(default_factory=list)
    new_events: list[Event] = field(default_factory=list)
    newly_fired: list[Timer] = field(default_factory=list)
    newly_dropped: list[Delivery] = field(default_factory=list)

    def timer(self, pk: int | None) -> Timer | None:
        return next((timer for timer in self.timers if timer.id == pk), None)

    def armed(self, incident: int) -> dict[str, Timer]:
        """The armed timers of an incident by clock."""
        return {one.clock: one for one in self.timers if one.incident == incident and one.state == "armed"}

    def fired(self) -> list[Timer]:
        return sorted((one for one in self.timers if one.fired_at), key=lambda one: (one.fired_at, one.id))

    def deliveries_of(self) -> dict[int, list[Delivery]]:
        found: dict[int, list[Delivery]] = defaultdict(list)
        for one in self.deliveries:
            found[one.notification].append(one)
        return found

    def state_of(self, delivery: Delivery) -> str:
        """How far it got, by itself or inside of another message."""
        while delivery.bundled_into is not None and delivery.state == "bundled":
            into = delivery.bundled_into
            delivery = next(one for one in self.deliveries if one.id == into)
        return delivery.state


def look(before: Seen) -> Seen:
    """Read everything; the rows are few."""
    rows: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for name, (kind, sql) in _QUERIES.items():
            cursor.execute(sql)
            rows[name] = [kind(*row) for row in cursor.fetchall()]
    events = [
        one._replace(data=json.loads(one.data) if isinstance(one.data, str) else one.data)
        for one in rows["events"]
    ]
    known = {one.id for one in before.events}
    fired = {one.id for one in before.timers if one.fired_at}
    dropped = {one.id for one in before.deliveries if one.state == "dropped"}
    return Seen(
        incidents={one.id: one for one in rows["incidents"]},
        timers=rows["timers"],
        unread={one.incident: one for one in rows["unread"]},
        notifications={one.id: one for one in rows["notifications"]},
        deliveries=rows["deliveries"],
        events=events,
        new_notifications=[one for one in rows["notifications"] if one.id not in before.notifications],
        new_events=[one for one in events if one.id not in known],
        newly_fired=[one for one in rows["timers"] if one.fired_at and one.id not in fired],
        newly_dropped=[one for one in rows["deliveries"] if one.state == "dropped" and one.id not in dropped],
    )
