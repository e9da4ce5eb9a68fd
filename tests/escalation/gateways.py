"""Two gateways for texts, as the tests of providers see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from escalation.engine import tick
from escalation.models import Delivery
from escalation.outbox.lineup import down_until
from tests.emulators.twilio import Emulator, running_twilio

SECOND = timedelta(seconds=1)

FIRST, SECOND_ONE = "twilio 127.0.0.1", "twilio localhost"
"""What the two gateways are called."""


@contextmanager
def two_gateways(settings: Any, world: Any) -> Iterator[tuple[Emulator, Emulator]]:
    """Two gateways with the plant's clock, the second under another name of this machine."""
    down_until.clear()
    with running_twilio() as first, running_twilio() as second:
        first.clock = second.clock = lambda: world.now
        settings.SMS_URL = f"{first.address} {second.address.replace('127.0.0.1', 'localhost')}"
        yield first, second


def raised(world: Any, impact: str = "stopped") -> Any:
    incident = world.raise_it(impact)
    tick(now=world.now)
    return incident


def of(world: Any, name: str = "vela") -> list[tuple[str, str, str]]:
    """Channel, provider and state of what one person was sent, in order."""
    rows = Delivery.objects.filter(notification__person=world[name]).order_by("id")
    return [(one.channel, one.provider, str(one.state)) for one in rows]


def number(world: Any, name: str = "vela") -> str:
    return str(world[name].mobile)
