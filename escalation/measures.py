"""The engine's numbers for Prometheus, read from the database when they are asked for.

Many processes on many machines do the work, and any web process may be asked: so each number is a few index
look-ups in what they share. Histograms of lag look back over `WINDOW`; only the length of turns is counted.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Q
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from escalation import watch
from escalation.models import DeliveryState, Heartbeat, ProviderHealth, Timer, TurnCount
from plant.models import Site

logger = logging.getLogger(__name__)

WINDOW = timedelta(minutes=5)
"""How far back lags are measured."""

HOUR = timedelta(hours=1)

TURN_BOUNDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_BOUNDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of buckets, in seconds; one without a bound follows."""


Values = dict[tuple[str, ...], float]
"""The values of a gauge by those of its labels."""


def count_turn(seconds: float) -> None:
    """Count one turn of the engine by how long it took."""
    at = bisect_left(TURN_BOUNDS, seconds)
    bound = TURN_BOUNDS[at] if at < len(TURN_BOUNDS) else float("inf")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO escalation_turncount AS t (bound, turns, seconds) VALUES (%s, 1, %s)
            ON CONFLICT (bound) DO UPDATE SET turns = t.turns + 1, seconds = t.seconds + excluded.seconds
            """,
            [bound, seconds],
        )


class EngineCollector(Collector):
    """What /metrics says about the engine; without a database only that there is none."""

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("opsdesk_database_up", "Whether the database answers")
        try:
            measured = list(measure(timezone.now()))
        except DatabaseError:
            logger.warning("The engine's numbers cannot be read", exc_info=True)
            measured = []
        up.add_metric([], 1.0 if measured else 0.0)
        yield up
        yield from measured


def measure(now: datetime) -> Iterator[Metric]:
    """Every number, as of now. Raises DatabaseError."""
    yield _troubles(now)
    yield _last_seen(now)
    yield _timers(now)
    yield _queue_age(now)
    yield _deliveries(now)
    yield _storms()
    yield from _providers()
    yield _turns()
    yield _lag(
        "opsdesk_recorded_lag_seconds",
        "From the moment a step was due until it was recorded who is told, for what went out in 5 minutes",
        RECORDED,
        now,
    )
    yield _lag(
        "opsdesk_handed_over_lag_seconds",
        "From the moment a message was queued until its provider took it, in the last 5 minutes",
        HANDED_OVER,
        now,
    )


def _troubles(now: datetime) -> Metric:
    found = {trouble.kind for trouble in watch.diagnose(watch.look(), now)}
    kinds: Values = {
        (kind.value,): float(kind in found) for kind in watch.Kind if kind != watch.Kind.DATABASE
    }
    return _gauge("opsdesk_trouble", "1 while alerts do not go out for this reason", ["kind"], kinds)


def _last_seen(now: datetime) -> Metric:
    parts = (watch.ENGINE, watch.WATCHER, *settings.CHANNELS)
    rows = Heartbeat.objects.filter(name__in=parts).values_list("name", "at")
    ages: Values = {(name,): max((now - at).total_seconds(), 0.0) for name, at in rows}
    return _gauge("opsdesk_last_seen_age_seconds", "Time since a part was last seen to work", ["part"], ages)


def _timers(now: datetime) -> Metric:
    armed = Timer.objects.armed().count()
    late = Timer.objects.overdue(now, by=watch.LATE_AFTER).count()
    values: Values = {("armed",): float(armed), ("late",): float(late)}
    return _gauge("opsdesk_timers", "Timers that wait, and those over 60 s late", ["state"], values)


def _queue_age(now: datetime) -> Metric:
    asked = {"channels": list(settings.CHANNELS), "kinds": list(settings.LISTENERS)}
    ages: Values = {
        (channel,): max((now - first).total_seconds(), 0.0) if first else 0.0
        for channel, first in _rows(f"({OLDEST}) UNION ALL ({OLDEST_POST})", asked)
    }
    words = "How long the oldest message that nobody has taken is due to be handed over"
    return _gauge("opsdesk_queue_age_seconds", words, ["channel"], ages)


def _deliveries(now: datetime) -> Metric:
    values: Values = {
        (channel, state): 0.0 for channel in settings.CHANNELS for state in DeliveryState.values
    }
    values |= {(channel, state): float(n) for channel, state, n in _rows(DELIVERIES, {"since": now - HOUR})}
    words = "Messages: those that wait or are being sent, and what became of others in the last hour"
    return _gauge("opsdesk_deliveries", words, ["channel", "state"], values)


def _providers() -> Iterator[Metric]:
    """Of those that were ever asked to send for real."""
    found = list(ProviderHealth.objects.order_by("channel", "name"))
    labels = ["channel", "provider"]
    up: Values = {(one.channel, one.name): float(not one.is_down) for one in found}
    failures: Values = {(one.channel, one.name): float(one.failures) for one in found}
    yield _gauge("opsdesk_provider_up", "0 while a provider is marked down", labels, up)
    yield _gauge("opsdesk_provider_failures", "Failures of a provider in a row", labels, failures)


def _storms() -> Metric:
    sites = Site.objects.order_by("code").annotate(on=Count("storms", filter=Q(storms__ended_at=None)))
    values: Values = {(code,): float(on) for code, on in sites.values_list("code", "on")}
    return _gauge("opsdesk_storms", "Areas where messages come together for a while", ["site"], values)


def _turns() -> Metric:
    rows = list(TurnCount.objects.values_list("bound", "turns", "seconds"))
    counted = {bound: turns for bound, turns, _seconds in rows}
    buckets = _buckets(TURN_BOUNDS, [counted.get(bound, 0) for bound in (*TURN_BOUNDS, float("inf"))])
    total = sum(seconds for _bound, _turns, seconds in rows)
    words = "Length of the engine's turns, in all processes since the installation"
    return HistogramMetricFamily("opsdesk_tick_seconds", words, buckets=buckets, sum_value=total)


def _lag(name: str, words: str, query: str, now: datetime) -> Metric:
    counts, total = [0] * (len(LAG_BOUNDS) + 1), 0.0
    for at, n, seconds in _rows(query, {"since": now - WINDOW, "bounds": list(LAG_BOUNDS)}):
        counts[at], total = n, total + seconds
    return GaugeHistogramMetricFamily(name, words, buckets=_buckets(LAG_BOUNDS, counts), gsum_value=total)


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Prometheus counts each bucket with all smaller ones."""
    names = [*(str(bound) for bound in bounds), "+Inf"]
    return list(zip(names, (float(n) for n in accumulate(counts)), strict=True))


def _gauge(name: str, words: str, labels: Sequence[str], values: Values) -> Metric:
    found = GaugeMetricFamily(name, words, labels=labels)
    for label, value in values.items():
        found.add_metric(label, value)
    return found


def _rows(query: str, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return list(cursor.fetchall())


OLDEST = """
    SELECT way.channel, min(d.first)
    FROM unnest(%(channels)s::text[]) AS way(channel)
    CROSS JOIN (VALUES (0), (1), (2)) AS line(rank)
    LEFT JOIN LATERAL (
        SELECT q.not_before AS first FROM escalation_delivery q
        WHERE q.state = 'queued' AND q.channel = way.channel AND q.rank = line.rank
        ORDER BY q.not_before LIMIT 1
    ) AS d ON true
    GROUP BY way.channel ORDER BY way.channel
"""

OLDEST_POST = """
    SELECT kind.name, min(p.not_before) FROM unnest(%(kinds)s::text[]) AS kind(name)
    LEFT JOIN escalation_listener l ON l.kind = kind.name AND l.is_active
    LEFT JOIN escalation_post p ON p.listener_id = l.id AND p.state = 'queued'
    GROUP BY kind.name ORDER BY kind.name
"""

DELIVERIES = """
    SELECT channel, state, count(*) FROM escalation_delivery WHERE state = 'queued' GROUP BY 1, 2
    UNION ALL
    SELECT channel, state, count(*) FROM escalation_delivery WHERE state = 'sending' GROUP BY 1, 2
    UNION ALL
    SELECT channel, state, count(*) FROM escalation_delivery
    WHERE sent_at > %(since)s AND state IN ('sent', 'delivered') GROUP BY 1, 2
    UNION ALL
    SELECT channel, state, count(*) FROM escalation_delivery
    WHERE queued_at > %(since)s AND state IN ('failed', 'dropped') GROUP BY 1, 2
    UNION ALL
    SELECT d.channel, 'bundled', count(*) FROM escalation_delivery c
    JOIN escalation_delivery d ON d.bundled_into_id = c.id AND d.state = 'bundled'
    WHERE c.sent_at > %(since)s GROUP BY 1
"""

HANDED_OVER = """
    SELECT width_bucket(lag, %(bounds)s::float8[]), count(*), sum(lag) FROM (
        SELECT greatest(extract(epoch FROM sent_at - queued_at), 0)::float8 AS lag
        FROM escalation_delivery WHERE sent_at > %(since)s
    ) AS lags GROUP BY 1
"""

RECORDED = """
    SELECT width_bucket(lag, %(bounds)s::float8[]), count(*), sum(lag) FROM (
        SELECT DISTINCT n.id, greatest(extract(epoch FROM n.created_at - n.due_at), 0)::float8 AS lag
        FROM escalation_delivery d JOIN escalation_notification n ON n.id = d.notification_id
        WHERE d.sent_at > %(since)s AND n.reason = 'step'
    ) AS lags GROUP BY 1
"""

REGISTRY.register(EngineCollector())
