"""Several engines at once, as real processes on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from escalation.models import Delivery, Notification, Timer, TimerState
from incidents.models import Event, EventKind

INCIDENTS = 300
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
