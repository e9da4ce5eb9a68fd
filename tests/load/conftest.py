"""The plant and the clock of the scenarios, and a channel that keeps what went out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.scenarios.conftest import advance, told, world

__all__ = ["advance", "told", "world"]


class Phone:
    """An SMS channel that does as it is told and keeps what went out."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.fails: Callable[[Any], Exception | None] = lambda _delivery: None

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_unused: object) -> None:
        return None

    def send(self, delivery: Any) -> Any:
        from escalation.channels import Receipt  # Django's apps are not loaded yet when this file is

        error = self.fails(delivery)
        if error is not None:
            raise error
        self.sent.append(delivery)
        return Receipt("fake", f"fake-{delivery.pk}")

    def texts(self, name: str) -> list[str]:
        """What this person got, in order."""
        return [one.text for one in self.sent if one.notification.person.username == name]


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch) -> dict[str, Phone]:
    from escalation.outbox import sending

    found = {"sms": Phone(), "email": Phone()}
    monkeypatch.setattr(sending, "open_channel", lambda channel: found[channel])
    sending._down_until.clear()
    return found


@pytest.fixture
def sms(channels: dict[str, Phone]) -> Phone:
    return channels["sms"]


@pytest.fixture
def mail(channels: dict[str, Phone]) -> Phone:
    return channels["email"]
