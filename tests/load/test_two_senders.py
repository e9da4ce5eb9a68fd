"""Several senders at once: the budget is exact, because claiming and counting is one step under one lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from escalation import outbox
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState
from escalation.outbox import gate
from plant.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plant(transactional_db: None) -> Any:
    from tests.scenarios.world import build_world

    return build_world()


def raise_(world: Any, count: int) -> None:
    for _unused in range(count):
        station = make.make_station(line=make.make_line(area=world.area))
        world.raise_it("at_risk", station=station)
    tick(now=world.now)


def at_once(work: Callable[[], object], count: int = 2) -> None:
    """The same work in so many threads, each with a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _unused in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def mine(world: Any) -> Any:
    return Delivery.objects.filter(notification__person=world["vela"], channel="sms")


def test_two_senders_never_both_take_the_last_place(plant, sms, monkeypatch):
    raise_(plant, 1)
    outbox.deliver_due("sms", plant.now)
    raise_(plant, 2)
    together, read = threading.Barrier(2), gate._read

    def read_when_both_have_claimed(*asked: Any, **named: Any) -> Any:
        """Without the lock both stand here with a claim that the other cannot see."""
        with suppress(threading.BrokenBarrierError):
            together.wait(1.0)
        return read(*asked, **named)

    monkeypatch.setattr(gate, "_read", read_when_both_have_claimed)
    at_once(lambda: outbox.deliver_due("sms", plant.now, limit=1))
    assert mine(plant).filter(state=DeliveryState.SENT).count() == 2
    assert mine(plant).filter(state=DeliveryState.QUEUED, not_before__gt=plant.now).count() == 1


def test_many_messages_to_many_people_by_two_senders(plant, sms):
    """Whatever the order in which they claim: two each, and everything is sent or waits."""
    for n in range(4):
        make.give_role(plant[("brandt", "kowal", "jimenez", "petty")[n]], Role.IT_TECH, site=plant.site)
    for _unused in range(3):  # one more would be a storm
        raise_(plant, 3)
        at_once(lambda: outbox.deliver_due("sms", plant.now, limit=2), count=3)
    at = plant.now
    rang = [one for one in sms.sent if one.notification.person == plant["vela"]]
    assert len(rang) <= 2
    assert set(mine(plant).values_list("state", flat=True)) <= {
        DeliveryState.SENT,
        DeliveryState.BUNDLED,
        DeliveryState.QUEUED,
    }
    at_once(lambda: outbox.deliver_due("sms", at + timedelta(minutes=10), limit=2), count=3)
    assert not mine(plant).filter(state=DeliveryState.QUEUED).exists()
    assert len([one for one in sms.sent if one.notification.person == plant["vela"]]) == len(rang) + 1
    carriers = {one.carrier.state for one in mine(plant).select_related("bundled_into")}
    assert carriers == {DeliveryState.SENT}
