"""An engine that is frozen in the middle of a transaction does not keep its incidents for itself."""

from __future__ import annotations

import signal
import time

import pytest
from django.utils import timezone

from escalation.engine import tick
from escalation.models import Timer
from incidents import lifecycle


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
def test_what_a_frozen_engine_has_locked_is_free_again_before_the_watcher_steps_in(world, processes):
    world.now = timezone.now()
    incident = world.raise_it("stopped")
    (frozen,) = processes(1, DB_STATEMENT_SECONDS="60")
    frozen.tell("hold")
    assert frozen.answer() == {"held": 1}
    frozen.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        assert tick().fired == 0, "nothing was locked: this proves nothing"
        while not tick().fired:
            assert time.monotonic() - began < 20
            time.sleep(0.5)
        lifecycle.acknowledge(incident.number, by=world["vela"])
    finally:
        frozen.process.send_signal(signal.SIGCONT)
    assert Timer.objects.filter(incident=incident, state="fired").count() == 1
