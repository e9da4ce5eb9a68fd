"""The roster for answers that only look ahead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from escalation import recent
from plant.duty import DutyBook

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[datetime]:
    """The moments at which the roster was read; nothing is known before."""
    settings.DUTY_BOOK_SECONDS = 5
    found: list[datetime] = []

    def load(now: datetime, *, until: datetime) -> object:
        found.append(now)
        return object()

    monkeypatch.setattr(recent, "_read", None)
    monkeypatch.setattr(DutyBook, "load", load)
    return found


def test_the_roster_is_read_once_for_all_threads(loads: list[datetime]) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _n: recent.with_roster(lambda book: book, NOW), range(40)))
    assert loads == [NOW]


def test_it_is_read_again_when_it_is_some_seconds_old(loads: list[datetime]) -> None:
    later = NOW + timedelta(seconds=5)
    for now in (NOW, NOW + timedelta(seconds=4), later, NOW):
        recent.with_roster(lambda book: book, now)
    assert loads == [NOW, later, NOW], "a clock that was set back does not make an old roster good"


def test_who_waited_while_another_read_it_does_not_read_it_again(loads: list[datetime]) -> None:
    for now in (NOW, NOW - timedelta(milliseconds=40)):
        recent.with_roster(lambda book: book, now)
    assert loads == [NOW]
