"""Starts again what lives and does nothing.

Known of Celery: after Redis was away a worker may be connected and take no task any more. A process that was
frozen looks the same from outside. Neither ends, so that nobody would start it again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import redis
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from opsdesk.processes import Program

logger = logging.getLogger(__name__)

SILENT = 40.0
"""Seconds. The watcher has stood in for 20 by then: there is no hurry, and a busy machine is given time."""

COMES_UP = 90.0
"""Seconds that a program gets from its start to its first sign, on a machine that has no time."""

EVERY = 5.0
"""Seconds between two looks."""

GAP = 20.0
"""Seconds between two answers after which the database counts as having been away."""

ENGINE, BEAT = "engine", "beat"
"""Its sign is written by the engine, so that it is silent when the engine is."""

Ages = Mapping[str, float]
"""Seconds since each part was last seen to work."""


class Silence:
    """For `Supervisor.watch`. It never waits: the database and Redis are asked in a thread.

    Silence counts from when both of them answer: what was not possible before is nobody's fault.
    """

    def __init__(self, programs: Sequence[Program], look: Callable[[], Ages] | None = None) -> None:
        self.programs = programs
        self.look = look or last_seen
        self.asked_at = self.answered_at = self.answers_since = 0.0
        self.thread: threading.Thread | None = None
        self.seen: Ages | None = None
        self.suspects: set[str] = set()

    def __call__(self, now: float | None = None) -> None:
        now = time.monotonic() if now is None else now
        if self.thread is not None and self.thread.is_alive():
            return
        if self.thread is not None:
            self.thread = None
            self.hear(self.seen, now)
        if now - self.asked_at >= EVERY:
            self.asked_at = now
            self.thread = threading.Thread(target=self._look, name="silence", daemon=True)
            self.thread.start()

    def _look(self) -> None:
        self.seen = None
        try:
            self.seen = self.look()
        except Exception as error:  # without a database or Redis nobody can work: starting again helps nobody
            logger.debug("Nothing is known about who works: %s", error)
        finally:
            connections.close_all()  # of this thread

    def hear(self, ages: Ages | None, now: float) -> None:
        """Act on what was seen; None: the database or Redis does not answer."""
        if ages is None:
            self.answers_since, self.suspects = 0.0, set()
            return
        if not self.answers_since or now - self.answered_at > GAP:
            self.answers_since = now
        self.answered_at = now
        answers_for = now - self.answers_since
        found = silent(self.programs, {part: min(age, answers_for) for part, age in ages.items()})
        for program in found:
            ran_for = program.ran_for(now)
            was_seen = ages[program.part] < ran_for
            if program.name in self.suspects and ran_for > (SILENT if was_seen else COMES_UP):
                program.put_down(f"has done nothing for {SILENT:.0f} s")
        self.suspects = {
            program.name for program in found
        }  # a look later: a machine that slept wakes up first


def silent(programs: Sequence[Program], ages: Ages) -> list[Program]:
    """Which programs do nothing; not those that nobody wakes."""
    quiet = {part for part, age in ages.items() if age > SILENT}
    workers = {part for part in settings.WORKERS if part in ages}
    if BEAT in quiet and ages.get(ENGINE, SILENT) < SILENT / 2:
        quiet -= workers  # nudges keep the engine awake: beat is what is missing
    elif not workers <= quiet:
        quiet.discard(BEAT)  # the engine is silent or about to be, and beat's sign with it; others hear beat
    return [program for program in programs if program.part in quiet]


def last_seen() -> Ages:
    """What the database knows, while Redis answers too. Raises when one of them does not."""
    address = settings.REDIS_URL.replace("redis+socket://", "unix://")
    with redis.from_url(address, socket_timeout=2, socket_connect_timeout=2) as line:
        line.ping()
    found: Ages = import_string(settings.LAST_SEEN)()
    return found
