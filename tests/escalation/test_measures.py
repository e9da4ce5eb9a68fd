"""What Prometheus is told about the engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import Sum
from prometheus_client import REGISTRY

from escalation import measures, outbox, watch
from escalation.engine import tick
from escalation.engine.reconcile import reconcile_batch
from escalation.models import Delivery, ProviderHealth, TurnCount

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def numbers(now: Any) -> dict[str, float]:
    """Every sample by name and labels: `opsdesk_timers{state="armed"}`."""
    found = {}
    for metric in measures.measure(now):
        for sample in metric.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def test_turns_are_counted_by_their_length_in_all_processes(world):
    for seconds in (0.004, 0.005, 0.006, 7.0, 60.0):
        measures.count_turn(seconds)
    seen = numbers(world.now)
    assert seen['opsdesk_tick_seconds_bucket{le="0.005"}'] == 2
    assert seen['opsdesk_tick_seconds_bucket{le="0.01"}'] == 3
    assert seen['opsdesk_tick_seconds_bucket{le="5.0"}'] == 3
    assert seen['opsdesk_tick_seconds_bucket{le="10.0"}'] == 4
    assert seen['opsdesk_tick_seconds_bucket{le="+Inf"}'] == seen["opsdesk_tick_seconds_count"] == 5
    assert seen["opsdesk_tick_seconds_sum"] == pytest.approx(67.015)


def test_every_turn_counts_itself(world):
    tick(now=world.now)
    tick(now=world.now)
    assert TurnCount.objects.aggregate(Sum("turns"))["turns__sum"] == 2


def test_timers_that_wait_and_those_that_are_late(world):
    world.raise_it("stopped")
    reconcile_batch(world.now)
    seen = numbers(world.now)
    armed = seen['opsdesk_timers{state="armed"}']
    assert armed >= 1
    assert seen['opsdesk_timers{state="late"}'] == 0
    seen = numbers(world.now + 61 * SECOND)
    assert seen['opsdesk_timers{state="late"}'] >= 1
    assert seen['opsdesk_timers{state="armed"}'] == armed
    assert seen['opsdesk_trouble{kind="late"}'] == 1


def test_how_long_messages_wait_and_what_became_of_them(world):
    world.raise_it("stopped")
    tick(now=world.now)
    queued = float(Delivery.objects.filter(channel="sms").count())
    assert queued > 0
    seen = numbers(world.now + 20 * SECOND)
    assert seen['opsdesk_queue_age_seconds{channel="sms"}'] == 20
    assert seen['opsdesk_queue_age_seconds{channel="email"}'] == 0
    assert seen['opsdesk_deliveries{channel="sms",state="queued"}'] == queued
    outbox.deliver_due("sms", world.now + 20 * SECOND)
    seen = numbers(world.now + 30 * SECOND)
    assert seen['opsdesk_queue_age_seconds{channel="sms"}'] == 0
    assert seen['opsdesk_deliveries{channel="sms",state="queued"}'] == 0
    assert seen['opsdesk_deliveries{channel="sms",state="delivered"}'] == queued
    seen = numbers(world.now + 2 * measures.HOUR)
    assert seen['opsdesk_deliveries{channel="sms",state="delivered"}'] == 0


def test_messages_that_failed_are_counted(world):
    world.raise_it("stopped")
    tick(now=world.now)
    Delivery.objects.update(state="failed", failed_at=world.now)
    assert numbers(world.now)['opsdesk_deliveries{channel="sms",state="failed"}'] > 0


def test_lags_look_back_five_minutes(world):
    world.raise_it("stopped")
    tick(now=world.now + 2 * SECOND)
    told = Delivery.objects.filter(notification__reason="step").values("notification").distinct().count()
    outbox.drain(world.now + 5 * SECOND)
    seen = numbers(world.now + 10 * SECOND)
    assert seen['opsdesk_recorded_lag_seconds_bucket{le="1.5"}'] == 0
    assert seen['opsdesk_recorded_lag_seconds_bucket{le="2.5"}'] == told > 0
    assert seen["opsdesk_recorded_lag_seconds_gsum"] == pytest.approx(2.0 * told)
    assert seen['opsdesk_handed_over_lag_seconds_bucket{le="2.5"}'] == 0
    assert seen["opsdesk_handed_over_lag_seconds_gcount"] == Delivery.objects.count()
    assert seen["opsdesk_handed_over_lag_seconds_gsum"] == pytest.approx(3.0 * Delivery.objects.count())
    assert numbers(world.now + 400 * SECOND)["opsdesk_handed_over_lag_seconds_gcount"] == 0


def test_how_long_ago_each_part_was_seen(world):
    watch.beat(world.now)
    watch.beat(world.now, "sms")
    seen = numbers(world.now + 40 * SECOND)
    assert seen['opsdesk_last_seen_age_seconds{part="engine"}'] == 40
    assert seen['opsdesk_last_seen_age_seconds{part="sms"}'] == 40
    assert 'opsdesk_last_seen_age_seconds{part="watcher"}' not in seen
    assert seen['opsdesk_trouble{kind="engine"}'] == seen['opsdesk_trouble{kind="sender"}'] == 1
    assert seen['opsdesk_trouble{kind="unread"}'] == 0


def test_the_page_of_metrics_shows_them_with_what_they_mean(world, client):
    tick()
    text = client.get("/metrics").content.decode()
    assert "opsdesk_database_up 1.0" in text
    assert "# TYPE opsdesk_tick_seconds histogram" in text
    assert 'opsdesk_tick_seconds_bucket{le="+Inf"} 1.0' in text
    assert 'opsdesk_timers{state="armed"} 0.0' in text
    assert "opsdesk_handed_over_lag_seconds_bucket" in text
    assert "opsdesk_request_seconds" in text


def test_without_a_database_they_say_so(monkeypatch):
    def away(*_: object) -> Any:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(measures, "measure", away)
    assert REGISTRY.get_sample_value("opsdesk_database_up") == 0


def test_providers_that_are_up_and_down(world):
    ProviderHealth.objects.create(
        channel="sms", name="twilio api.example", failures=7, is_down=True, since=world.now
    )
    seen = numbers(world.now)
    assert seen['opsdesk_provider_up{channel="sms",provider="twilio api.example"}'] == 0
    assert seen['opsdesk_provider_failures{channel="sms",provider="twilio api.example"}'] == 7


def test_the_page_of_metrics_takes_few_queries(world, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):
        list(measures.measure(world.now))
