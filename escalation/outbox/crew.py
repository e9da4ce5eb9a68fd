"""Several messages at once to a provider that takes them; all that asks the database stays in one thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from escalation.channels import Failed, PermanentFailure, Provider, Receipt, Sender, at_once
from escalation.models import Delivery

logger = logging.getLogger(__name__)

MOST = 16
"""Threads of one turn, over all providers of its channel."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one hand-over went."""

    delivery: Delivery
    provider: Provider
    result: Receipt | Failed


class Crew:
    """Hands messages over in threads. Who asks it to `make_room` first never waits with a written one."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._at_work: dict[Future[Outcome], Provider] = {}

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_unused: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def make_room(self, sender: Sender, provider: Provider) -> Iterator[Outcome]:
        """What has ended; waits until this provider may be given one more."""
        while True:
            busy = sum(one == provider for one in self._at_work.values())
            is_full = busy >= at_once(sender) or len(self._at_work) >= MOST
            yield from self._ended(is_full)
            if not is_full:
                return

    def give(self, sender: Sender, delivery: Delivery, provider: Provider) -> Iterator[Outcome]:
        """Hand one over: here and now to who takes one at a time, else in a thread."""
        if at_once(sender) <= 1:
            yield hand_over(sender, delivery, provider)
            return
        self._threads = self._threads or ThreadPoolExecutor(MOST, thread_name_prefix="send")
        self._at_work[self._threads.submit(hand_over, sender, delivery, provider)] = provider

    def rest(self) -> Iterator[Outcome]:
        """Wait for all that is on its way."""
        while self._at_work:
            yield from self._ended(is_waiting=True)

    def _ended(self, is_waiting: bool) -> Iterator[Outcome]:
        if not self._at_work:
            return
        done, _open = wait(self._at_work, timeout=None if is_waiting else 0, return_when=FIRST_COMPLETED)
        for future in done:
            del self._at_work[future]
            yield future.result()


def hand_over(sender: Sender, delivery: Delivery, provider: Provider) -> Outcome:
    """A message that breaks its channel has failed for good."""
    try:
        return Outcome(delivery, provider, sender.send(delivery))
    except Failed as failure:
        return Outcome(delivery, provider, failure)
    except Exception as error:
        logger.exception("Delivery %s broke its channel.", delivery.pk)
        return Outcome(delivery, provider, PermanentFailure(type(error).__name__))
