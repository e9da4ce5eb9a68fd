"""Who is told next, for answers that only look ahead: roster and calendar are read every few seconds.

The engine never uses it: who is really told is read in the moment of telling.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings

from escalation.foresight import KNOWS_AHEAD
from escalation.ladder import NextStep, next_steps
from incidents.models import Incident
from plant.duty import DutyBook

_lock = threading.Lock()
_read: tuple[datetime, DutyBook] | None = None

T = TypeVar("T")


def foreseen(incidents: Sequence[Incident], now: datetime) -> dict[int, NextStep]:
    """`ladder.next_steps` with a duty book that is at most `DUTY_BOOK_SECONDS` old: twelve queries less."""
    return with_roster(lambda book: next_steps(incidents, book, now), now)


def with_roster(ask: Callable[[DutyBook], T], now: datetime) -> T:
    """Ask something of the recent book, and once more of a fresh one when it names what is newer than it."""
    try:
        return ask(_book(now, good_for=settings.DUTY_BOOK_SECONDS))
    except KeyError:
        return ask(_book(now, good_for=0))


def _book(now: datetime, *, good_for: int) -> DutyBook:
    """One for the whole process: each thread with its own would read it as often as there are threads.

    It may be asked by several at once: what it remembers of its answers is the same whoever asked.
    """
    global _read
    with _lock:
        # Also a little older than the book: who waited for the lock need not read it again.
        if _read is None or abs(now - _read[0]) >= timedelta(seconds=good_for):
            _read = now, DutyBook.load(now, until=now + KNOWS_AHEAD)
        return _read[1]
