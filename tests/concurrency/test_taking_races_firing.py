"""People take incidents in the very moment their steps fire."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.utils import timezone

from escalation.models import Delivery, DeliveryState, Notification
from incidents.models import Event, EventKind, Incident

INCIDENTS = 1000
SECONDS = 14


@pytest.mark.django_db(transaction=True)
def test_taking_races_firing_a_thousand_times_and_neither_is_lost(world, processes):
    """No deadlock, no lost acknowledgement, and nobody is told by the response clock after one."""
    world.now = timezone.now()
    numbers = [world.raise_it("at_risk").number for _unused in range(INCIDENTS)]
    one, two, sender, vela, kowal = processes(5)
    half = INCIDENTS // 2
    one.tell(f"tick-small {SECONDS}")
    two.tell(f"tick-small {SECONDS}")
    sender.tell(f"send sms {SECONDS}")
    vela.tell("acknowledge vela " + ",".join(map(str, numbers[:half])))
    kowal.tell("acknowledge kowal " + ",".join(map(str, numbers[half:])))

    assert vela.answer() == {"taken": half, "errors": []}
    assert kowal.answer() == {"taken": half, "errors": []}
    assert one.answer()["errors"] == two.answer()["errors"] == []
    sender.answer()
    assert Incident.objects.filter(status="acknowledged", owner__isnull=False).count() == INCIDENTS
    assert Event.objects.filter(kind=EventKind.ACKNOWLEDGED).count() == INCIDENTS

    taken = dict(Event.objects.filter(kind=EventKind.ACKNOWLEDGED).values_list("incident_id", "id"))
    told = Event.objects.filter(kind=EventKind.TOLD, data__clock="response").values_list("incident_id", "id")
    # Both are numbered under the incident's lock: a higher number came later.
    assert [incident for incident, number in told if number > taken[incident]] == []
    assert 0 < len(told) < INCIDENTS, "there was no race: one side was always first"
    per_person = Notification.objects.filter(clock="response").values("incident", "person").distinct().count()
    assert per_person == Notification.objects.filter(clock="response").count()

    late = Delivery.objects.filter(
        notification__clock="response",
        state=DeliveryState.DELIVERED,
        sent_at__gt=F("notification__incident__acknowledged_at"),
    )
    slowest = max(
        (
            (d.sent_at - d.notification.about.acknowledged_at).total_seconds()
            for d in late
            if d.sent_at and d.notification.about.acknowledged_at
        ),
        default=0.0,
    )
    assert slowest < 1.0, f"a message went out {slowest:.2f} s after somebody had it"
