"""A sender is killed in the middle of sending: every message still arrives."""

from __future__ import annotations

import signal
import time
from collections import Counter

import pytest
from django.utils import timezone

from escalation.channels.mail_token import token
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState
from tests.escalation.sink import running_sink

INCIDENTS = 100
KILLS = 4


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
        sink.seconds_before = 0.02  # most of the time a message is on its way and not yet taken
        mail = {"EMAIL_URL": url, "EMAIL_FROM": "OpsDesk <alerts@ops.example.com>"}
        held = 0
        for n, victim in enumerate(processes(KILLS, **mail), start=1):
            victim.tell("send email 60")
            wait_for(lambda n=n: len(sink.raw) >= 25 * n)
            victim.process.send_signal(signal.SIGKILL)
            victim.process.wait()
            held += Delivery.objects.filter(state=DeliveryState.SENDING).count()
            wait_for(lambda: bool(tick().took_back) or not Delivery.objects.filter(state="sending").exists())
        (last,) = processes(1, **mail)
        last.tell("send email 10")
        last.answer()
        arrived = Counter(message["Message-ID"] for message in sink.messages)

    assert held, "nothing was in the hands of the killed: the test did not hit"
    assert set(arrived) == {f"<delivery-{token(pk)}@ops.example.com>" for pk in wanted}
    assert sum(arrived.values()) - len(arrived) <= KILLS, "only what was being sent may come twice"
    assert not Delivery.objects.exclude(state=DeliveryState.SENT).exists()


def wait_for(happens, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
