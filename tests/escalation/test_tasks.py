"""What the workers do: thin tasks around the engine and the outbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from escalation import engine, tasks, watch
from escalation.models import Delivery, DeliveryState, Notification, Post, PostState, Timer
from escalation.rounds import Done
from escalation.webhooks.lifecycle import add as add_listener

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


def test_what_is_overdue_because_it_is_set_aside_takes_no_step_its_second(world, monkeypatch):
    world.now = timezone.now()
    stuck, other = world.raise_it("stopped"), world.raise_it("stopped")
    engine.tick()
    now = timezone.now()
    Timer.objects.armed().filter(incident=stuck, clock="response").update(due_at=now - timedelta(minutes=1))
    Timer.objects.armed().filter(incident=other, clock="response").update(due_at=now + timedelta(seconds=0.9))
    waited: list[float] = []
    monkeypatch.setattr("escalation.engine.ticking.time.sleep", waited.append)
    assert engine.wait_for_next()
    assert waited and waited[0] > 0


def test_a_tick_wakes_who_has_something_due_and_nobody_else(world, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(tasks, "nudge_channel", asked.append)
    world.now = timezone.now()
    tasks.tick()
    assert asked == [], "nothing has happened"
    world.raise_it("stopped")
    tasks.tick()
    tasks.tick()
    assert asked == ["sms", "sms"], "until it is sent"
    tasks.deliver_due("sms")
    Delivery.objects.update(receipt_due_at=timezone.now())
    asked.clear()
    tasks.tick()
    assert asked == ["sms"], "a receipt is overdue"
    Delivery.objects.update(receipt_due_at=None)
    Delivery.objects.update(state=DeliveryState.QUEUED, not_before=timezone.now() + timedelta(hours=1))
    asked.clear()
    tasks.tick()
    assert asked == [], "it waits until then"


def test_a_tick_wakes_those_who_serve_rooms_and_programs_while_something_is_to_be_posted(world, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(tasks, "nudge_channel", asked.append)
    world.now = timezone.now()
    given = {"by": world["hutchins"], "site": world.site, "name": "Room", "address": "sandbox://room"}
    add_listener(kind="chat", **given)
    world.raise_it("none")
    tasks.tick()
    assert set(asked) & {"chat", "webhooks"} == {"chat"}, "an event waits, and only a room listens"
    tasks.post_due("chat")
    asked.clear()
    Post.objects.update(state=PostState.QUEUED, sent_at=None)
    tasks.tick()
    assert set(asked) & {"chat", "webhooks"} == {"chat"}


def test_beat_wakes_the_engine_every_second_and_each_queue_often_enough_to_be_seen_alive():
    entries: list[dict[str, Any]] = list(settings.CELERY_BEAT_SCHEDULE.values())
    (tick,) = [one for one in entries if one["task"] == tasks.tick.name]
    assert tick["schedule"] == 1.0
    senders = [one for one in entries if one["task"] in (tasks.deliver_due.name, tasks.post_due.name)]
    assert {one["args"][0] for one in senders} == {*settings.CHANNELS, *settings.LISTENERS}
    assert all(one["options"]["queue"] == one["args"][0] for one in senders)
    assert all(one["schedule"] * 3 < watch.SILENT_AFTER.total_seconds() for one in senders)
    assert all(0 < one["options"]["expires"] <= 5 for one in (tick, *senders))


def test_what_is_done_now_and_then_expires_before_it_comes_again():
    entries: list[dict[str, Any]] = list(settings.CELERY_BEAT_SCHEDULE.values())
    assert tasks.rounds.name in {entry["task"] for entry in entries}
    slow = [entry for entry in entries if entry["schedule"] > 1]
    assert all(0 < entry["options"]["expires"] <= entry["schedule"] for entry in slow)
    assert {entry["options"]["queue"] for entry in slow if "args" not in entry} == {"engine"}


def test_the_rounds_wake_the_channels_they_queued_for(monkeypatch: pytest.MonkeyPatch):
    nudged: list[str] = []
    monkeypatch.setattr(tasks.now_and_then, "go", lambda: Done(told=1, channels={"sms"}))
    monkeypatch.setattr(tasks, "nudge_channel", nudged.append)
    tasks.rounds()
    assert nudged == ["sms"]
