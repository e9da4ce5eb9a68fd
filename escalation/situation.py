"""What the rules look at and what they answer: plain values, without a database or a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

ON_TIME = timedelta(seconds=60)
"""A step fired within this of its due moment counts as on time: the following ones keep their minutes."""


@dataclass(frozen=True, slots=True)
class IncidentState:
    """What the rules need to know of an incident."""

    status: str
    severity: str
    clocks_from: datetime
    """When it was raised, came back, or was taken back from a silent owner."""
    troubled_since: datetime | None = None
    """When it was raised or came back; None: the same. Silence does not make product move."""
    is_safety: bool = False
    acknowledged_at: datetime | None = None
    next_update_due: datetime | None = None
    waiting_until: datetime | None = None
    shelved_until: datetime | None = None
    replanned_at: datetime | None = None
    """When its severity last changed, and with it the policy."""
    update_every: timedelta | None = None
    """How often its owner owes a word; None: never."""
    has_spoken: bool = False
    """Whether a word was said, or help asked for, since somebody took it."""

    @property
    def has_lapsed(self) -> bool:
        """Nobody has it any more, and product has been suffering for longer than that."""
        return self.troubled_since is not None and self.troubled_since < self.clocks_from

    @property
    def word_due(self) -> datetime | None:
        """When somebody owes a word: the owner, or what it waits on, whichever was promised sooner."""
        return min(filter(None, (self.next_update_due, self.waiting_until)), default=None)


@dataclass(frozen=True, slots=True)
class FiredStep:
    """The last firing of a step of a clock in an epoch under one severity."""

    clock: str
    epoch: datetime
    severity: str
    step: int
    round: int
    due_at: datetime
    fired_at: datetime
    waited: bool = False
    """Whether it had been stretched to a working minute."""

    @property
    def was_late(self) -> bool:
        return self.fired_at - self.due_at > ON_TIME

    @property
    def counted_from(self) -> datetime:
        return self.fired_at if self.was_late else self.due_at


@dataclass(frozen=True, slots=True)
class WantedTimer:
    """The next step of one clock. It speaks for the steps `first_step` to `step`.

    One that waits for the place to work has `planned_at`, when it would be due else, and `waits_for`, why.
    """

    clock: str
    epoch: datetime
    severity: str
    step: int
    round: int
    first_step: int
    due_at: datetime
    planned_at: datetime | None = None
    waits_for: str = ""

    @property
    def key(self) -> tuple[str, datetime, str, int, int]:
        return (self.clock, self.epoch, self.severity, self.step, self.round)


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody to tell: holders of a role, or (`role` empty) a person by username."""

    role: str
    person: str
    channels: tuple[str, ...]
    answer: bool = False
