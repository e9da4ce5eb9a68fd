"""The plant of the scenarios seen on screens."""

from tests.screens.conftest import advance, as_, the_clock_of_the_world, told, world

__all__ = ["advance", "as_", "the_clock_of_the_world", "told", "world"]
