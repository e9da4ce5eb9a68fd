from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client, override_settings


@pytest.fixture
def strange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the addresses in strange_views.py, while the database is away."""

    def away() -> dict[str, float]:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("escalation.watch.look", away)
    templates: Any = deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [*templates[0]["DIRS"], Path(__file__).parent / "templates"]
    cache.clear()
    with override_settings(ROOT_URLCONF="tests.opsdesk.strange_views", TEMPLATES=templates):
        yield Client(raise_request_exception=False)
