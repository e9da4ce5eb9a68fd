"""While the workers are away the watcher goes the rounds too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from escalation import watcher
from escalation.watch import Facts

pytestmark = pytest.mark.django_db


def test_the_watcher_goes_the_rounds_while_something_is_wrong_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    watching = watcher.Watcher(now - timedelta(minutes=5))
    asked: list[str] = []
    for name, hand in watching.hands.items():
        monkeypatch.setattr(hand, "ask", lambda name=name: asked.append(name))
    watching.facts = Facts(now, answered_at=now)
    watching.turn(now)
    assert "rounds" not in asked
    watching.facts = Facts(now - timedelta(minutes=2), answered_at=now)
    watching.turn(now)
    assert "rounds" in asked


def test_its_round_is_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[bool] = []
    monkeypatch.setattr(watcher.rounds, "stand_in", lambda: went.append(True))
    watcher.stand_in_for_the_rounds()
    assert went == [True]
