"""What the tests of countermeasures share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def repeats_are_weighed_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A go ends after a moment of real time: on a busy machine that would be in the middle of a test."""
    monkeypatch.setattr("countermeasures.lifecycle.relapses.AT_ONCE", 600)
