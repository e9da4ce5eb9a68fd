"""When places work, for the rules: read when the first step that may wait asks, then remembered.

S1, S2 and safety never ask, so that a batch of them costs no query and no time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from escalation.rules import Stretch
from plant.duty import DutyBook
from plant.models import Area, Site
from plant.working_time import PlantHours, Wait, WorkingTime


class Hours:
    """The working hours of every place, for one batch or one screen."""

    def __init__(self, read: Callable[[], PlantHours]) -> None:
        self._read = read
        self._known: PlantHours | None = None

    @classmethod
    def at(cls, now: datetime) -> Hours:
        """Read anew: what the engine plans by is never older than its batch."""
        return cls(lambda: PlantHours.at(now))

    @classmethod
    def of(cls, book: DutyBook) -> Hours:
        """Read with a book that is there already."""
        return cls(lambda: WorkingTime.load(book))

    def stretch(self, place: Area | Site) -> Stretch:
        """What the rules ask about one place."""
        return lambda at: self.wait(place, at)

    def wait(self, place: Area | Site, at: datetime) -> Wait:
        if self._known is None:
            self._known = self._read()
        return self._known.wait(place, at)
