"""Somebody outside of the workers who notices that alerts do not go out, and acts (domain §4, rule 7).

Every two seconds it looks. While something is wrong it ticks the engine and hands messages over by itself,
without Redis or Celery, and calls the IT managers on duty. While all is well it asks HEARTBEAT_URL once a
minute; whoever listens there notices when that stops, so also when this whole machine is gone.

The loop itself waits for nobody: the database, providers and the network are talked to in threads, and one
that hangs is left behind.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections
from django.utils import timezone

from escalation import calling, engine, outbox, rounds, watch
from escalation.alarm import Alarm, Notice
from escalation.watch import Facts, Kind, Trouble, diagnose
from escalation.webhooks import sending

logger = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two looks."""

GRACE = timedelta(seconds=10)
"""How long the workers get to come up beside a watcher that has just started."""

READ_CONTACTS_EVERY = timedelta(minutes=2)

PING_EVERY = timedelta(seconds=60)

PING_TIMEOUT = 10.0
"""Seconds for HEARTBEAT_URL to answer."""

PATIENCE = 60.0
"""Seconds after which a job that hangs is left behind and started anew beside it."""


class Hand:
    """Does one kind of job in a thread of its own, one at a time; asking again while it works is nothing."""

    def __init__(self, name: str, job: Callable[[], None]) -> None:
        self.name = name
        self._job = job
        self._thread: threading.Thread | None = None
        self._began = 0.0

    def ask(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            if time.monotonic() - self._began < PATIENCE:
                return
            logger.error("“%s” hangs and is started anew.", self.name)
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until the job is done: for tests and for the end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        try:
            self._job()
        except Exception:
            logger.warning("“%s” failed; it is tried again.", self.name, exc_info=True)
        finally:
            connections.close_all()  # of this thread


@dataclass(slots=True)
class Watcher:
    """What is known, and what was done about it. `turn` is one round of the loop."""

    started_at: datetime
    facts: Facts = field(init=False)
    contacts: calling.Contacts | None = None
    contacts_read_at: datetime | None = None
    alarm: Alarm = field(default_factory=Alarm)
    unsaid: Notice | None = None
    waiting: list[calling.Call] = field(default_factory=list)
    pinged_at: datetime | None = None
    hands: dict[str, Hand] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # Nothing is known yet: everybody gets as long as if they had just been seen.
        self.facts = Facts(self.started_at, answered_at=self.started_at)
        jobs: dict[str, Callable[[], None]] = {
            "look": self.look,
            "tick": stand_in_for_the_engine,
            "rounds": stand_in_for_the_rounds,
            "call": self.call,
            "ping": ping,
        }
        jobs |= {channel: _sender(channel) for channel in settings.CHANNELS}
        jobs |= {kind: _poster(kind) for kind in settings.LISTENERS}
        self.hands = {name: Hand(name, job) for name, job in jobs.items()}

    # --- the loop -------------------------------------------------------------------------------------------

    def turn(self, now: datetime) -> list[Trouble]:
        """Judge what was seen last, act on it, and have it looked at again. Returns what is wrong."""
        troubles = self.troubles(now)
        if troubles and troubles[0].kind != Kind.DATABASE:
            for name in ("tick", "rounds", *settings.CHANNELS, *settings.LISTENERS):
                self.hands[name].ask()
        self._say(self.alarm.hear(troubles, now), now)
        self._ping_while_all_is_well(troubles, now)
        self.hands["look"].ask()
        return troubles

    def troubles(self, now: datetime) -> list[Trouble]:
        if now - self.started_at < GRACE:
            return []
        return diagnose(self.facts, now)

    def _say(self, notice: Notice | None, now: datetime) -> None:
        """Call the IT managers about it, as soon as it is known who they are."""
        self.unsaid = notice or self.unsaid
        if self.unsaid is not None and self.contacts is not None:
            new = list(calling.calls(self.unsaid, self.contacts, now))
            logger.error("%s", new[0].text if new else "Alerts do not go out, and nobody can be told.")
            self.unsaid = None
            with self.lock:
                self.waiting = new  # what could not be said before is overtaken
        if self.waiting:
            self.hands["call"].ask()

    def _ping_while_all_is_well(self, troubles: Sequence[Trouble], now: datetime) -> None:
        is_well = self.contacts is not None and not troubles and not diagnose(self.facts, now)
        is_time = self.pinged_at is None or now - self.pinged_at >= PING_EVERY
        if settings.HEARTBEAT_URL and is_well and is_time:
            self.pinged_at = now
            self.hands["ping"].ask()

    # --- jobs -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Ask the database how things are, and now and then who would be told."""
        facts = watch.look()
        now = timezone.now()
        self.facts = replace(facts, answered_at=now)
        watch.beat(now, watch.WATCHER)
        if self.contacts_read_at is None or now - self.contacts_read_at >= READ_CONTACTS_EVERY:
            self.contacts, self.contacts_read_at = calling.Contacts.read(now), now

    def call(self) -> None:
        with self.lock:
            mine = self.waiting
        left = calling.place(mine)
        with self.lock:
            if self.waiting is mine:
                self.waiting = left


def stand_in_for_the_engine() -> None:
    """One turn beside, or instead of, the workers. It leaves their heartbeat alone: they are still away."""
    engine.tick(heartbeat=f"{watch.WATCHER}-tick")


def stand_in_for_the_rounds() -> None:
    """What comes every minute; asked every two seconds, it goes once in a minute."""
    rounds.stand_in()


def _sender(channel: str) -> Callable[[], None]:
    def send() -> None:
        outbox.deliver_due(channel)

    return send


def _poster(kind: str) -> Callable[[], None]:
    def post() -> None:
        sending.post_due(kind)

    return post


def ping() -> None:
    """Tell HEARTBEAT_URL that all is well."""
    with urllib.request.urlopen(settings.HEARTBEAT_URL, timeout=PING_TIMEOUT) as answer:  # noqa: S310
        answer.read(1)


def run() -> None:
    """Watch until SIGTERM or SIGINT."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    watcher = Watcher(timezone.now())
    while True:
        try:
            watcher.turn(timezone.now())
        except Exception:
            logger.exception("The watcher stumbled and goes on.")
        if stopping.wait(EVERY):
            break
