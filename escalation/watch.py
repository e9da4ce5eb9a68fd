"""Somebody watches the watcher: whether alerts go out, for `/readyz` and the red band on every screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from escalation.models import Rank
from plant.models import Person
from plant.wording import moment

ENGINE = "engine"
AUDIT = "audit"

SILENT_AFTER = timedelta(seconds=30)
"""Rule 7: an engine that has not ticked for this long is down."""

LATE_AFTER = timedelta(seconds=60)
"""Rule 7: a timer that is due for this long means that the engine does not keep up."""

UNSENT_AFTER = timedelta(minutes=2)
"""An urgent message that no sender even tried to hand over for this long: the channel's worker is gone.

Long enough for the last of 10,000 messages due at one instant.
"""

FAILS_OFTEN = 4
"""Readings of one incident that failed in a row, the last 35 s after the first (`engine.contained`)."""


def beat(now: datetime, name: str = ENGINE) -> None:
    """Write that this was seen to work. A heartbeat never goes back in time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO escalation_heartbeat AS h (name, at) VALUES (%s, %s)
            ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE h.at < excluded.at
            """,
            [name, now],
        )


def is_time_for(name: str, now: datetime, *, every: timedelta) -> bool:
    """Whether this is to be done now; yes for one caller only in each stretch of `every`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO escalation_heartbeat AS h (name, at) VALUES (%s, %s)
            ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE h.at <= %s
            RETURNING 1
            """,
            [name, now, now - every],
        )
        return cursor.fetchone() is not None


@dataclass(frozen=True, slots=True)
class Seen:
    """When the engine last ticked, and since when the oldest of what it should have done waits."""

    ticked_at: datetime | None
    oldest_timer: datetime | None
    oldest_unread: datetime | None
    oldest_message: datetime | None


LOOK = """
    SELECT (SELECT at FROM escalation_heartbeat WHERE name = %(engine)s),
           (SELECT min(due_at) FROM escalation_timer WHERE state = 'armed'),
           (SELECT min((SELECT max(e.at) FROM incidents_event e WHERE e.incident_id = u.incident_id))
            FROM escalation_unread u WHERE u.failures >= %(often)s),
           (SELECT min(first) FROM (
                SELECT (SELECT d.not_before FROM escalation_delivery d
                        WHERE d.state = 'queued' AND d.channel = way.channel AND d.rank = line.rank
                        ORDER BY d.not_before LIMIT 1) AS first
                FROM unnest(%(channels)s) AS way(channel), unnest(%(ranks)s) AS line(rank)
           ) AS waiting)
"""


def last_seen() -> Seen:
    """One query: index look-ups only, whatever the number of rows."""
    asked: dict[str, Any] = {
        "engine": ENGINE,
        "often": FAILS_OFTEN,
        "channels": list(settings.CHANNELS),
        "ranks": [int(Rank.SAFETY), int(Rank.URGENT)],
    }
    with connection.cursor() as cursor:
        cursor.execute(LOOK, asked)
        return Seen(*cursor.fetchone())


def engine_is_ticking(now: datetime | None = None) -> str | None:
    """None while alerts go out, else a sentence that says since when they do not."""
    since = silent_since(now)
    if since is None:
        return None
    return _("Alerts are not going out since %(time)s.") % {"time": moment(since, now)}


def silent_since(now: datetime | None = None) -> datetime | None:
    """Since when alerts do not go out; None while they do.

    An engine that ticks is not enough: its timers fire on time, what changed can be read, and the senders
    take what it queued.
    """
    now = now or timezone.now()
    seen = last_seen()
    if seen.ticked_at is None or now - seen.ticked_at > SILENT_AFTER:
        return seen.ticked_at or now
    waiting = (
        (seen.oldest_timer, LATE_AFTER),
        (seen.oldest_unread, LATE_AFTER),
        (seen.oldest_message, UNSENT_AFTER),
    )
    return min((since for since, after in waiting if since and now - since > after), default=None)


@dataclass(frozen=True, slots=True)
class AlertsDown:
    """What the red band says: since when, and which number to call meanwhile."""

    since: datetime
    phone: str


def alerts_down(person: Person | None, now: datetime | None = None) -> AlertsDown | None:
    """The band for this person's screen; None while alerts go out."""
    since = silent_since(now)
    if since is None:
        return None
    site = person.site if person is not None else None
    return AlertsDown(since, site.it_phone if site is not None else "")


def alerts_band(request: HttpRequest) -> dict[str, Any]:
    """For every page: `alerts_down`, looked up by one query, and only where a template asks."""
    user = getattr(request, "user", None)
    person = user if isinstance(user, Person) else None
    return {"alerts_down": SimpleLazyObject(lambda: alerts_down(person))}
