"""Waking the engine early: quick, at most so often, and without any harm when the broker is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from escalation import nudging
from escalation.models import Unread


@pytest.fixture
def published(monkeypatch, settings) -> Iterator[list[tuple[str, dict]]]:
    settings.NUDGE_ENGINE = True
    nudging._not_before.clear()
    found: list[tuple[str, dict]] = []
    monkeypatch.setattr(
        nudging.current_app, "send_task", lambda name, **how: found.append((name, how)), raising=False
    )
    yield found
    nudging._not_before.clear()


def test_a_nudge_asks_for_a_tick_that_expires(published):
    nudging.nudge()
    ((name, how),) = published
    assert name == "escalation.tasks.tick"
    assert 0 < how["expires"] <= 5
    assert how["retry"] is False


def test_many_changes_at_once_nudge_once(published):
    for _unused in range(20):
        nudging.nudge()
    assert len(published) == 1


def test_each_channel_is_nudged_for_itself(published):
    nudging.nudge_channel("sms")
    nudging.nudge_channel("chat")
    assert [how["queue"] for _name, how in published] == ["sms", "chat"]
    assert [name.rpartition(".")[2] for name, _how in published] == ["deliver_due", "post_due"]


def test_rooms_and_programs_are_woken_once_a_second_at_most(published, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(nudging.time, "monotonic", lambda: clock[0])
    for _unused in range(8):
        nudging.nudge_channel("sms")
        nudging.nudge_channel("chat")
        clock[0] += 0.25
    asked = [how["queue"] for _name, how in published]
    assert (asked.count("sms"), asked.count("chat")) == (8, 2)


def test_without_the_setting_nobody_is_nudged(published, settings):
    settings.NUDGE_ENGINE = False
    nudging.nudge()
    assert published == []


def test_a_broker_that_is_away_is_logged_and_left_alone_for_a_while(published, monkeypatch, caplog):
    asked = []

    def gone(name, **how):
        asked.append(name)
        raise ConnectionError("refused")

    monkeypatch.setattr(nudging.current_app, "send_task", gone, raising=False)
    nudging.nudge()
    nudging.nudge()
    nudging.nudge_channel("sms")
    assert len(asked) == 1
    assert "did not take a nudge" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_committed_change_nudges_and_is_noted(world, published):
    world.raise_it("stopped")
    assert [name for name, _how in published] == ["escalation.tasks.tick"]
    assert Unread.objects.count() == 1
