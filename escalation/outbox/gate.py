"""Claiming with a look at how often each person was written to: what goes now, what waits, what goes as one.

Claim, look and decision are one short transaction under one lock per channel, so that two senders never both
take the last place of a budget. What is being sent counts as sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from escalation.models import Reason
from escalation.outbox import together
from escalation.outbox.claims import claim
from escalation.outbox.load import (
    FIRST_WORDS,
    STORM_PACE,
    WINDOW,
    Bundle,
    Decision,
    Lane,
    Rang,
    Waiting,
    decide,
)
from plant.models import Channel

_LOCK = 11_010
_CHANNELS = {Channel.SMS.value: 1, Channel.EMAIL.value: 2, Channel.PUSH.value: 3}


@dataclass(frozen=True, slots=True)
class Admitted:
    """The messages that may go now, and how many were looked at."""

    ids: Sequence[int] = ()
    seen: int = 0


@transaction.atomic
def admit(channel: str, *, limit: int, now: datetime) -> Admitted:
    """Claim what is due and let through what may go now; the rest waits, or goes in another message."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, _CHANNELS.get(channel, 0)])
    ids = claim(channel, limit=limit, now=now)
    is_budgeted = channel == Channel.SMS
    if not ids or not (is_budgeted or _may_go_together(ids, now)):
        return Admitted(ids, len(ids))
    waiting = _read("d.id = ANY(%(ids)s)", channel, now, ids=ids)
    had = _rang(channel, waiting, now, is_budgeted=is_budgeted)
    decision = decide(waiting, had, is_budgeted=is_budgeted, now=now)
    _hold(decision)
    alone = _bundle(decision, channel, now)
    return Admitted([one.id for one in (*decision.go, *alone)], len(ids))


def _hold(decision: Decision) -> None:
    """Give back what waits, as if it had not been claimed."""
    if not decision.wait:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE escalation_delivery AS d
            SET state = 'queued', lease_until = NULL, lease_by = '', attempt = greatest(d.attempt - 1, 0),
                not_before = w.until
            FROM unnest(%s::bigint[], %s::timestamptz[]) AS w(id, until) WHERE d.id = w.id
            """,
            [list(decision.wait), list(decision.wait.values())],
        )


def _bundle(decision: Decision, channel: str, now: datetime) -> list[Waiting]:
    """All that waits for the same person goes along, also what was to wait longer or was not claimed yet.

    Returns what found no company and goes as itself.
    """
    if not decision.bundles:
        return []
    alone: list[Waiting] = []
    ids = {one.id for bundle in decision.bundles for one in bundle.members}
    addresses = list({bundle.members[0].address for bundle in decision.bundles})
    waits = """
        d.state = 'queued' AND d.channel = %(channel)s AND d.address = ANY(%(addresses)s)
        AND d.id <> ALL(%(ids)s) AND d.attempt = 0 AND (d.not_before > d.queued_at OR d.not_before <= %(now)s)
    """
    others = _read(waits, channel, now, addresses=addresses, ids=[*ids, *decision.wait], lock=True)
    for bundle in decision.bundles:
        company = bundle.members[0].company
        along = [one for one in others if one.company == company and _goes_along(one, bundle, channel, now)]
        members = [*bundle.members, *along]
        if len(members) == 1 and bundle.storm_id is None:
            alone += members
        else:
            together.make(members, channel, now, storm_id=bundle.storm_id)
    return alone


def _goes_along(one: Waiting, bundle: Bundle, channel: str, now: datetime) -> bool:
    """What is collected for the morning stays until then; of emails only what is said again goes together."""
    if one.always_goes or (one.is_collected and one.not_before > now):
        return False
    return channel == Channel.SMS or bundle.storm_id is not None or one.is_repeat or one.is_collected


# --- reading ---


def _may_go_together(ids: Sequence[int], now: datetime) -> bool:
    """Whether any of these needs a closer look: nearly always none does, and emails go by the thousand."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (SELECT 1 FROM escalation_storm WHERE ended_at IS NULL OR ended_at > %s)
                OR EXISTS (
                    SELECT 1 FROM escalation_delivery d
                    JOIN escalation_notification n ON n.id = d.notification_id
                    WHERE d.id = ANY(%s) AND (n.data->>'round' <> '0' OR n.data->>'collected' = 'true')
                )
            """,
            [now - STORM_PACE, list(ids)],
        )
        return bool(cursor.fetchone()[0])


FACTS = """
    SELECT d.id, d.address, n.person_id, coalesce(i.site_id, n.site_id), d.language, d.rank,
        CASE WHEN d.state = 'sending' THEN d.attempt - 1 ELSE d.attempt END, d.queued_at, d.not_before,
        n.reason, n.clock, coalesce((n.data->>'round')::int, 0),
        coalesce((n.data->>'collected')::bool, false),
        coalesce(i.severity, ''), coalesce(i.is_drill, (n.data->>'practice')::bool, false),
        coalesce(i.severity = 'S1' AND n.reason = ANY(%(first_words)s) AND EXISTS (
            SELECT 1 FROM escalation_notification before
            WHERE before.incident_id = i.id AND before.person_id = n.person_id AND before.id < n.id
              AND before.reason = ANY(%(first_words)s)
              AND before.created_at >= greatest(i.clocks_from, run.replanned_at)
        ), false),
        storm.id,
        d.instead_of_id IS NOT NULL
    FROM escalation_delivery d
    JOIN escalation_notification n ON n.id = d.notification_id
    LEFT JOIN incidents_incident i ON i.id = n.incident_id
    LEFT JOIN escalation_run run ON run.incident_id = i.id
    LEFT JOIN LATERAL (
        SELECT s.id FROM escalation_storm s
        WHERE NOT i.is_drill AND s.site_id = i.site_id AND s.area_id IS NOT DISTINCT FROM i.area_id
          AND (s.ended_at IS NULL OR (s.ended_at > %(now)s - %(pace)s AND d.queued_at <= s.ended_at))
        ORDER BY s.id DESC LIMIT 1
    ) AS storm ON true
"""


def _read(where: str, channel: str, now: datetime, *, lock: bool = False, **asked: Any) -> list[Waiting]:
    """The facts of messages, most urgent first; `where` is one of our own conditions."""
    parameters: dict[str, Any] = {
        "channel": channel,
        "now": now,
        "pace": STORM_PACE,
        "first_words": [reason.value for reason in FIRST_WORDS],
        **asked,
    }
    order = " ORDER BY d.rank, d.not_before, d.id" + (" FOR UPDATE OF d SKIP LOCKED" if lock else "")
    with connection.cursor() as cursor:
        cursor.execute(f"{FACTS} WHERE {where}{order}", parameters)
        return [Waiting(*row) for row in cursor.fetchall()]


RANG = """
    SELECT d.address, d.sent_at, d.queued_at, (n.data->>'storm')::bigint,
        coalesce(i.is_drill, (n.data->>'practice')::bool, false)
    FROM (
        SELECT address, state, sent_at, queued_at, notification_id FROM escalation_delivery
        WHERE channel = %(channel)s AND address = ANY(%(addresses)s) AND sent_at > %(since)s
        UNION ALL
        SELECT address, state, sent_at, queued_at, notification_id FROM escalation_delivery
        WHERE channel = %(channel)s AND address = ANY(%(addresses)s) AND state IN ('sending', 'queued')
          AND sent_at IS NULL AND id <> ALL(%(ids)s)
    ) AS d
    JOIN escalation_notification n ON n.id = d.notification_id
    LEFT JOIN incidents_incident i ON i.id = n.incident_id
    WHERE d.sent_at IS NOT NULL OR d.state = 'sending' OR n.reason = %(digest)s
"""


def _rang(
    channel: str, waiting: Collection[Waiting], now: datetime, *, is_budgeted: bool
) -> defaultdict[Lane, Rang]:
    """What the numbers of these messages had lately. One query; none where nothing is counted."""
    found: defaultdict[Lane, Rang] = defaultdict(Rang)
    counted = [
        one for one in waiting if not one.always_goes and (is_budgeted or one.company.storm_id is not None)
    ]
    if not counted:
        return found
    asked: dict[str, Any] = {
        "channel": channel,
        "addresses": list({one.address for one in counted}),
        "since": now - (WINDOW if is_budgeted else STORM_PACE),
        "ids": [one.id for one in waiting],
        "digest": Reason.DIGEST.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(RANG, asked)
        _count(found, cursor.fetchall())
    return found


def _count(found: defaultdict[Lane, Rang], rows: Iterable[Sequence[object]]) -> None:
    """A storm's messages have a pace of their own and use nobody's budget."""
    for address, sent_at, queued_at, storm_id, is_practice in rows:
        had = found[Lane(str(address), bool(is_practice))]
        if isinstance(storm_id, int) and isinstance(queued_at, datetime):
            had.storms[storm_id] = max(had.storms.get(storm_id, queued_at), queued_at)
        elif isinstance(sent_at, datetime):
            had.sent.append(sent_at)
        else:
            had.on_the_way += 1
