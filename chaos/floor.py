"""The load: tablets that raise, and people who take, write and close, as the floor does it.

A raise that got no answer is sent again with the same `client_id`, to the other web, until it got one. What
the API answered is kept here: nothing of it may be missing in the database.
"""

from __future__ import annotations

import heapq
import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

TABLETS = 80
"""Requests that may wait for an answer at once: 4 s of load while nobody answers; then raises queue up."""

ANSWER_WITHIN = 10.0
PAUSE = 1.0
"""Seconds until a tablet asks the other web."""

PATIENCE = 150.0
"""Seconds after which a tablet gives up; the raise then counts as asked and not answered."""

IMPACTS = ("safety",) * 2 + ("stopped",) * 18 + ("at_risk",) * 20 + ("workaround",) * 45 + ("none",) * 15
"""Of a hundred raises."""

TAKEN = 0.35
"""Share of incidents that somebody takes, after 2 to 45 s; the others climb the ladder."""

QUIET_AREA_EVERY = 35.0
"""Seconds between two raises in the one area that has no storm (more than 10 in 5 minutes)."""


@dataclass(slots=True)
class Asked:
    """One request that must not be lost, and what became of it; `number` 0: no answer."""

    verb: str
    client_id: str
    impact: str = ""
    asked_at: float = 0.0
    answered_at: float = 0.0
    number: int = 0
    tries: int = 0
    refused: str = ""


@dataclass(slots=True)
class Ledger:
    """Everything that was asked and answered."""

    raises: list[Asked] = field(default_factory=list)
    takes: list[Asked] = field(default_factory=list)
    others: int = 0


class Tablet:
    """A kept-alive connection to each web; after no answer the other one is asked."""

    def __init__(self, addresses: Sequence[str], tokens: dict[str, str], first: int) -> None:
        self.lines = [
            http.client.HTTPConnection(urlsplit(address).netloc, timeout=ANSWER_WITHIN)
            for address in addresses
        ]
        self.tokens = tokens
        self.at = first % len(addresses)

    def ask(
        self, path: str, body: dict[str, Any], by: str, asked: Asked, stop: threading.Event
    ) -> dict[str, Any]:
        """The answer of a 2xx; empty when it was refused or nobody answered in time."""
        asked.asked_at = asked.asked_at or time.time()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not stop.is_set():
            asked.tries += 1
            status, text = self._once(path, body, by)
            if 200 <= status < 300:
                asked.answered_at = time.time()
                found: dict[str, Any] = json.loads(text)
                asked.number = found["number"]
                return found
            if 400 <= status < 500:
                asked.refused = f"{status} {text[:200]!r}"
                return {}
            self.at = (self.at + 1) % len(self.lines)
            time.sleep(PAUSE)
        return {}

    def _once(self, path: str, body: dict[str, Any], by: str) -> tuple[int, bytes]:
        line = self.lines[self.at]
        headers = {"Authorization": f"Token {self.tokens[by]}", "Content-Type": "application/json"}
        try:
            line.request("POST", path, json.dumps(body).encode(), headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            line.close()
            return 0, b""


Job = Callable[[Tablet], None]


class Floor:
    """`start`, and later `stop`: raises at a steady rate whatever becomes of them, and what follows them."""

    def __init__(
        self, addresses: Sequence[str], tokens: dict[str, str], places: Places, *, rate: float, seed: int
    ) -> None:
        self.addresses, self.tokens, self.places, self.rate = addresses, tokens, places, rate
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.began = 0.0
        self.ended = 0.0
        self._jobs: list[tuple[float, int, Job]] = []
        self._order = count()
        self._wake = threading.Condition()
        self._closing = threading.Event()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._clock, daemon=True)]
        self._threads += [
            threading.Thread(target=self._tablet, args=(n,), daemon=True) for n in range(TABLETS)
        ]

    def start(self) -> None:
        self.began = time.time()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No new raises; those without an answer keep asking, what was to follow is forgotten."""
        self._closing.set()
        self.ended = time.time()
        with self._wake:
            self._jobs = []
            self._wake.notify_all()

    def wait(self, seconds: float) -> None:
        """Until every raise has its answer."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.1, end - time.monotonic()))
        self._stop.set()

    def reached_rate(self) -> float:
        return len(self.ledger.raises) / max((self.ended or time.time()) - self.began, 0.001)

    # --- threads ---

    def _clock(self) -> None:
        """Puts a raise on the list for every beat of the rate, whatever became of those before."""
        next_at = quiet_at = time.monotonic()
        while not self._closing.is_set():
            now = time.monotonic()
            is_quiet = now >= quiet_at
            if is_quiet:
                quiet_at += QUIET_AREA_EVERY
            self._put(next_at, self._raise(is_quiet))
            next_at += 1 / self.rate
            time.sleep(max(0.0, next_at - time.monotonic()))

    def _tablet(self, n: int) -> None:
        tablet = Tablet(self.addresses, self.tokens, n)
        while (job := self._take()) is not None:
            job(tablet)

    def _put(self, at: float, job: Job) -> None:
        with self._wake:
            if not self._closing.is_set():
                heapq.heappush(self._jobs, (at, next(self._order), job))
                self._wake.notify()

    def _take(self) -> Job | None:
        with self._wake:
            while not self._closing.is_set():
                if not self._jobs:
                    self._wake.wait()
                    continue
                wait = self._jobs[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._jobs)[2]
                self._wake.wait(wait)
        return None

    # --- what is asked ---

    def _raise(self, is_quiet: bool) -> Job:
        pick = self.random
        asked = Asked("raise", str(uuid.UUID(int=pick.getrandbits(128), version=4)), pick.choice(IMPACTS))
        body = {
            "station": pick.choice(self.places.quiet if is_quiet else self.places.busy),
            "category": pick.choice(self.places.categories),
            "impact": asked.impact,
            "words": "The screen is frozen since the shift start.",
            "client_id": asked.client_id,
        }
        self.ledger.raises.append(asked)

        def job(tablet: Tablet) -> None:
            answer = tablet.ask("/api/v1/incidents/", body, "raiser", asked, self._stop)
            if answer and pick.random() < TAKEN:
                self._later(2, 45, self._take_it(asked.number, asked.impact))

        return job

    def _take_it(self, number: int, impact: str) -> Job:
        asked = Asked("acknowledge", "", impact)

        def job(tablet: Tablet) -> None:
            self.ledger.takes.append(asked)
            if not tablet.ask(f"/api/v1/incidents/{number}/acknowledge/", {}, "it", asked, self._stop):
                return
            if self.random.random() < 0.5:
                self._later(5, 20, self._say("updates", number, UPDATE))
            elif impact in ("workaround", "none"):
                self._later(5, 30, self._say("close", number, self.places.closing))

        return job

    def _say(self, verb: str, number: int, body: dict[str, Any]) -> Job:
        def job(tablet: Tablet) -> None:
            self.ledger.others += 1
            tablet.ask(f"/api/v1/incidents/{number}/{verb}/", body, "it", Asked(verb, ""), self._stop)

        return job

    def _later(self, low: float, high: float, job: Job) -> None:
        self._put(time.monotonic() + self.random.uniform(low, high), job)


UPDATE = {"conditions": "The screen is black.", "actions": "Changing the cable.", "needs": "No needs."}


@dataclass(frozen=True, slots=True)
class Places:
    """Where raises happen: `quiet` stations are all in one area that gets few."""

    busy: Sequence[str]
    quiet: Sequence[str]
    categories: Sequence[str]
    closing: dict[str, Any]
