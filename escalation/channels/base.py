"""What every channel promises: take one message at a time, over a connection that serves many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from escalation.models import Delivery


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider took the message. `delivered` only where the channel knows that at once."""

    provider: str
    reference: str
    delivered: bool = False


class Failed(Exception):
    """The message did not go out; the text says why, for the page and the log."""

    is_permanent = False
    elsewhere = True
    """Whether another provider of the channel may still bring it there."""
    is_providers = False
    """Whether the provider itself is to blame, rather than this message or its address."""
    retry_after: float | None = None
    """Seconds that the provider asks us to wait, if it does."""


class TemporaryFailure(Failed):
    """Worth trying again: the provider is busy, or refuses for now."""


class PermanentFailure(Failed):
    """Trying again cannot help: there is no such address."""

    is_permanent = True
    elsewhere = False


class RefusedHere(PermanentFailure):
    """This provider will never take the message; another one may."""

    elsewhere = True


class OptedOut(PermanentFailure):
    """The reader asked for no more messages: that holds for every provider."""


class Unsure(TemporaryFailure):
    """A gateway that only says "no", or one of several that is away: whose fault it is, nobody knows yet."""

    is_providers = True


class ChannelDown(TemporaryFailure):
    """Nothing goes out by this provider now, whoever it is for."""

    is_providers = True


class Paused(ChannelDown):
    """The provider asked to be left alone for so many seconds; it works."""

    is_providers = False

    def __init__(self, text: str, seconds: float):
        super().__init__(text)
        self.retry_after = seconds


class Sender(Protocol):
    """Sends the messages of a batch; used as a context so that a connection is opened once and closed.

    Entering raises ChannelDown. `send` is called outside of any transaction and returns or raises Failed
    within `escalation.outbox.LONGEST_SEND`. A sender with `at_once` over 1 is called from so many threads
    together, and asks no database. One with `probe` can be asked whether it works without a message.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def send(self, delivery: Delivery) -> Receipt: ...


def at_once(sender: Sender) -> int:
    """How many messages this sender may be given at the same time."""
    return int(getattr(sender, "at_once", 1))


def probe(sender: Sender) -> bool:
    """Ask a provider whether it works, without a message. False: it cannot be asked so. Raises Failed."""
    ask: Callable[[], None] | None = getattr(sender, "probe", None)
    if ask is None:
        return False
    ask()
    return True
