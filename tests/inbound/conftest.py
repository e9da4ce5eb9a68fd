"""A plant with people, its clock, and a phone to text from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.scenarios.conftest import advance, told, world

__all__ = ["advance", "told", "world"]

_numbers = count(1)


@pytest.fixture
def text(world: Any) -> Callable[..., Any]:
    """`text("vela", "1042 ok")`: that person texts this, now."""

    from escalation.inbound.sms import take_sms  # Django's apps are not loaded yet when this file is

    def send(who: str, words: str, **asked: Any) -> Any:
        sender = world[who].mobile if who in world.people else who
        asked = {"reference": f"SM{next(_numbers)}", "provider": "test", "now": world.now, **asked}
        return take_sms(sender=sender, text=words, **asked)

    return send
