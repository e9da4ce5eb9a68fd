"""The plant and the clock of the scenarios, with practices looked after as beat does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.scenarios.conftest import told, world

__all__ = ["told", "world"]


@pytest.fixture
def advance(world: Any) -> Callable[..., None]:
    """`advance(minutes=…)`: engine, outbox and practices have their turn every few seconds."""
    from escalation.drills import running
    from tests.scenarios import world as scenes

    def go(minutes: float = 0, seconds: float = 0, *, turn: float = 20) -> None:
        end = world.now + timedelta(minutes=minutes, seconds=seconds)
        while True:
            running.look(now=world.now)
            scenes.advance(world, world.now)
            if world.now >= end:
                return
            world.now = min(end, world.now + timedelta(seconds=turn))

    return go
