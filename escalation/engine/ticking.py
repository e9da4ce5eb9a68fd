"""One turn of the engine: read what changed, fire what is due, take back what a dead sender left."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from countermeasures.lifecycle import weigh_due
from escalation import measures, watch
from escalation.chasing import turn as chasing
from escalation.engine import asking, audit, seldom, storms
from escalation.engine.fire import Outcome, fire_batch
from escalation.engine.reconcile import reconcile_batch
from escalation.models import Timer
from escalation.outbox import take_back_expired
from plant.duty import DutyBook

logger = logging.getLogger(__name__)

LONGEST = 5.0
"""Seconds after which a turn ends even if more is due: the next one, or another worker's, goes on."""


@dataclass(slots=True)
class Ticked:
    """What one turn did: incidents read, timers fired, people told, silent incidents mended."""

    read: int = 0
    fired: int = 0
    told: int = 0
    mended: int = 0
    chased: int = 0
    took_back: int = 0
    is_done: bool = True
    channels: set[str] = field(default_factory=set)


class _Time:
    """The moment a turn works with: given by a test, else the real one at every look."""

    def __init__(self, now: datetime | None) -> None:
        self._given = now
        self._end = time.monotonic() + LONGEST

    @property
    def now(self) -> datetime:
        return self._given or timezone.now()

    @property
    def is_up(self) -> bool:
        return self._given is None and time.monotonic() > self._end


class _Book:
    """Who is on duty, read once per turn and only when somebody has to be told."""

    def __init__(self) -> None:
        self._book: DutyBook | None = None

    def at(self, now: datetime) -> DutyBook:
        if self._book is None:
            self._book = DutyBook.load(now, until=now + timedelta(hours=1))
        return self._book


def tick(now: datetime | None = None, *, heartbeat: str = watch.ENGINE) -> Ticked:
    """One turn. Harmless at any time, in any number of processes at once.

    `heartbeat` is the name under which it is remembered: whoever stands in for the workers uses its own.
    """
    began = time.perf_counter()
    at, book, done = _Time(now), _Book(), Ticked()
    done.mended = audit.mend_silent(at.now)
    waits = seldom.look(at.now)
    while not at.is_up:
        read = _read_all(at, done)
        if read:
            storms.begin(at.now)
        fired = _fire_batch(at, book, done)
        asked = _ask_again(at, done)
        if read or fired.seen or asked.seen:
            continue
        # What a repeat says of an old fix can wait: only when nothing is due, and for a moment at a time.
        if not waits.repeats or not weigh_due(at.now):
            break
    else:
        done.is_done = False
        if waits.repeats:  # a moment also of a turn that never came to rest: nothing waits for ever
            weigh_due(at.now)
    _chase(at, book, done, waits)
    done.took_back = take_back_expired(at.now)
    watch.beat(at.now, heartbeat)
    measures.count_turn(time.perf_counter() - began)
    return done


def wait_for_next(within: float = 1.0) -> bool:
    """Sleep until the next timer is due if that is less than `within` seconds away; True if it is due now.

    So a step goes out when it is due and not at the next second. One process waits, the others stay free.
    What has been due for longer waits for something else than time, as an incident that is set aside does.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 1)", [_WAITING])
        if not cursor.fetchone()[0]:
            return False
        try:
            later = Timer.objects.armed().filter(due_at__gt=now - timedelta(seconds=within))
            due_at = later.aggregate(next=Min("due_at"))["next"]
            left = (due_at - now).total_seconds() if due_at is not None else within
            if left >= within:
                return False
            time.sleep(max(left, 0.0))
            return True
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, 1)", [_WAITING])


_WAITING = 11_000


def _read_all(at: _Time, done: Ticked) -> int:
    total = 0
    while not at.is_up and (outcome := reconcile_batch(at.now)).seen:
        total += outcome.seen
        done.told += outcome.told
        done.channels |= outcome.channels
    done.read += total
    return total


def _fire_batch(at: _Time, book: _Book, done: Ticked) -> Outcome:
    if not _anything_due(at.now):
        return Outcome()
    outcome = fire_batch(at.now, book.at(at.now))
    done.fired += outcome.fired
    done.told += outcome.told
    done.channels |= outcome.channels
    return outcome


def _ask_again(at: _Time, done: Ticked) -> Outcome:
    if not asking.is_anybody_due(at.now):
        return Outcome()
    outcome = asking.ask_again_batch(at.now)
    done.told += outcome.told
    done.channels |= outcome.channels
    return outcome


def _chase(at: _Time, book: _Book, done: Ticked, waits: seldom.Waits) -> None:
    """What this turn has read may have given or ended promises: then it is looked for again."""
    if done.read and not waits.promises:
        waits = seldom.look(at.now)
    if not waits.promises:
        return
    outcome = chasing.turn(at.now, book.at, lambda: at.is_up)
    done.told += outcome.told
    done.chased += outcome.fired
    done.channels |= outcome.channels


def _anything_due(now: datetime) -> bool:
    return Timer.objects.due(now).exists()
