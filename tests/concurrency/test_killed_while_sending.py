"""A sender is killed in the middle of sending: every message still arrives."""

from __future__ import annotations

import signal
import time
from collections import Counter

import pytest
from django.utils import timezone

from escalation.engine import tick
from escalation.models import Delivery, DeliveryState
from tests.escalation.sink import running_sink

INCIDENTS = 120


@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_of_sending_loses_nothing(world, processes):
    world.now = timezone.now()
    for person in world.people.values():
        person.urgent_channels = ["email"]
        person.save(update_fields=["urgent_channels"])
    for _unused in range(INCIDENTS):
        world.raise_it("stopped")
    tick()
    wanted = set(Delivery.objects.values_list("pk", flat=True))
    assert len(wanted) >= 2 * INCIDENTS

    with running_sink() as (sink, url):
        sink.seconds = 0.01
        victim, other = processes(2, EMAIL_URL=url, EMAIL_FROM="OpsDesk <alerts@ops.example.com>")
        victim.tell("send email 60")
        other.tell("send email 8")
        wait_for(lambda: len(sink.raw) >= 40)
        victim.process.send_signal(signal.SIGKILL)
        victim.process.wait()
        held = Delivery.objects.filter(state=DeliveryState.SENDING).count()
        wait_for(lambda: bool(tick().took_back) or not Delivery.objects.filter(state="sending").exists(), 5)
        other.answer()
        (third,) = processes(1, EMAIL_URL=url, EMAIL_FROM="OpsDesk <alerts@ops.example.com>")
        third.tell("send email 4")
        third.answer()
        arrived = Counter(message["Message-ID"] for message in sink.messages)

    assert held, "nothing was in the hands of the killed one: the test did not hit"
    assert set(arrived) == {f"<delivery-{pk}@ops.example.com>" for pk in wanted}
    assert sum(arrived.values()) - len(arrived) <= 1, "only the message it was sending may come twice"
    assert not Delivery.objects.exclude(state=DeliveryState.SENT).exists()


def wait_for(happens, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
