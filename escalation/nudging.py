"""Waking the engine up early. It wakes every second by itself, so that a nudge may be lost at any time."""

from __future__ import annotations

import logging
import time

from celery import current_app
from django.conf import settings

logger = logging.getLogger(__name__)

APART = 0.25
"""Seconds between two nudges of a process: one engine run serves all that changed before it.

What changes within them waits for the engine's own second. An engine run for each of many quick changes takes
the processor from the pages (two cores: a raise took 85 instead of 30 ms).
"""

LISTENERS_APART = 1.0
"""The same for chat rooms and programs, which hear every event and rescue nobody."""

PAUSE_AFTER_FAILURE = 5.0
"""Seconds without a nudge after the broker did not answer: no page waits for a dead Redis twice."""

LIVES = 2
"""Seconds after which an unread nudge is dropped: by then the engine has woken up by itself."""

_not_before: dict[str, float] = {}


def nudge() -> None:
    """Ask a worker to run the engine now."""
    _publish("escalation.tasks.tick", queue="engine", args=())


def nudge_channel(channel: str) -> None:
    """Ask a worker to send what waits now on a channel, or for chat rooms or programs."""
    task = "post_due" if channel in settings.LISTENERS else "deliver_due"
    _publish(f"escalation.tasks.{task}", queue=channel, args=(channel,))


def _publish(task: str, *, queue: str, args: tuple[str, ...]) -> None:
    if not settings.NUDGE_ENGINE:
        return
    now = time.monotonic()
    if now < max(_not_before.get(queue, 0.0), _not_before.get("", 0.0)):
        return
    _not_before[queue] = now + (LISTENERS_APART if queue in settings.LISTENERS else APART)
    try:
        current_app.send_task(task, args=args, queue=queue, expires=LIVES, retry=False, ignore_result=True)
    except Exception as error:  # whatever the broker's client raises: the engine does not depend on it
        _not_before[""] = time.monotonic() + PAUSE_AFTER_FAILURE
        logger.warning(
            "The broker did not take a nudge (%s); the engine looks within a second by itself.", error
        )
