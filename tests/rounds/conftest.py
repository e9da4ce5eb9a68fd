"""The plant of the rounds: three shifts, and somebody for each role that is asked about."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def plant(db: None) -> Any:
    from tests.rounds.plant import build_plant  # Django's apps are not loaded yet when this file is

    return build_plant()
