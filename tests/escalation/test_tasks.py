"""What the workers do: thin tasks around the engine and the outbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from escalation import engine, tasks
from escalation.models import Delivery, DeliveryState, Notification, Timer
from escalation.rounds import Done

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_tick_and_a_delivery_bring_a_message_out(world):
    world.now = timezone.now()
    world.raise_it("stopped")
    tasks.tick()
    tasks.deliver_due("sms")
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DELIVERED}


def test_a_tick_asks_the_channels_that_have_work_to_send_it(world, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(tasks, "nudge_channel", asked.append)
    world.now = timezone.now()
    world.raise_it("stopped")
    tasks.tick()
    assert asked == ["sms"]


def test_a_step_that_is_due_within_the_second_goes_out_when_it_is_due(world):
    world.now = timezone.now()
    world.raise_it("stopped")
    tasks.tick()
    due = timezone.now() + timedelta(seconds=0.4)
    Timer.objects.armed().filter(clock="response").update(due_at=due)
    tasks.tick()
    second = Notification.objects.filter(data__step=1)
    assert second.exists()
    assert second[0].created_at >= due


def test_nobody_waits_for_a_step_that_is_further_away(world, monkeypatch):
    world.now = timezone.now()
    world.raise_it("stopped")
    engine.tick()
    monkeypatch.setattr("escalation.engine.ticking.time.sleep", lambda _seconds: pytest.fail("it waited"))
    assert not engine.wait_for_next()


def test_beat_wakes_the_engine_and_each_channel_every_second_with_messages_that_expire():
    entries: list[dict[str, Any]] = list(settings.CELERY_BEAT_SCHEDULE.values())
    quick = [one for one in entries if one["task"] in (tasks.tick.name, tasks.deliver_due.name)]
    assert {entry["args"][0] for entry in quick if "args" in entry} == set(settings.CHANNELS)
    assert len(quick) == 1 + len(settings.CHANNELS)
    assert all(entry["schedule"] == 1.0 and 0 < entry["options"]["expires"] <= 5 for entry in quick)


def test_what_is_done_now_and_then_expires_before_it_comes_again():
    entries: list[dict[str, Any]] = list(settings.CELERY_BEAT_SCHEDULE.values())
    assert tasks.rounds.name in {entry["task"] for entry in entries}
    slow = [entry for entry in entries if entry["schedule"] > 1]
    assert all(0 < entry["options"]["expires"] <= entry["schedule"] for entry in slow)
    assert {entry["options"]["queue"] for entry in slow} == {"engine"}


def test_the_rounds_wake_the_channels_they_queued_for(monkeypatch: pytest.MonkeyPatch):
    nudged: list[str] = []
    monkeypatch.setattr(tasks.now_and_then, "go", lambda: Done(told=1, channels={"sms"}))
    monkeypatch.setattr(tasks, "nudge_channel", nudged.append)
    tasks.rounds()
    assert nudged == ["sms"]
