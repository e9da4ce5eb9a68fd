"""What every channel promises: take one message at a time, over a connection that serves many."""

from __future__ import annotations

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
    retry_after: float | None = None
    """Seconds that the provider asks us to wait, if it does."""


class TemporaryFailure(Failed):
    """Worth trying again: the provider is busy, or refuses for now."""


class PermanentFailure(Failed):
    """Trying again cannot help: there is no such address."""

    is_permanent = True


class ChannelDown(TemporaryFailure):
    """Nothing goes out by this channel now, whoever it is for."""


class Sender(Protocol):
    """Sends the messages of a batch; used as a context so that a connection is opened once and closed.

    Entering raises ChannelDown. `send` is called outside of any transaction and returns or raises Failed
    within `escalation.outbox.LONGEST_SEND`.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def send(self, delivery: Delivery) -> Receipt: ...
