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
def plant(world: Any) -> Any:
    """The world of the scenarios on two shifts, 05:00 to 23:00 from Monday to Friday."""
    from tests.factories import crew_of, make_two_shifts, put_on_roster

    world.site.shift_patterns.all().delete()
    pattern = make_two_shifts(site=world.site, areas=[world.area])
    for name, crews in {"vela": ["D1"], "ishida": ["D2"], "brandt": ["D1", "D2"]}.items():
        for crew in crews:
            put_on_roster(world[name], crew_of(pattern, crew))
    return world


@pytest.fixture
def told() -> Callable[..., list[tuple[int, str]]]:
    from tests.scenarios import world as scenes

    return scenes.told
