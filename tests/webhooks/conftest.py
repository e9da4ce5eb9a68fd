"""The plant of the scenarios, and receivers over loopback. Imports of the product are inside fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators.receiver import Receiver, running_receiver
from tests.scenarios.conftest import advance, told, world

__all__ = ["advance", "told", "world"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


@pytest.fixture
def add(world: Any) -> Any:
    """A listener of the world's site, set up by its IT manager: `add("webhooks", url)`."""
    from escalation.webhooks import lifecycle

    def add(kind: str, address: str, **fields: Any) -> Any:
        given = {"by": world["hutchins"], "site": world.site, "name": "Other end", "now": world.now}
        return lifecycle.add(kind=kind, address=address, **(given | fields))

    return add
