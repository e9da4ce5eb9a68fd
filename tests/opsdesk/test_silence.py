"""A program that lives and does nothing is started again; one that cannot work is left alone."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from escalation import tasks, watch
from opsdesk import silence
from opsdesk.processes import Program, Supervisor
from opsdesk.silence import COMES_UP, EVERY, GAP, SILENT, Silence

PARTS = ("engine", "sms", "email", "beat", "watch", "web")
FINE = {"engine": 1.0, "sms": 1.0, "email": 1.0, "watch": 2.0, "beat": 4.0}


class Fake(Program):
    """Remembers that it was put down."""

    downs = 0

    def put_down(self, why: str) -> None:
        self.downs += 1
        self.started_at = clock[0]

    def ran_for(self, now: float) -> float:
        return now - self.started_at


clock = [1000.0]


@pytest.fixture
def programs() -> list[Fake]:
    clock[0] = 1000.0
    return [Fake(name, [], {}) for name in PARTS]


def go(silence: Silence, ages: dict[str, float] | None, seconds: float, *, growing: bool = True) -> None:
    """The same thing is seen for so long; ages over `EVERY` seconds grow."""
    for n in range(int(seconds / EVERY)):
        clock[0] += EVERY
        seen = ages and {
            part: age + (n * EVERY if growing and age > EVERY else 0) for part, age in ages.items()
        }
        silence.hear(seen, clock[0])


def down(programs: list[Fake]) -> dict[str, int]:
    return {program.name: program.downs for program in programs if program.downs}


def test_who_works_is_left_alone(programs: list[Fake]) -> None:
    go(Silence(programs, dict), FINE, 600)
    assert down(programs) == {}


def test_a_worker_that_does_nothing_is_started_again_once_until_it_had_time_to_come_up(
    programs: list[Fake],
) -> None:
    here = Silence(programs, dict)
    go(here, FINE, 60)
    go(here, FINE | {"sms": 6.0}, SILENT - 5)
    assert down(programs) == {}
    go(here, FINE | {"sms": SILENT}, 15)
    assert down(programs) == {"sms": 1}
    go(here, FINE | {"sms": 60.0}, COMES_UP - 10)
    assert down(programs) == {"sms": 1}
    go(here, FINE | {"sms": 150.0}, 20)
    assert down(programs) == {"sms": 2}
    go(here, FINE, 15)
    go(here, FINE | {"sms": 6.0}, SILENT + EVERY)
    assert down(programs) == {"sms": 3}, "seen once, it came up: 40 s count again"


def test_when_all_workers_are_silent_beat_is_started_again_too(programs: list[Fake]) -> None:
    here = Silence(programs, dict)
    go(here, FINE, 60)
    go(here, dict.fromkeys(FINE, 50.0) | {"watch": 1.0}, 2 * EVERY)
    assert down(programs) == {"engine": 1, "sms": 1, "email": 1, "beat": 1}


def test_when_nudges_keep_the_engine_awake_beat_is_what_is_missing(programs: list[Fake]) -> None:
    here = Silence(programs, dict)
    go(here, FINE, 60)
    go(here, FINE | {"sms": 50.0, "email": 50.0, "beat": 50.0}, 2 * EVERY)
    assert down(programs) == {"beat": 1}


def test_a_silent_engine_takes_the_sign_of_beat_along_and_beat_is_left_alone(programs: list[Fake]) -> None:
    here = Silence(programs, dict)
    go(here, FINE, 60)
    go(here, FINE | {"engine": 36.0, "beat": 41.0}, 2 * EVERY, growing=False)
    assert down(programs) == {}
    go(here, FINE | {"engine": 41.0, "beat": 46.0}, 2 * EVERY)
    assert down(programs) == {"engine": 1}


def test_a_watcher_that_hangs_is_started_again(programs: list[Fake]) -> None:
    here = Silence(programs, dict)
    go(here, FINE, 60)
    go(here, FINE | {"watch": 50.0}, 2 * EVERY)
    assert down(programs) == {"watch": 1}


def test_nobody_is_started_again_because_the_database_or_redis_was_away(programs: list[Fake]) -> None:
    here = Silence(programs, dict)
    go(here, FINE, 60)
    go(here, None, 300)
    old = dict.fromkeys(FINE, 305.0)
    go(here, old, SILENT)
    assert down(programs) == {}
    go(here, FINE, 60)
    clock[0] += GAP + 300  # the question itself hung
    go(here, old, SILENT)
    assert down(programs) == {}


def test_a_machine_that_slept_wakes_up_before_anybody_is_started_again(programs: list[Fake]) -> None:
    here = Silence(programs, dict)
    go(here, FINE, 60)
    go(here, dict.fromkeys(FINE, 30_000.0), EVERY)
    go(here, FINE, 60)
    assert down(programs) == {}


def test_a_part_that_was_never_seen_is_left_alone(programs: list[Fake]) -> None:
    go(Silence(programs, dict), {"engine": 1.0}, 600)
    assert down(programs) == {}


def test_a_question_that_hangs_does_not_hold_the_supervisor(programs: list[Fake]) -> None:
    go_on = threading.Event()

    def look() -> dict[str, float]:
        go_on.wait(10)
        return {}

    here = Silence(programs, look)
    began = time.monotonic()
    for n in range(10):
        here(1000.0 + n * EVERY)
    assert time.monotonic() - began < 1
    go_on.set()


@pytest.mark.django_db
def test_the_database_knows_how_long_each_part_has_been_silent() -> None:
    now = timezone.now()
    watch.beat(now - timedelta(seconds=50))
    watch.beat(now, "sms")
    watch.beat(now - timedelta(seconds=5), watch.WATCHER)
    watch.beat(now, "audit")
    tasks.drills()
    seen = silence.last_seen()
    assert seen == pytest.approx({"engine": 50, "sms": 0, "watch": 5, "beat": 0}, abs=3)


@pytest.fixture
def run() -> Iterator[Callable[..., Supervisor]]:
    started: list[tuple[Supervisor, threading.Thread]] = []

    def go_on(programs: list[Program], look: Callable[[], dict[str, float]]) -> Supervisor:
        supervisor = Supervisor(programs)
        supervisor.watch = [Silence(programs, look)]
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        started.append((supervisor, thread))
        return supervisor

    yield go_on
    for supervisor, thread in started:
        supervisor.stop()
        thread.join()


def test_a_frozen_process_is_killed_and_started_again(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "SILENT", 0.5)
    monkeypatch.setattr(silence, "COMES_UP", 0.5)
    monkeypatch.setattr(silence, "EVERY", 0.2)
    lines: list[str] = []
    program = Program("sms", [sys.executable, "-c", "import time; time.sleep(60)"], {}, tell=lines.append)
    frozen: list[int] = []
    run([program], lambda: {"sms": 60.0 if frozen else 0.0})
    wait_for(lambda: program.process is not None)
    assert program.process is not None
    first = program.process.pid
    program.process.send_signal(signal.SIGSTOP)
    frozen.append(first)
    wait_for(lambda: program.process is not None and program.process.pid != first)
    frozen.clear()
    assert lines[0] == "sms has done nothing for 0 s; starting it again in 1 s."


def wait_for(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
