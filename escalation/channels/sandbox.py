"""Messages that go nowhere: they are read on the page /outbox/ and count as delivered."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from escalation.channels.base import PermanentFailure, Receipt
from escalation.models import Delivery

NAME = "sandbox"


class Sandbox:
    """Takes every message that has an address."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def send(self, delivery: Delivery) -> Receipt:
        if not delivery.address:
            raise PermanentFailure("No address.")
        return Receipt(NAME, f"{NAME}-{delivery.pk}", delivered=True)
