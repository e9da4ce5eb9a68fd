"""`python -m chaos [--seconds 180] [--rate 20] [--short]`: builds one, breaks it, prints the account.

Ends with status 1 when anything was lost, came twice without a kill in the middle of its sending, was late
without a fault, or when a screen did not say that alerts stood still.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from benchmarks import stage
from benchmarks.figures import say
from chaos import account, faults, parts, report
from chaos.faults import Fault, Stage
from chaos.floor import Floor
from chaos.parts import Mail, Parts
from chaos.pulse import Pulse
from chaos.screens import Screens
from opsdesk import embedded
from opsdesk.boot import boot

WARM_UP = 5.0
QUIET_WITHIN = 120.0
"""Seconds after the load in which everything has to be done that is due."""

LAST_WORDS = 5.0

HELD_AT_MOST = 15
"""Minutes for which a message may be held back to go with others."""

SENDERS = 3
"""Mails that may be in hand at once: two senders of the channel's worker, and the watcher's."""

GRACE = timedelta(seconds=5)
"""Steps still come due while nobody raises any more: what is younger is being done."""

STILL = 3.0
"""Seconds between two heartbeats that are worth remembering."""


def main(arguments: Sequence[str]) -> int:
    asked = _parse(arguments)
    with stage.fresh_home() as home, parts.mail(home) as mail:
        os.environ["EMAIL_URL"] = mail.url
        log = home / "logs" / "parts.log"
        try:
            say("building the demo plant")
            boot()
            _module("world").build()
            found = Run(asked, mail, parts.Log(log)).go(home)
        finally:
            if asked.keep:
                shutil.copy(log, asked.keep)
            _leave()
    print("\n".join(found.lines))
    for miss in found.misses:
        print(f"missed: {miss}")
    print(
        "Nothing was lost." if not found.misses else f"{len(found.misses)} things are not as they should be."
    )
    return 1 if found.misses else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=180, help="of load, at least")
    parser.add_argument("--rate", type=float, default=20, help="raises per second")
    parser.add_argument("--short", action="store_true", help="three faults within about 40 s")
    parser.add_argument("--seed", type=int, default=1, help="of what is raised where")
    parser.add_argument("--slack", type=float, default=1, help="times as late is in time: for a busy machine")
    parser.add_argument("--keep", type=Path, help="where to copy what the parts said")
    return parser.parse_args(arguments)


def _module(name: str) -> Any:
    """Loaded only now: it needs Django, which needs the fresh folder."""
    return import_module(f"chaos.{name}")


class Found:
    """What came of it."""

    def __init__(self, lines: list[str], misses: list[str]) -> None:
        self.lines, self.misses = lines, misses


class Run:
    """One run: load, faults, quiet, account."""

    def __init__(self, asked: argparse.Namespace, mail: Mail, log: parts.Log) -> None:
        self.asked, self.mail, self.log = asked, mail, log
        self.plan = faults.SHORT if asked.short else faults.ALL
        self.done: list[Fault] = []
        self.began = time.time()
        self.end = 0.0

    def go(self, home: Path) -> Found:
        world = _module("world")
        tokens, cookie, places = world.tokens(), world.cookie(), world.places()
        connections.close_all()
        with parts.running(home, self.mail.url, self.log) as running:
            self.pulse = Pulse(_dsn())
            self.screens = Screens(running.addresses, cookie)
            self.floor = Floor(running.addresses, tokens, places, rate=self.asked.rate, seed=self.asked.seed)
            self.pulse.start()
            time.sleep(WARM_UP)
            self.screens.start()
            self._load_and_faults(running)
            self._wait_until_quiet()
            self.screens.stop()
            self.pulse.stop()
            running.signal("beat", signal.SIGSTOP)  # nobody begins anything; what is in hand is finished
            time.sleep(LAST_WORDS)
        self._send_what_is_held()
        return self._settle()

    def _load_and_faults(self, running: Parts) -> None:
        self.began = time.time()
        self.floor.start()
        stage_ = Stage(running, self.mail, self.pulse, self._note)
        for fault in faults.run(stage_, self.plan):
            self.done.append(fault)
            self._note(f"{fault.name}: over after {fault.ended - fault.began:.0f} s")
        rest = self.asked.seconds - (time.time() - self.began)
        time.sleep(max(rest, faults.CALM))
        self.floor.stop()
        self.floor.wait(60)
        self._note(f"{len(self.floor.ledger.raises):,} raises, {self.floor.reached_rate():.1f}/s")

    def _note(self, sentence: str) -> None:
        self.log(f"--- {sentence}")
        say(f"{time.time() - self.began:4.0f} s  {sentence}")

    def _wait_until_quiet(self) -> None:
        """Nothing to do three times in a row; what is not done by then is in the account."""
        rows = _module("rows")
        limit, calm = time.monotonic() + QUIET_WITHIN, 0
        while calm < 3 and time.monotonic() < limit:
            time.sleep(1)
            calm = calm + 1 if rows.busy(timezone.now() - GRACE) == 0 else 0
        self.end = time.time() - GRACE.total_seconds()
        self._note(
            f"quiet, {rows.held():,} messages are held back to go with others" if calm else "not quiet"
        )

    def _send_what_is_held(self) -> None:
        """The clock moves on for those that wait to go with others: nobody waits ten minutes for this."""
        outbox, rows = import_module("escalation.outbox"), _module("rows")
        now = timezone.now()
        outbox.take_back_expired(now)
        for minute in range(HELD_AT_MOST + 1):
            if rows.held() == 0:
                break
            for channel in settings.CHANNELS:
                outbox.deliver_due(channel, now + timedelta(minutes=minute))

    # --- the account ---

    def _settle(self) -> Found:
        ledger, rows, world = self.floor.ledger, _module("rows"), _module("world")
        raises = [one for one in ledger.raises if one.asked_at]
        there = rows.read([one.client_id for one in raises], began=self.began, end=self.end)
        windows = [one.window for one in self.done]
        asked = account.Asked(
            raises=len(raises),
            answered={one.client_id: one.number for one in raises if one.number},
            refused=[one.refused for one in raises if one.refused],
            takes={one.number for one in ledger.takes if one.number},
        )
        mails = [mail for mail in self.mail.taken() if mail.at >= self.began]
        sums = account.settle(
            there, mails, asked, windows, ladder=world.LADDER, end=self.end, slack=self.asked.slack
        )
        screens = self._screens(windows)
        load = self._load(raises, len(there.incidents), asked)
        noise = report.said_for_nothing(self.screens.seen, windows)
        return Found(
            report.lines(load, sums, windows, screens, self.began),
            report.misses(load, sums, screens, noise, began=self.began, senders=SENDERS),
        )

    def _screens(self, windows: Sequence[account.Window]) -> dict[str, report.Screen]:
        starts = [window.began for window in windows[1:]] + [float("inf")]
        found = {}
        for window, fault, until in zip(windows, self.done, starts, strict=True):
            silences = [span for name in fault.stops for span in self.pulse.silences(name, STILL)]
            found[window.name] = report.judge_screens(self.screens.seen, silences, window, until)
        return found

    def _load(self, raises: Sequence[Any], there: int, asked: account.Asked) -> report.Load:
        return report.Load(
            asked=len(raises),
            answered=len(asked.answered),
            there=there,
            refused=asked.refused,
            rate=self.asked.rate,
            reached=len(raises) / (self.floor.ended - self.floor.began),
            seconds=self.floor.ended - self.floor.began,
            answer_seconds=[one.answered_at - one.asked_at for one in raises if one.number],
            taken=len(asked.takes),
            others=self.floor.ledger.others,
        )


def _dsn() -> str:
    known = connection.settings_dict
    return f"dbname={known['NAME']} user={known['USER']} host={known['HOST']} connect_timeout=2"


def _leave() -> None:
    """Let go of the embedded servers, so that they end before their folder goes."""
    connections.close_all()
    embedded.detach(embedded.home_from(os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
