"""Many tickers find the same silent owners: each loses each incident once, and everybody hears it once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from escalation.engine import tick
from escalation.models import Notification, Reason
from incidents import lifecycle
from incidents.models import Event, EventKind, Incident

INCIDENTS = 60


@pytest.mark.django_db(transaction=True)
def test_silence_takes_each_incident_back_once_however_many_tickers_there_are(world, processes):
    world.now = timezone.now() - timedelta(minutes=61)
    numbers = [world.raise_it("stopped").number for _unused in range(INCIDENTS)]
    for number in numbers:
        lifecycle.acknowledge(number, by=world["vela"], now=world.now)
    tick(now=world.now)
    moment = (world.now + timedelta(minutes=61)).isoformat()
    workers = processes(3)
    for worker in workers:
        worker.tell(f"tick {moment}")
    assert [worker.answer()["errors"] for worker in workers] == [[]] * 3
    assert Incident.objects.filter(status="raised", owner=None).count() == INCIDENTS
    lapsed = Event.objects.filter(kind=EventKind.LAPSED).values_list("incident_id", flat=True)
    assert len(lapsed) == len(set(lapsed)) == INCIDENTS
    for reason, per_incident in ((Reason.LAPSED, 1), (Reason.STEP, 2)):
        told = Notification.objects.filter(reason=reason, created_at=moment, clock__in=["", "response"])
        assert told.count() == INCIDENTS * per_incident
