"""Keeps a set of programs running: starts them, starts again what dies, and ends them all in time."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
STEADY = 60.0  # seconds after which a program counts as healthy again
LONGEST_WAIT = 30.0  # seconds between two tries, at most
POLITE = 4.0  # seconds a program gets to end by itself


def say(sentence: str) -> None:
    print(sentence, flush=True)


@dataclass
class Program:
    """One program of the set. ``name`` starts every line it prints; ``part`` is what it does."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    part: str = ""
    tell: Callable[[str], None] = say
    why: str = ""
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    failures: int = 0
    again_at: float | None = None

    def __post_init__(self) -> None:
        self.part = self.part or self.name

    def start(self) -> None:
        self.again_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
            preexec_fn=_end_with_parent,
        )
        threading.Thread(target=self._pass_on, args=(self.process,), daemon=True).start()

    def _pass_on(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                self.tell(f"{self.name:<7}| {line.rstrip()}")

    def look_after(self, now: float) -> None:
        """Start it again when it has died: at once the first time, later and later when it keeps dying."""
        if self.again_at is not None:
            if now >= self.again_at:
                self.start()
            return
        code = self.process.poll() if self.process else 0
        if code is None:
            return
        self.kill()  # children of a dead pool
        self.failures = 1 if now - self.started_at > STEADY else self.failures + 1
        wait = min(2.0 ** (self.failures - 1), LONGEST_WAIT)
        self.again_at = now + wait
        why, self.why = self.why or f"stopped by itself ({how(code)})", ""
        self.tell(f"{self.name} {why}; starting it again in {wait:g} s.")

    def ran_for(self, now: float) -> float:
        """Seconds since it was started; 0 while it waits for its start."""
        return now - self.started_at if self.process and self.again_at is None else 0.0

    def put_down(self, why: str) -> None:
        """Kill a program that is alive and of no use; ``look_after`` starts it again."""
        self.why = why
        self.kill()

    def ask_to_end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """End the program and everything it started."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Supervisor:
    """Runs until it is asked to stop (``stop()``), which is safe to call from a signal handler."""

    programs: Sequence[Program]
    watch: Sequence[Callable[[], None]] = ()
    stopping: threading.Event = field(default_factory=threading.Event)

    def stop(self, *_: object) -> None:
        self.stopping.set()

    def run(self) -> None:
        for program in self.programs:
            program.start()
        try:
            while not self.stopping.wait(0.2):
                now = time.monotonic()
                for program in self.programs:
                    program.look_after(now)
                for look in self.watch:
                    look()
        finally:
            self.end()

    def end(self) -> None:
        """Ask everybody, wait a little, then insist."""
        for program in self.programs:
            program.ask_to_end()
        deadline = time.monotonic() + POLITE
        for program in self.programs:
            if program.process:
                with suppress(subprocess.TimeoutExpired):
                    program.process.wait(max(0.05, deadline - time.monotonic()))
            program.kill()


def how(code: int) -> str:
    """``exit status 1`` or ``signal SIGKILL``."""
    if code >= 0:
        return f"exit status {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def _end_with_parent() -> None:
    """A killed supervisor takes its programs along (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


class MakeWatch:
    """Ends us when the ``make`` that runs us is told to end.

    ``make`` passes SIGTERM on, but keeps SIGINT to itself and waits: a terminal would have sent that to the
    whole group. Inside its handler the signal is blocked, which Linux shows. A make that was killed shows as
    another parent.
    """

    def __init__(self, stop: Callable[[], None]):
        self.stop = stop
        self.parent = os.getppid()
        self.active = self._field("Name:") in {"make", "gmake"}

    def __call__(self) -> None:
        if not self.active:
            return
        blocked = int(self._field("SigBlk:") or "0", 16)
        if os.getppid() != self.parent or blocked & (1 << (signal.SIGINT - 1)):
            self.stop()

    def _field(self, name: str) -> str:
        with suppress(OSError):
            for line in Path(f"/proc/{self.parent}/status").read_text().splitlines():
                if line.startswith(name):
                    return line.split(None, 1)[1]
        return ""
