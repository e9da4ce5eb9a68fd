"""The plant of the scenarios, and the clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def world(db: None) -> Any:
    from tests.scenarios.world import build_world  # Django's apps are not loaded yet when this file is

    return build_world()


@pytest.fixture
def advance(world: Any) -> Callable[..., None]:
    """`advance(minutes=…)`: move the clock, tick and drain the outbox at every moment that matters."""
    from tests.scenarios import world as scenes

    def go(minutes: float = 0, hours: float = 0, **asked: Any) -> None:
        scenes.advance(world, world.now + timedelta(minutes=minutes, hours=hours), **asked)

    return go


@pytest.fixture
def told() -> Callable[..., list[tuple[int, str]]]:
    from tests.scenarios import world as scenes

    return scenes.told
