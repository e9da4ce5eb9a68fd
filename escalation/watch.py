"""Somebody watches the watcher: whether alerts go out, for `/readyz` and the red band on every screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.models import Rank
from plant.context import Shell
from plant.models import Site
from plant.visibility import of_sites
from plant.wording import moment

ENGINE = "engine"
WATCHER = "watcher"
"""The watcher's own heartbeat. A sender's has the name of its channel."""
BEAT = "beat"
"""Written when a worker gets what only beat sends: nudges alone can keep an engine ticking."""

SILENT_AFTER = timedelta(seconds=20)
"""An engine that has not ticked for so long is down. Screens have to say so within 30 s (rule 7), and an open
one asks every 5 s (`frames/_bands.html`)."""

LATE_AFTER = timedelta(seconds=60)
"""Rule 7: a timer that is due for this long means that the engine does not keep up."""

UNSENT_AFTER = timedelta(minutes=2)
"""An urgent message that no sender even tried to hand over for this long: the channel's worker is gone.

Long enough for the last of 10,000 messages due at one instant.
"""

NAMED = 3
"""Incidents that the engine cannot work on which are named."""

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


class Kind(models.TextChoices):
    """What may be wrong, worst first."""

    DATABASE = "database", gettext_lazy("the database does not answer")
    ENGINE = "engine", gettext_lazy("the engine has stopped")
    SENDER = "sender", gettext_lazy("nobody hands messages over")
    LATE = "late", gettext_lazy("steps are not taken when they are due")
    UNREAD = "unread", gettext_lazy("changes cannot be read")
    UNSENT = "unsent", gettext_lazy("urgent messages wait to be sent")
    UNASKED = "unasked", gettext_lazy("nobody is asked about promises that are due")


NAMES_INCIDENTS = (Kind.LATE, Kind.UNREAD)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen: when everything last worked, and since when the oldest of each kind waits.

    `senders` are the channels whose worker has ever been seen. `answered_at` is when the database last
    answered; None for whoever has just asked it.
    """

    ticked_at: datetime | None
    oldest_timer: datetime | None = None
    oldest_unread: datetime | None = None
    oldest_message: datetime | None = None
    oldest_question: datetime | None = None
    senders: Mapping[str, datetime] = field(default_factory=dict)
    answered_at: datetime | None = None
    stuck: Sequence[str] = ()
    """Codes of incidents that the engine cannot work on: it cannot read them, or not take their next step."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, and since when; `what` is the channel of a sender, or names the incidents."""

    kind: Kind
    since: datetime
    what: str = ""


def diagnose(facts: Facts, now: datetime) -> list[Trouble]:
    """What is wrong, worst first; empty while alerts go out. Pure: screens, /readyz and the watcher ask here.

    While the database does not answer, nothing else is known. An engine that ticks is not enough: its timers
    fire on time, what changed can be read, the senders take what it queued, and people are asked about what
    they promised.
    """
    if facts.answered_at is not None and now - facts.answered_at > SILENT_AFTER:
        return [Trouble(Kind.DATABASE, facts.answered_at)]
    found = []
    if facts.ticked_at is None or now - facts.ticked_at > SILENT_AFTER:
        found.append(Trouble(Kind.ENGINE, facts.ticked_at or now))
    for channel, at in sorted(facts.senders.items()):
        if now - at > SILENT_AFTER:
            found.append(Trouble(Kind.SENDER, at, channel))
    waiting = (
        (Kind.LATE, facts.oldest_timer, LATE_AFTER),
        (Kind.UNREAD, facts.oldest_unread, LATE_AFTER),
        (Kind.UNSENT, facts.oldest_message, UNSENT_AFTER),
        (Kind.UNASKED, facts.oldest_question, LATE_AFTER),
    )
    return found + [
        Trouble(kind, since, ", ".join(facts.stuck) if kind in NAMES_INCIDENTS else "")
        for kind, since, after in waiting
        if since and now - since > after
    ]


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
           ) AS waiting),
           (SELECT least(
                (SELECT min(due_at) FROM escalation_chase WHERE state = 'armed'),
                (SELECT min(failing_since) FROM escalation_chase
                 WHERE state = 'armed' AND failing_since IS NOT NULL))),
           (SELECT array_agg(name::text ORDER BY name) FROM escalation_heartbeat
            WHERE name = ANY(%(channels)s)),
           (SELECT array_agg(at ORDER BY name) FROM escalation_heartbeat WHERE name = ANY(%(channels)s)),
           (SELECT array_agg('INC-' || number) FROM (
                SELECT (SELECT number FROM incidents_incident i WHERE i.id = u.incident_id) AS number
                FROM escalation_unread u
                WHERE u.failures >= %(often)s OR (u.failures > 0 AND EXISTS (
                    SELECT 1 FROM escalation_timer t, escalation_heartbeat h
                    WHERE t.incident_id = u.incident_id AND t.state = 'armed'
                      AND h.name = %(engine)s AND t.due_at < h.at - %(late)s))
                ORDER BY u.id LIMIT %(named)s
           ) AS first)
"""


def look() -> Facts:
    """The facts as they are now. One query: index look-ups only, whatever the number of rows."""
    asked: dict[str, Any] = {
        "engine": ENGINE,
        "often": FAILS_OFTEN,
        "named": NAMED,
        "late": LATE_AFTER,
        "channels": list(settings.CHANNELS),
        "ranks": [int(Rank.SAFETY), int(Rank.URGENT)],
    }
    with connection.cursor() as cursor:
        cursor.execute(LOOK, asked)
        ticked, timer, unread, message, question, names, times, codes = cursor.fetchone()
    senders = dict(zip(names or (), times or (), strict=True))
    return Facts(ticked, timer, unread, message, question, senders, stuck=tuple(codes or ()))


def last_seen() -> dict[str, float]:
    """Seconds since each part of OpsDesk was last seen to work, by the name of the part."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, extract(epoch FROM clock_timestamp() - at)::float8 FROM escalation_heartbeat"
            " WHERE name = ANY(%s)",
            [[*settings.WORKERS, WATCHER, BEAT]],
        )
        return {"watch" if name == WATCHER else name: age for name, age in cursor.fetchall()}


def engine_is_ticking(now: datetime | None = None) -> str | None:
    """None while alerts go out, else a sentence that says since when they do not, and why."""
    troubles = diagnose(look(), now or timezone.now())
    if not troubles:
        return None
    return _("Alerts are not going out since %(time)s: %(why)s.") % {
        "time": moment(min(trouble.since for trouble in troubles), now),
        "why": reasons(troubles),
    }


def reasons(troubles: Sequence[Trouble]) -> str:
    """What is wrong, in the language in force: "the engine has stopped, nobody hands messages over".

    An incident that cannot be read is named: nobody is told about it until somebody mends it.
    """
    return ", ".join(dict.fromkeys(_reason(trouble) for trouble in troubles))


def _reason(trouble: Trouble) -> str:
    is_named = trouble.kind in NAMES_INCIDENTS and trouble.what
    return f"{trouble.kind.label} ({trouble.what})" if is_named else str(trouble.kind.label)


def silent_since(now: datetime | None = None) -> datetime | None:
    """Since when alerts do not go out; None while they do."""
    troubles = diagnose(look(), now or timezone.now())
    return min((trouble.since for trouble in troubles), default=None)


@dataclass(frozen=True, slots=True)
class AlertsDown:
    """What the red band says: since when, and which number to call meanwhile."""

    since: datetime
    phone: str


def alerts_down(shell: Shell, now: datetime | None = None) -> AlertsDown | None:
    """The band for this screen; None while alerts go out."""
    since = silent_since(now)
    return AlertsDown(since, _phone(shell)) if since is not None else None


def _phone(shell: Shell) -> str:
    """The number of the site the screen is at; of each site its reader sees when it is at none.

    A stranger's screen that stands at no station names none: the sign-in page may be read by anybody.
    """
    if shell.site is not None:
        return shell.site.it_phone
    if shell.person is None:
        return ""
    known = Site.objects.exclude(it_phone="").order_by("name")
    sites = list(of_sites(known, reader=shell.person, by="pk"))
    return sites[0].it_phone if len(sites) == 1 else ", ".join(f"{s.name} {s.it_phone}" for s in sites)


def alerts_band(request: HttpRequest) -> dict[str, Any]:
    """For every page: `alerts_down`, looked up by one query, and only where a template asks."""
    return {"alerts_down": SimpleLazyObject(lambda: _band(request))}


def _band(request: HttpRequest) -> AlertsDown | None:
    """No band while the database is away: a page that needs nothing else from it says what it has to say."""
    try:
        return alerts_down(Shell.of(request))
    except DatabaseError:
        return None
