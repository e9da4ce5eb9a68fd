"""The plant and the clock of the scenarios, for the parts of the engine."""

from tests.scenarios.conftest import advance, told, world

__all__ = ["advance", "told", "world"]
