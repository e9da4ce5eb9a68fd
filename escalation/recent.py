"""Who is told next, for answers that only look ahead: the roster behind it is read every few seconds.

The engine never uses it: who is really told is read in the moment of telling.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from escalation.ladder import NextStep, next_steps
from incidents.models import Incident
from plant.duty import DutyBook

_of_this_thread = threading.local()


def foreseen(incidents: Sequence[Incident], now: datetime) -> dict[int, NextStep]:
    """`ladder.next_steps` with a duty book that is at most `DUTY_BOOK_SECONDS` old: nine queries less."""
    try:
        return next_steps(incidents, _book(now, good_for=settings.DUTY_BOOK_SECONDS), now)
    except KeyError:  # a place or person that is newer than the book
        return next_steps(incidents, _book(now, good_for=0), now)


def _book(now: datetime, *, good_for: int) -> DutyBook:
    """Each thread has its own, since a book remembers its answers."""
    read_at: datetime | None = getattr(_of_this_thread, "read_at", None)
    if read_at is None or not timedelta(0) <= now - read_at < timedelta(seconds=good_for):
        _of_this_thread.book, _of_this_thread.read_at = DutyBook.load(now), now
    book: DutyBook = _of_this_thread.book
    return book
