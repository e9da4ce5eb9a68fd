"""How long the parts stood still: what the database last heard of each, looked up twice a second."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import psycopg2

EVERY = 0.5
SQL = "SELECT name, extract(epoch FROM at)::float8 FROM escalation_heartbeat WHERE name IN %s"


@dataclass(slots=True)
class Pulse:
    """`beats`: the moments at which each part was seen to work. `away`: when the database did not answer."""

    dsn: str
    names: tuple[str, ...] = ("engine", "sms", "email")
    beats: dict[str, list[float]] = field(default_factory=dict)
    away: list[tuple[float, float]] = field(default_factory=list)
    answers: bool = True
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self.beats = {name: [] for name in self.names}
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(10)

    def last(self, name: str) -> float:
        return self.beats[name][-1] if self.beats[name] else 0.0

    def _run(self) -> None:
        line = None
        gone_at = 0.0
        while not self._stop.wait(EVERY):
            try:
                line = line or self._connect()
                self._read(line)
                if gone_at:
                    self.away.append((gone_at, time.time()))
                    gone_at = 0.0
                self.answers = True
            except psycopg2.Error:
                gone_at = gone_at or time.time()
                self.answers = False
                if line is not None:
                    with suppress(psycopg2.Error):
                        line.close()
                line = None

    def _connect(self) -> psycopg2.extensions.connection:
        line = psycopg2.connect(self.dsn)
        line.autocommit = True
        return line

    def _read(self, line: psycopg2.extensions.connection) -> None:
        with line.cursor() as cursor:
            cursor.execute(SQL, [self.names])
            for name, at in cursor.fetchall():
                beats = self.beats[name]
                if not beats or beats[-1] < at:
                    beats.append(at)

    def silences(self, name: str, longer: float) -> list[tuple[float, float]]:
        """(last seen, seen again) of each time a part stood still for longer."""
        beats = self.beats[name]
        return [(one, two) for one, two in pairwise(beats) if two - one > longer]
