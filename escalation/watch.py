"""Somebody watches the watcher: whether the engine runs, for `/readyz` and the red band on every screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from plant.models import Person
from plant.wording import moment

ENGINE = "engine"
AUDIT = "audit"

SILENT_AFTER = timedelta(seconds=30)
"""Rule 7: an engine that has not ticked for this long is down."""

LATE_AFTER = timedelta(seconds=60)
"""Rule 7: a timer that is due for this long means that the engine does not keep up."""


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


def last_seen() -> tuple[datetime | None, datetime | None]:
    """When the engine last ticked, and since when its oldest timer is due. One query, two index look-ups."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT at FROM escalation_heartbeat WHERE name = %s),
                   (SELECT min(due_at) FROM escalation_timer WHERE state = 'armed')
            """,
            [ENGINE],
        )
        ticked_at, oldest = cursor.fetchone()
    return ticked_at, oldest


def engine_is_ticking(now: datetime | None = None) -> str | None:
    """None while alerts go out, else a sentence that says since when they do not."""
    since = silent_since(now)
    if since is None:
        return None
    return _("Alerts are not going out since %(time)s.") % {"time": moment(since, now)}


def silent_since(now: datetime | None = None) -> datetime | None:
    """Since when alerts do not go out; None while they do."""
    now = now or timezone.now()
    ticked_at, oldest_due = last_seen()
    if ticked_at is None or now - ticked_at > SILENT_AFTER:
        return ticked_at or now
    if oldest_due is not None and now - oldest_due > LATE_AFTER:
        return oldest_due
    return None


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
