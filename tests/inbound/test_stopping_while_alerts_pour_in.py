"""STOP comes while the engine tells the same person more: neither waits for the other in a circle."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from escalation.engine import fire, tick
from escalation.inbound import opting_out
from escalation.models import Delivery, DeliveryState, Timer
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plant(transactional_db: None) -> Any:
    from tests.scenarios.world import build_world

    return build_world()


def raise_(plant: Any) -> Any:
    station = make.make_station(line=make.make_line(area=plant.area))
    return plant.raise_it("stopped", station=station)


def somebody_waits_for_me() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() = ANY(pg_blocking_pids(pid)) FROM pg_locks WHERE NOT granted")
        return any(mine for (mine,) in cursor.fetchall())


def test_stop_and_a_batch_that_tells_the_same_person_both_get_through(plant, monkeypatch, caplog):
    """The batch holds what Vela was told of before, tells Vela of another, and STOP comes before it ends."""
    raise_(plant)
    tick(now=plant.now)
    raise_(plant)
    ended: list[Any] = []

    def stop() -> None:
        try:
            ended.append([one.username for one in opting_out.stop(plant["vela"].mobile, now=plant.now)])
        except Exception as error:
            ended.append(error)
        finally:
            connection.close()

    texter, real = threading.Thread(target=stop), fire.arm

    def arm(*given: Any, **named: Any) -> int:
        if not texter.ident:
            texter.start()
            for _unused in range(500):
                if somebody_waits_for_me():
                    break
                texter.join(0.01)
            else:
                raise AssertionError("STOP did not wait for the batch: this proves nothing")
        return real(*given, **named)

    monkeypatch.setattr(fire, "arm", arm)
    plant.now += timedelta(minutes=5)
    assert tick(now=plant.now).fired == 2
    texter.join(30)
    assert ended == [["vela"]]
    assert "batch" not in caplog.text
    assert Timer.objects.filter(state="fired").count() == 3
    texts = Delivery.objects.filter(channel="sms", notification__person=plant["vela"])
    assert set(texts.values_list("state", flat=True)) == {DeliveryState.FAILED}
    mails = Delivery.objects.filter(channel="email", notification__person=plant["vela"])
    assert mails.count() == texts.count() == 2
