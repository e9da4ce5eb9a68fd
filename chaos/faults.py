"""What is done to the parts, one after the other, and when each counts as over."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from chaos.account import Window
from chaos.parts import Mail, Parts
from chaos.pulse import Pulse

SLOW = 1.0
"""Seconds between having a mail and saying so: whoever is killed then has sent it and does not know."""

TAKE_LONGER = 0.25
"""Seconds between two attempts to hold something down."""

SMTP_HANGS = 20.0
SMTP_REFUSES = 15.0
REDIS_AWAY = 10.0
BEAT_STOPPED = 60.0


@dataclass(slots=True)
class Fault:
    """One thing that was done: when, and until when late is still its doing.

    `recovery`: seconds after its end in which what it held up may still be late. `stops`: parts that stand
    still by it.
    """

    name: str
    stops: tuple[str, ...]
    recovery: float
    began: float = 0.0
    ended: float = 0.0
    kills_a_send: bool = False

    @property
    def window(self) -> Window:
        until, holds_steps = self.ended + self.recovery, "engine" in self.stops
        return Window(self.name, self.began, self.ended, until, self.kills_a_send, holds_steps)


Act = Callable[["Stage"], None]


@dataclass(slots=True)
class Stage:
    """What the faults are done to."""

    parts: Parts
    mail: Mail
    pulse: Pulse
    say: Callable[[str], None]
    beat_stopped: float = BEAT_STOPPED

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait_for(self, happens: Callable[[], Any], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not happens():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def wait_for_pulse(self, *names: str, since: float, seconds: float = 90.0) -> None:
        """Until these parts were seen to work after that moment."""
        self.wait_for(lambda: all(self.pulse.last(name) > since for name in names), seconds)


def kill_while_sending(stage: Stage) -> None:
    """A mail is with the server, and its sender is killed before it hears so."""
    stage.mail.tell(f"slow {SLOW}")
    before = len(stage.mail.taken())
    stage.wait_for(lambda: len(stage.mail.taken()) > before, 10)
    time.sleep(SLOW / 4)
    killed = time.time()
    stage.parts.signal("email", signal.SIGKILL)
    stage.mail.tell("take")
    stage.wait_for_pulse("email", since=killed + 0.5)


def kill_engine(stage: Stage) -> None:
    killed = time.time()
    stage.parts.signal("engine", signal.SIGKILL)
    stage.wait_for_pulse("engine", since=killed + 0.5)


def lose_redis(stage: Stage) -> None:
    """Killed as often as it comes back for a while; then it is back, and empty."""
    end = time.monotonic() + REDIS_AWAY
    while time.monotonic() < end:
        stage.parts.server("Redis", signal.SIGKILL)
        time.sleep(TAKE_LONGER)
    stage.wait_for_pulse("engine", "sms", "email", since=time.time())


def restart_postgres(stage: Stage) -> None:
    """Immediate mode: no goodbye, and it recovers from its log when it starts."""
    began = time.time()
    stage.parts.server("PostgreSQL", signal.SIGQUIT)
    stage.wait_for(lambda: not stage.pulse.answers, 5)
    stage.wait_for_pulse("engine", "sms", "email", since=began + 1)


def stop_beats(stage: Stage) -> None:
    """Frozen; and so is whatever is started in their place."""
    end = time.monotonic() + stage.beat_stopped
    while time.monotonic() < end:
        stage.parts.signal("beat", signal.SIGSTOP)
        time.sleep(TAKE_LONGER)
    stage.parts.signal("beat", signal.SIGCONT)
    stage.wait_for_pulse("engine", "sms", "email", since=time.time())


def freeze_engine(stage: Stage) -> None:
    """It lives and does nothing. Nobody here thaws it: whoever looks after it has to notice."""
    began = time.time()
    stage.parts.signal("engine", signal.SIGSTOP)
    stage.wait_for_pulse("engine", since=began + 5)


def smtp_fails(stage: Stage) -> None:
    stage.mail.tell("hang")
    stage.wait(SMTP_HANGS)
    stage.mail.tell("refuse")
    stage.wait(SMTP_REFUSES)
    stage.mail.tell("take")


def smtp_refuses(stage: Stage) -> None:
    stage.mail.tell("refuse")
    stage.wait(8)
    stage.mail.tell("take")


ALL: tuple[tuple[Fault, Act], ...] = (
    (Fault("sender killed in mid-send", ("email",), 15, kills_a_send=True), kill_while_sending),
    (Fault("SMTP hangs, refuses", ("email",), 90), smtp_fails),
    (Fault("engine killed -9", ("engine",), 10), kill_engine),
    (Fault("Redis lost, back empty", ("engine", "sms", "email"), 15), lose_redis),
    (
        Fault("PostgreSQL restarted", ("engine", "sms", "email"), 20, kills_a_send=True),
        restart_postgres,
    ),
    (Fault("engine frozen", ("engine",), 10), freeze_engine),
    (Fault("both beats stopped 60 s", ("engine", "sms", "email"), 10), stop_beats),
)
SHORT: tuple[tuple[Fault, Act], ...] = (
    (Fault("sender killed in mid-send", ("email",), 15, kills_a_send=True), kill_while_sending),
    (Fault("Redis lost, back empty", ("engine", "sms", "email"), 15), lose_redis),
    (Fault("SMTP refuses", ("email",), 60), smtp_refuses),
)

CALM = 6.0
"""Seconds between two faults."""


def run(stage: Stage, plan: tuple[tuple[Fault, Act], ...]) -> Iterator[Fault]:
    """Do them in turn; each is handed out when it is over."""
    for fault, act in plan:
        stage.wait(CALM)
        stage.say(fault.name)
        fault.began = time.time()
        act(stage)
        fault.ended = time.time()
        yield fault
