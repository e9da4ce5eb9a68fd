"""How the providers of each channel do: marked down after five failures in a row, told, probed until back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F

from escalation.channels import Provider, providers_of
from escalation.models import ProviderHealth, Rank

DOWN_AFTER = 5
"""Failures in a row (issue 4)."""

PROBED_EVERY = timedelta(seconds=15)
SELDOMEST = timedelta(minutes=2)
"""How often a provider that is marked down is tried: doubled with each failure more, up to the longest."""

LATELY = timedelta(hours=1)
"""What the rates of a card are about."""


@dataclass(slots=True)
class State:
    """What is known of a provider. `is_noted`: it is written down that it worked in this turn.

    `is_unproved`: it was back because it answers, and no message has gone through since.
    `brings_nothing`: what it takes does not arrive.
    """

    failures: int = 0
    is_down: bool = False
    paused_until: datetime | None = None
    error: str = ""
    is_noted: bool = False
    is_unproved: bool = False
    brings_nothing: bool = False


def states(channel: str) -> dict[str, State]:
    """By name. One query."""
    rows = ProviderHealth.objects.filter(channel=channel)
    return {
        one.name: State(
            one.failures,
            one.is_down,
            one.paused_until,
            one.error,
            is_unproved=one.is_unproved,
            brings_nothing=one.brings_nothing,
        )
        for one in rows
    }


def failed(channel: str, provider: Provider, why: str, now: datetime) -> bool:
    """Count a failure that is the provider's own. True for the fifth in a row: it is marked down."""
    if provider.scheme == "sandbox":
        return False
    return _write(
        """
        INSERT INTO escalation_providerhealth AS h
            (channel, name, failures, error, failed_at, since, is_down)
        VALUES (%(channel)s, %(name)s, 1, %(why)s, %(now)s, %(now)s, false)
        ON CONFLICT (channel, name) DO UPDATE SET
            failures = h.failures + 1, error = excluded.error, failed_at = excluded.failed_at,
            is_down = h.is_down OR h.failures + 1 >= %(most)s,
            since = CASE WHEN NOT h.is_down AND h.failures + 1 >= %(most)s THEN excluded.since
                    ELSE h.since END
        RETURNING is_down AND failures = %(most)s
        """,
        channel=channel,
        name=provider.name,
        why=why[:300],
        now=now,
        most=DOWN_AFTER,
    )


def worked(channel: str, provider: Provider, now: datetime) -> State:
    """It took a message: whatever failed before is over, unless it is that what it takes does not arrive."""
    is_down = False
    if provider.scheme != "sandbox":
        is_down = _write(
            """
            INSERT INTO escalation_providerhealth AS h
                (channel, name, failures, error, worked_at, since, is_down)
            VALUES (%(channel)s, %(name)s, 0, '', %(now)s, %(now)s, false)
            ON CONFLICT (channel, name) DO UPDATE SET
                failures = CASE WHEN h.brings_nothing THEN h.failures ELSE 0 END,
                error = CASE WHEN h.brings_nothing THEN h.error ELSE '' END,
                worked_at = excluded.worked_at, is_down = h.brings_nothing,
                is_unproved = false, paused_until = NULL,
                since = CASE WHEN h.is_down AND NOT h.brings_nothing THEN excluded.since ELSE h.since END
            RETURNING is_down
            """,
            channel=channel,
            name=provider.name,
            now=now,
        )
    return State(is_noted=True, is_down=is_down, brings_nothing=is_down)


def answers(channel: str, name: str, now: datetime) -> bool:
    """It was asked without a message and answers. True: that makes it count as back.

    It does so once. When messages fail again after it, its answer proves nothing: then only a message that it
    takes brings it back (ADR 135).
    """
    down = ProviderHealth.objects.filter(
        channel=channel, name=name, is_down=True, is_unproved=False, brings_nothing=False
    )
    back = {"failures": 0, "error": "", "is_down": False, "is_unproved": True, "paused_until": None}
    return bool(down.update(**back, since=now))


def brings_nothing(channel: str, name: str, why: str, now: datetime, *, sent_at: datetime) -> bool:
    """What it takes does not arrive: it is down. True when that is news.

    Of what it took before it was marked down (`sent_at`) nothing more is counted: only what was risked on it.
    """
    known = ProviderHealth.objects.filter(channel=channel, name=name)
    found = {"brings_nothing": True, "error": why[:300], "failed_at": now}
    if known.filter(is_down=False).update(**found, is_down=True, failures=DOWN_AFTER, since=now):
        return True
    known.exclude(brings_nothing=True, since__gt=sent_at).update(**found, failures=F("failures") + 1)
    return False


def arrived(channel: str, name: str, now: datetime) -> bool:
    """A message that it took has arrived. True when it had been marked down because none did."""
    down = ProviderHealth.objects.filter(channel=channel, name=name, brings_nothing=True)
    back = {"failures": 0, "error": "", "is_down": False, "is_unproved": False, "brings_nothing": False}
    return bool(down.update(**back, since=now))


def paused(channel: str, provider: Provider, seconds: float, now: datetime) -> None:
    """It asked to be left alone: for every process, whoever heard it."""
    until = now + timedelta(seconds=seconds)
    _write(
        """
        INSERT INTO escalation_providerhealth AS h
            (channel, name, failures, error, since, is_down, paused_until)
        VALUES (%(channel)s, %(name)s, 0, %(why)s, %(now)s, false, %(until)s)
        ON CONFLICT (channel, name) DO UPDATE SET
            paused_until = excluded.paused_until, error = excluded.error
        RETURNING true
        """,
        channel=channel,
        name=provider.name,
        why=f"{provider.name} asked for a pause.",
        now=now,
        until=until,
    )


def take_probe(channel: str, name: str, now: datetime) -> bool:
    """Whether a provider that is marked down is to be tried now; yes for one caller only in each stretch."""
    down = ProviderHealth.objects.filter(channel=channel, name=name, is_down=True)
    known = down.first()
    if known is None or (known.probed_at and known.probed_at > now - pause_after(known.failures)):
        return False
    return bool(down.filter(probed_at=known.probed_at).update(probed_at=now))


def pause_after(failures: int) -> timedelta:
    """Between two tries of a provider that is down: 15 s, 30 s … 2 min."""
    return min(PROBED_EVERY * 2 ** min(max(failures - DOWN_AFTER, 0), 10), SELDOMEST)


def _write(query: str, **asked: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return bool(cursor.fetchone()[0])


# --- cards ---


@dataclass(frozen=True, slots=True)
class HealthCard:
    """One provider of a channel as a person reads it. Counts are of the last hour."""

    channel: str
    provider: str
    is_practice: bool
    is_down: bool
    brings_nothing: bool
    since: datetime | None
    paused_until: datetime | None
    failures: int
    error: str
    sent: int
    delivered: int
    failed: int
    silent: int
    oldest_queued: datetime | None
    """When the oldest that is due on the channel was to go out; the same for all its providers."""

    @property
    def per_minute(self) -> float:
        return self.sent / (LATELY.total_seconds() / 60)

    @property
    def failure_rate(self) -> float:
        """From 0 to 1; 0 where nothing was sent."""
        tried = self.sent + self.failed
        return self.failed / tried if tried else 0.0


def cards(now: datetime, *, sites: Sequence[int] | None = None) -> list[HealthCard]:
    """One for each provider of each channel, in the order in which they are tried. Three queries.

    Whether a provider works is the same for everybody; messages are counted of these sites, or of all.
    """
    counts, oldest = _counts(now, sites), _oldest(now, sites)
    known = {(one.channel, one.name): one for one in ProviderHealth.objects.all()}
    return [
        _card(
            channel,
            provider,
            known.get((channel, provider.name)),
            counts.get((channel, provider.name), (0, 0, 0, 0)),
            oldest.get(channel),
        )
        for channel in settings.CHANNELS
        for provider in providers_of(channel)
    ]


def _card(
    channel: str,
    provider: Provider,
    known: ProviderHealth | None,
    counts: Sequence[int],
    oldest: datetime | None,
) -> HealthCard:
    sent, delivered, failures, silent = counts
    return HealthCard(
        channel=channel,
        provider=provider.name,
        is_practice=provider.scheme == "sandbox",
        is_down=known is not None and known.is_down,
        brings_nothing=known is not None and known.brings_nothing,
        since=known.since if known else None,
        paused_until=known.paused_until if known else None,
        failures=known.failures if known else 0,
        error=known.error if known else "",
        sent=sent,
        delivered=delivered,
        failed=failures,
        silent=silent,
        oldest_queued=oldest,
    )


OF_SITES = """
    (%(sites)s::bigint[] IS NULL OR (
        SELECT coalesce((SELECT i.site_id FROM incidents_incident i WHERE i.id = n.incident_id), n.site_id)
        FROM escalation_notification n WHERE n.id = d.notification_id
    ) = ANY(%(sites)s))
"""
"""Two look-ups for each message counted. An EXISTS is planned as one walk through all messages ever."""

COUNTS = f"""
    SELECT channel, provider, count(*) FILTER (WHERE state IN ('sent', 'delivered')),
           count(*) FILTER (WHERE state = 'delivered'), 0, count(*) FILTER (WHERE silent_at IS NOT NULL)
    FROM escalation_delivery d
    WHERE sent_at > %(since)s AND state <> 'failed' AND {OF_SITES} GROUP BY 1, 2
    UNION ALL
    SELECT channel, provider, 0, 0, count(*), 0 FROM escalation_delivery d
    WHERE state IN ('failed', 'dropped') AND state = 'failed' AND queued_at > %(since)s AND {OF_SITES}
    GROUP BY 1, 2
"""  # noqa: S608 - the condition is a constant
"""By the indexes of what was sent last and of what was not sent."""


def _counts(now: datetime, sites: Sequence[int] | None) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    found: dict[tuple[str, str], tuple[int, int, int, int]] = {}
    for channel, name, *numbers in _rows(COUNTS, {"since": now - LATELY, "sites": _ids(sites)}):
        before = found.get((channel, name), (0, 0, 0, 0))
        sent, delivered, failures, silent = (a + b for a, b in zip(before, numbers, strict=True))
        found[channel, name] = sent, delivered, failures, silent
    return found


OLDEST = f"""
    SELECT way.channel, min(first.at) FROM unnest(%(channels)s::text[]) AS way(channel)
    CROSS JOIN unnest(%(ranks)s::int[]) AS line(rank)
    LEFT JOIN LATERAL (
        SELECT d.not_before AS at FROM escalation_delivery d
        WHERE d.state = 'queued' AND d.channel = way.channel AND d.rank = line.rank
            AND d.not_before <= %(now)s AND {OF_SITES}
        ORDER BY d.not_before LIMIT 1
    ) AS first ON true GROUP BY way.channel
"""  # noqa: S608 - the condition is a constant
"""By the index of what is queued: the first of each rank."""


def _oldest(now: datetime, sites: Sequence[int] | None) -> dict[str, datetime | None]:
    asked = {"now": now, "channels": list(settings.CHANNELS), "ranks": Rank.values, "sites": _ids(sites)}
    return dict(_rows(OLDEST, asked))


def _ids(sites: Sequence[int] | None) -> list[int] | None:
    return None if sites is None else list(sites)


def _rows(query: str, asked: dict[str, Any]) -> Iterable[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return list(cursor.fetchall())
