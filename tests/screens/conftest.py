"""The plant of the scenarios seen on screens: the clock stands where the world's clock stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.scenarios.conftest import advance, plant, told, world

__all__ = ["advance", "plant", "told", "world"]


@pytest.fixture(autouse=True)
def the_clock_of_the_world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Screens ask `timezone.now()`; in a test with a world it is that world's time."""
    cache.clear()  # brakes on tries count in there
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        monkeypatch.setattr("django.utils.timezone.now", lambda: world.now)


@pytest.fixture
def as_(world: Any) -> Callable[[str], Client]:
    """A browser with this person of the world signed in."""

    def sign_in(name: str) -> Client:
        client = Client()
        client.force_login(world[name])
        return client

    return sign_in
