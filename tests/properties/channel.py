"""A provider that writes down everything it is handed, and fails when it is told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from escalation.channels import ChannelDown, PermanentFailure, Receipt, TemporaryFailure
from escalation.models import Delivery
from tests.properties.faults import Killed


@dataclass(frozen=True)
class Handed:
    """One message as the provider got it."""

    delivery: int
    notification: int
    channel: str


@dataclass
class Provider:
    """What was handed over, and how it behaves until it is told otherwise."""

    handed: list[Handed] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    """Channels on which it refuses for now."""
    unknown: set[str] = field(default_factory=set)
    """Addresses that it says do not exist."""
    dies_at: int = 0
    """The how-manyth message from now the sender dies with; 0 for none."""
    dies_after: bool = True
    """Whether the provider had that one already."""
    meanwhile: Callable[[], None] | None = None
    """Done once, in the middle of the next send."""
    refuses: Callable[[Delivery], None] | None = None
    """Looks at each message in the moment it is handed over."""

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]

    def calm(self) -> None:
        """Everything works again."""
        self.down, self.busy, self.unknown = set(), set(), set()
        self.dies_at, self.meanwhile = 0, None

    def counts(self) -> Counter[int]:
        return Counter(one.delivery for one in self.handed)

    def take(self, delivery: Delivery) -> Receipt:
        if delivery.channel in self.busy:
            raise TemporaryFailure("Busy.")
        if not delivery.address or delivery.address in self.unknown:
            raise PermanentFailure("No such address.")
        is_end = self.dies_at == 1
        self.dies_at = max(self.dies_at - 1, 0)
        if is_end and not self.dies_after:
            raise Killed
        if self.refuses is not None:
            self.refuses(delivery)
        self.handed.append(Handed(delivery.pk, delivery.notification_id, delivery.channel))
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if is_end:
            raise Killed
        return Receipt("recorded", f"recorded-{len(self.handed)}", delivered=True)

    def open(self, channel: str) -> Line:
        """Stands for `escalation.channels.open_channel`."""
        return Line(self, channel)


class Line:
    """A connection to the provider, as a batch uses it."""

    def __init__(self, provider: Provider, channel: str) -> None:
        self._provider, self._channel = provider, channel

    def __enter__(self) -> Self:
        if self._channel in self._provider.down:
            raise ChannelDown("Nobody answers.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def send(self, delivery: Delivery) -> Receipt:
        if self._channel in self._provider.down:
            raise ChannelDown("The line broke.")
        return self._provider.take(delivery)
