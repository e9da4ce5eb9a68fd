"""What the machine must know for the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from tests.properties.channel import Provider
from tests.properties.faults import Troubles
from tests.properties.model import Model, Thing
from tests.properties.seen import Notification, Seen


class Watching:
    """What it knows, and what the database shows."""

    model: Model
    provider: Provider
    troubles: Troubles
    """What the product caught and logged."""
    now: datetime
    is_quiet: bool
    """Whether this step ended with a whole turn of the engine that nothing disturbed."""
    over_since: datetime | None
    """When the last quiet hours began, once they have passed: what could happen has happened to what was
    recorded before. Meanwhile steps went on, and some of their messages wait for the next morning."""
    turned_at: datetime | None
    """When the last turn of the engine ended for sure."""
    maybe_turned_at: datetime | None
    """When one may have ended: it was broken off somewhere."""
    torn: Counter[int]
    """How often a sender died with this message in its hands: so often more it may go out."""
    sent_in_vain: list[str]
    tampered: set[int]
    """Incidents whose rows somebody damaged; until the engine has read them again."""
    silent_since: dict[int, tuple[datetime, int]]
    """Since when an incident waits for nothing, and its version then."""
    left_alone: dict[int, datetime]
    """When the engine, and its auditor, last ran while somebody held this incident's row, or broke off."""
    absent: set[str]
    crews: dict[str, list[str]]
    names: dict[int, str]
    addresses: dict[int, set[str]]
    """The channels by which each person can be reached, by id."""
    watcher: Callable[[], Seen]

    @property
    def seen(self) -> Seen:
        return self.watcher()

    def _about(self, told: Notification) -> Thing:
        assert told.incident is not None
        return self.model.things[told.incident]


def name_of(thing: Thing) -> str:
    return f"INC-{thing.number} ({thing.impact})"
