"""A process of its own that does one thing over and over: `python -m tests.concurrency.worker tick`.

It reads commands from standard input, one a line, and answers each with one line of JSON.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsdesk.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402

from escalation import outbox  # noqa: E402
from escalation.engine import subjects, tick  # noqa: E402
from escalation.engine.fire import fire_batch  # noqa: E402
from escalation.engine.reconcile import reconcile_batch  # noqa: E402
from incidents import lifecycle  # noqa: E402
from plant.duty import DutyBook  # noqa: E402
from plant.models import Person  # noqa: E402

settings.NUDGE_ENGINE = False

# Few at a time, so that six tickers really race for 300: with the product's batches one may take them all.
for _step in (fire_batch, reconcile_batch):
    (_step.__kwdefaults__ or {})["limit"] = 10


class Troubles(logging.Handler):
    """What the engine contained: with the incident's lock held there is nothing to contain."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


troubles = Troubles()
logging.getLogger("escalation.engine").addHandler(troubles)


def tick_at(moment: str) -> dict[str, Any]:
    """Turns of the engine at a given moment until nothing is left."""
    now, fired, errors = datetime.fromisoformat(moment), 0, []
    for _unused in range(50):
        try:
            done = tick(now)
        except Exception as error:
            errors.append(repr(error))
            continue
        fired += done.fired
        if not done.fired and not done.read:
            break
    return {"fired": fired, "errors": errors + troubles.said}


def tick_small(seconds: str) -> dict[str, Any]:
    """Many small turns on the real clock: five incidents at a time, so that races are frequent."""
    end, fired, errors = time.monotonic() + float(seconds), 0, []
    while time.monotonic() < end:
        try:
            now = datetime.now().astimezone()
            reconcile_batch(now, limit=5)
            fired += fire_batch(now, DutyBook.load(now), limit=5).fired
        except Exception as error:
            errors.append(repr(error))
    return {"fired": fired, "errors": errors + troubles.said}


def acknowledge(arguments: str) -> dict[str, Any]:
    """Take incidents one after the other, in an order of its own."""
    username, _unused, numbers = arguments.partition(" ")
    person, errors, taken = Person.objects.get(username=username), [], 0
    todo = numbers.split(",")
    random.Random(username).shuffle(todo)
    for number in todo:
        try:
            lifecycle.acknowledge(number, by=person)
            taken += 1
        except Exception as error:
            errors.append(repr(error))
    return {"taken": taken, "errors": errors}


def send(arguments: str) -> dict[str, Any]:
    """Hand over what is queued on a channel, for so many seconds."""
    channel, seconds = arguments.split()
    end, sent = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        done = outbox.deliver_due(channel)
        sent += done.sent
        time.sleep(0.01)
    return {"sent": sent}


def hold(_arguments: str) -> dict[str, Any]:
    """Lock what is to be read, as an engine does, say how many, and stay in the transaction."""
    with transaction.atomic():
        ids = subjects.lock(subjects.LOCK_UNREAD, datetime.now().astimezone(), 100)
        print(json.dumps({"held": len(ids)}), flush=True)
        time.sleep(60)
    return {"held": 0}


COMMANDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "tick": tick_at,
    "tick-small": tick_small,
    "acknowledge": acknowledge,
    "send": send,
    "hold": hold,
}


def main() -> None:
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        command, _unused, arguments = line.strip().partition(" ")
        print(json.dumps(COMMANDS[command](arguments)), flush=True)


if __name__ == "__main__":
    main()
