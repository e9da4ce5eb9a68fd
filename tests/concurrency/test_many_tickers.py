"""Several engines at once, as real processes on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import timedelta

import pytest

from escalation.defaults import DEFAULT_CLOCKS
from escalation.models import Delivery, Notification, Reason, Timer, TimerState
from escalation.policies import publish
from incidents.models import Event, EventKind

INCIDENTS = 300
ASKED = 60
LADDER = {0: 2, 5: 2, 10: 3, 25: 7}
"""People told at each minute of the default S1 response ladder, in the plant of the scenarios."""


@pytest.mark.django_db(transaction=True)
def test_six_tickers_over_300_incidents_fire_each_step_exactly_once(world, processes):
    numbers = {world.raise_it("stopped").pk for _unused in range(INCIDENTS)}
    tickers = processes(6)
    fired: Counter[int] = Counter()
    for minute in LADDER:
        moment = world.now + timedelta(minutes=minute, seconds=1)
        for ticker in tickers:
            ticker.tell(f"tick {moment.isoformat()}")
        for n, ticker in enumerate(tickers):
            answer = ticker.answer()
            assert answer["errors"] == []
            fired[n] += answer["fired"]

    assert sum(fired.values()) == INCIDENTS * len(LADDER)
    assert len([n for n, count in fired.items() if count]) >= 2, "only one ticker did all the work"
    told = Counter(Notification.objects.values_list("incident_id", "person_id", "data__step", "data__round"))
    assert set(told.values()) == {1}
    assert len(told) == INCIDENTS * sum(LADDER.values())
    assert Delivery.objects.values("notification", "channel").distinct().count() == Delivery.objects.count()
    assert Event.objects.filter(kind=EventKind.TOLD).count() == INCIDENTS * len(LADDER)
    assert Timer.objects.filter(state=TimerState.FIRED).count() == INCIDENTS * len(LADDER)
    armed = Counter(Timer.objects.armed().filter(clock="response").values_list("incident_id", flat=True))
    assert armed == dict.fromkeys(numbers, 1)


@pytest.mark.django_db(transaction=True)
def test_six_tickers_ask_each_person_again_exactly_once(world, processes):
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    clocks["response"][2]["answer"] = True
    publish(by=None, severity="S1", clocks=clocks, why="Each answers for themselves", now=world.now)
    for _unused in range(ASKED):
        world.raise_it("stopped")
    tickers = processes(6)
    for minute in (0, 5, 10, 15, 20):
        moment = world.now + timedelta(minutes=minute, seconds=1)
        for ticker in tickers:
            ticker.tell(f"tick {moment.isoformat()}")
        for ticker in tickers:
            assert ticker.answer()["errors"] == []
        Delivery.objects.filter(state="queued").update(state="sent", sent_at=moment)

    again = Notification.objects.filter(reason=Reason.ASKED_AGAIN)
    asked = Counter(again.values_list("incident_id", "person_id", "times_asked"))
    assert set(asked.values()) == {1}
    assert len(asked) == ASKED * 3 * 2
    waiting = Counter(Notification.objects.exclude(ask_again_at=None).values_list("incident_id", "person_id"))
    assert set(waiting.values()) == {1}
