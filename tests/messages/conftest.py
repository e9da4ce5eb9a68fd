"""Links in messages lead to a plant's usual address, and texts are not answered unless a test says so."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _usual_address(settings: Any) -> None:
    settings.BASE_URL = "https://ops.example.com"
    settings.SMS_REPLIES = False
