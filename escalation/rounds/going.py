"""One round of everything that is done now and then. A round that breaks keeps the others from nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from escalation import watch
from escalation.rounds import gap_ahead, reachability, shift_start
from escalation.rounds.once import LATE, tell_once
from escalation.webhooks.forgetting import forget_old
from plant.duty import DutyBook
from plant.models import Site
from plant.working_time import WorkingTime

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
"""How often it is asked for. Who comes on waits for less than that for what is open."""

STAND_IN = "rounds"
"""The heartbeat by which the watcher, who looks every two seconds, goes one round a minute."""


@dataclass(slots=True)
class Done:
    """How many people were told, and the channels that have work now."""

    told: int = 0
    channels: set[str] = field(default_factory=set)

    def add(self, told: int, channels: set[str]) -> None:
        self.told += told
        self.channels |= channels


def go(now: datetime | None = None) -> Done:
    """One round, harmless at any time and in any number of processes at once.

    About 15 queries and, with 30 people and 9 areas, 40 ms; more only when somebody has to be told.
    """
    now = now or timezone.now()
    done = Done()
    sites = {site.pk: site for site in Site.objects.prefetch_related("areas")}
    if not sites:
        return done
    hours = WorkingTime.load(DutyBook.load(now - LATE, until=now + gap_ahead.KNOWS))
    _contained(done, "what is forgotten", lambda: _forget(now))
    _contained(done, "shift starts", lambda: tell_once(shift_start.who_is_told(hours, sites, now), now))
    for site in sites.values():
        _contained(done, f"gaps ahead at {site}", _gaps(hours, site, now))
        _contained(done, f"who can be reached at {site}", _reach(hours, site, now))
    return done


def stand_in(now: datetime | None = None) -> Done:
    """One round, unless the last was less than a minute ago: for who asks all the time."""
    now = now or timezone.now()
    return go(now) if watch.is_time_for(STAND_IN, now, every=EVERY) else Done()


def _forget(now: datetime) -> tuple[int, set[str]]:
    """Nobody is told of it."""
    forget_old(now)
    return 0, set()


def _gaps(hours: WorkingTime, site: Site, now: datetime) -> Callable[[], tuple[int, set[str]]]:
    def tell() -> tuple[int, set[str]]:
        areas = list(site.areas.all())
        for area in areas:
            area.site = site  # the same object: nothing is read again
        return tell_once(gap_ahead.who_is_told(hours, site, areas, now), now)

    return tell


def _reach(hours: WorkingTime, site: Site, now: datetime) -> Callable[[], tuple[int, set[str]]]:
    return lambda: reachability.check(site, hours.book, now)


def _contained(done: Done, what: str, work: Callable[[], tuple[int, set[str]]]) -> None:
    try:
        done.add(*work())
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("The round of %s failed; the next one tries again.", what)
