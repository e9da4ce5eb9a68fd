"""The engine and the outbox: how fast what is due is recorded, and how fast it is handed over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from benchmarks import crowd, stage
from benchmarks.figures import percentiles
from benchmarks.raw import seconds_to_write as raw_seconds
from escalation.defaults import DEFAULT_CLOCKS
from escalation.engine import tick
from escalation.models import Delivery, DeliveryQuerySet, DeliveryState, Notification, Timer
from escalation.policies import publish

MANY = 10_000
AT_ONCE = 1_000
ARMED = 100_000
IDLE_TURNS = 100

WARM_UP = 15
"""Seconds for the processes to come up before anything is due."""

WATCH_EVERY = 0.02
"""Seconds between two looks at what is recorded."""

PATIENCE = 600.0
"""Seconds after which a run that does not come to its end is broken off."""


REMINDER = {"after": 24 * 60, "roles": ["it_manager"], "people": [], "channels": ["email"], "repeat": 24 * 60}


def tell_one_by_email() -> None:
    """A policy for S2 whose reminders go to the IT manager by email: one timer, one person, one email."""
    clocks = {**DEFAULT_CLOCKS["S2"], "closure": [REMINDER]}
    publish(by=None, severity="S2", clocks=clocks, why="One timer is one email")


def engine_record() -> dict[str, float]:
    """10,000 timers due at one instant among 100,000 armed: engine turns until every message is recorded.

    Beside it the raw limit: the same rows, written by PostgreSQL alone.
    """
    with crowd.armed_incidents(ARMED - MANY, due_at=timezone.now() + timedelta(hours=12)):
        due_at = arm(MANY)
        raw = raw_seconds(MANY, due_at)
        crowd.forget_newest()
        due_at = arm(MANY)
        started = time.perf_counter()
        fired = tick(now=due_at).fired
        seconds = time.perf_counter() - started
        recorded = Notification.objects.filter(timer__due_at=due_at).count()
        expect(fired == recorded == MANY, f"{fired} fired and {recorded} recorded of {MANY}")
        crowd.forget_newest()
    return {"per_s": MANY / seconds, "raw_per_s": MANY / raw, "ratio": raw / seconds}


def engine_scaling() -> dict[str, float]:
    """The same 10,000 timers for one engine process, and for two that start at one instant."""
    one, two = _seconds_of(1), _seconds_of(2)
    return {"one_per_s": MANY / one, "two_per_s": MANY / two, "ratio": one / two}


def _seconds_of(processes: int) -> float:
    """From the first turn's start until the last process finds nothing more."""
    due_at = arm(MANY)
    with stage.tickers_running(processes) as tickers:
        started = time.perf_counter()
        fired = sum(stage.tick_together(tickers, due_at))
        seconds = time.perf_counter() - started
    recorded = Notification.objects.filter(timer__due_at=due_at).count()
    expect(fired == recorded == MANY, f"{fired} fired and {recorded} recorded of {MANY}")
    crowd.forget_newest()
    return seconds


def engine_hand_over() -> dict[str, float]:
    """10,000 timers due at one instant in a running OpsDesk: from then to the last email handed over."""
    lags = _live(MANY)
    return {"per_s": MANY / max(lags["handed"])}


def engine_lag() -> dict[str, float]:
    """1,000 timers due at one instant in a running OpsDesk: from then to recorded, and to handed over."""
    lags = _live(AT_ONCE)
    return {
        **percentiles(lags["recorded"], 50, 99, prefix="recorded_"),
        **percentiles(lags["handed"], 50, 99),
    }


def _live(count: int) -> dict[str, list[float]]:
    """Let the real workers meet `count` timers due at one instant; seconds after it, for each of them."""
    with stage.sink_running() as (address, sink), stage.opsdesk_running(email=address):
        due_at = timezone.now() + timedelta(seconds=WARM_UP + count / 500)
        crowd.waiting_incidents(count, due_at=due_at)
        armed = Timer.objects.armed().filter(due_at=due_at)
        wait_until(lambda: armed.count() == count, "armed")
        expect(timezone.now() < due_at, "the timers were armed too late to be due at one instant")
        recorded = _watch_recording(due_at, count)
        sent = wait_until_sent(due_at, count)
        expect_all_taken(count, stage.stop_and_count(sink))
    handed = after(due_at, sent.values_list("sent_at", flat=True))
    crowd.forget_newest()
    return {"recorded": recorded, "handed": handed}


def _watch_recording(due_at: datetime, count: int) -> list[float]:
    """Seconds after `due_at` at which each message was there for others to see: committed, not only begun."""
    lags: list[float] = []
    told = Notification.objects.filter(timer__due_at=due_at)
    end = time.monotonic() + PATIENCE
    while len(lags) < count:
        expect(time.monotonic() < end, f"not everything was recorded within {PATIENCE:.0f} s")
        time.sleep(WATCH_EVERY)
        there = told.count()
        lags += [(timezone.now() - due_at).total_seconds()] * (there - len(lags))
    return lags


def tick_idle() -> dict[str, float]:
    """A turn of the engine when nothing is due, which is what it does nearly every second."""
    return percentiles(_idle_turns(), 50, 95)


def growth_tick(armed: int) -> list[float]:
    """Seconds of idle turns beside so many armed timers that are not due."""
    with crowd.armed_incidents(armed, due_at=timezone.now() + timedelta(hours=12)):
        return _idle_turns()


def _idle_turns() -> list[float]:
    tick()
    seconds = []
    for _unused in range(IDLE_TURNS):
        started = time.perf_counter()
        tick()
        seconds.append(time.perf_counter() - started)
    return seconds


def arm(count: int, *, ahead: timedelta = timedelta(minutes=1)) -> datetime:
    """Incidents whose timers are armed and due at the returned instant."""
    due_at = timezone.now() + ahead
    crowd.waiting_incidents(count, due_at=due_at)
    armed = Timer.objects.armed().filter(due_at=due_at)
    while armed.count() < count:
        tick()
    tick(now=due_at - timedelta(seconds=1))  # what the demo plant has to say meanwhile is not counted
    return due_at


def wait_until_sent(due_at: datetime, count: int, *, channel: str = "") -> DeliveryQuerySet:
    """The messages of timers due then, once so many of them are handed over; of one channel, or of all."""
    sent = Delivery.objects.filter(notification__timer__due_at=due_at, state=DeliveryState.SENT)
    sent = sent.filter(channel=channel) if channel else sent
    wait_until(lambda: sent.count() == count, "handed over")
    return sent


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        expect(time.monotonic() < end, f"not everything was {what} within {PATIENCE:.0f} s")
        time.sleep(0.25)


def expect_all_taken(wanted: int, taken: int) -> None:
    expect(taken >= wanted, f"the server took {taken} of {wanted} messages")


def expect(is_so: bool, otherwise: str) -> None:
    """A figure of a run that went wrong is worse than none."""
    if not is_so:
        raise RuntimeError(f"This run cannot be counted: {otherwise}.")


def after(moment: datetime, moments: Iterable[datetime | None]) -> list[float]:
    return [(one - moment).total_seconds() for one in moments if one is not None]
