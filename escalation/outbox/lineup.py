"""The providers of a channel in one turn: each opened once, tried in order, left alone while it is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from datetime import datetime

from escalation import health
from escalation.channels import ChannelDown, Failed, Paused, Provider, Sender, probe, providers_of
from escalation.outbox import provider_news

BREAK = 5.0
"""Seconds for which a provider that was down is not asked again; what waits for it is handled at once."""

down_until: dict[tuple[str, str], tuple[float, ChannelDown]] = {}
"""By channel and provider: until when (of time.monotonic()) this process leaves it alone, and why."""


class LineUp:
    """Which provider a message goes by. `open_one` makes the sender of a provider."""

    def __init__(self, channel: str, open_one: Callable[[Provider], Sender]):
        self._channel = channel
        self._open_one = open_one
        self._senders: dict[str, tuple[Sender, ExitStack]] = {}
        self._providers: list[Provider] = []
        self._known: dict[str, health.State] = {}

    def __enter__(self) -> LineUp:
        self._providers = providers_of(self._channel)
        self._known = health.states(self._channel)
        return self

    def __exit__(self, *_unused: object) -> None:
        for provider in self._providers:
            self.hang_up(provider)

    @property
    def providers(self) -> list[Provider]:
        return self._providers

    def choose(self, tried: Collection[str], attempt: int, now: datetime) -> Provider:
        """The first that works and was not tried for this message; after all were, each in turn.

        Raises ChannelDown when none is left.

        One that is marked down is asked only when it is time to probe it, or when there is no other.
        """
        up = [one for one in self._providers if self._why_not(one, now) is None]
        if not up:
            raise self._reason(now)
        healthy = [one for one in up if not self._is_marked(one) or len(up) == 1]
        due = [one for one in up if one not in healthy and one.name not in tried]
        if due and health.take_probe(self._channel, due[0].name, now):
            return due[0]
        wanted = healthy or up
        again = wanted[(attempt - 1) % len(wanted)] if tried else wanted[0]
        return next((one for one in wanted if one.name not in tried), again)

    def another(self, tried: Collection[str], now: datetime) -> bool:
        """Whether a provider is left that was not tried for a message and is not known to be down."""
        return any(one.name not in tried and self._why_not(one, now) is None for one in self._providers)

    def sender(self, provider: Provider) -> Sender:
        """Its sender, with an open connection. Raises ChannelDown."""
        if provider.name not in self._senders:
            stack = ExitStack()
            self._senders[provider.name] = (stack.enter_context(self._open_one(provider)), stack)
        return self._senders[provider.name][0]

    def hang_up(self, provider: Provider) -> None:
        _sender, stack = self._senders.pop(provider.name, (None, None))
        if stack is not None:
            stack.close()

    def failed(self, provider: Provider, failure: Failed, now: datetime) -> None:
        """Remember a failure that is the provider's own fault, and leave it alone for a while."""
        if isinstance(failure, ChannelDown):
            self.hang_up(provider)
            wait = failure.retry_after if isinstance(failure, Paused) else BREAK
            down_until[self._channel, provider.name] = (time.monotonic() + (wait or BREAK), failure)
        if isinstance(failure, Paused):
            health.paused(self._channel, provider, failure.retry_after or BREAK, now)
        elif failure.is_providers and health.failed(self._channel, provider, str(failure), now):
            provider_news.say(self._channel, provider, is_down=True, error=str(failure), now=now)

    def worked(self, provider: Provider, now: datetime) -> None:
        """Remember that it took a message; written when that is news, or once a turn."""
        known = self._known.get(provider.name)
        if known is None or known.failures or known.is_down or not known.is_noted:
            found = self._known[provider.name] = health.worked(self._channel, provider, now)
            if known is not None and known.is_down and not found.is_down:
                provider_news.say(self._channel, provider, is_down=False, error="", now=now)

    def probe_those_down(self, now: datetime) -> None:
        """Ask who is marked down whether it is back, so that it is known before the next message needs it.

        Not one whose answer was wrong the last time, or whose messages do not arrive: that is left to the
        messages that are risked on it.
        """
        for provider in self._providers:
            known = self._known.get(provider.name)
            if known is None or not known.is_down or known.is_unproved or known.brings_nothing:
                continue
            if health.take_probe(self._channel, provider.name, now):
                self._probe(provider, now)

    def _probe(self, provider: Provider, now: datetime) -> None:
        try:
            if probe(self.sender(provider)) and health.answers(self._channel, provider.name, now):
                self._known[provider.name] = health.State(is_unproved=True)
                provider_news.say(self._channel, provider, is_down=False, error="", now=now)
        except Failed as failure:
            self.failed(provider, failure, now)

    def _is_marked(self, provider: Provider) -> bool:
        known = self._known.get(provider.name)
        return known is not None and known.is_down

    def _why_not(self, provider: Provider, now: datetime) -> ChannelDown | None:
        until, why = down_until.get((self._channel, provider.name), (0.0, None))
        left = until - time.monotonic()
        if why is not None and left > 0:
            return Paused(str(why), left) if isinstance(why, Paused) else ChannelDown(str(why))
        known = self._known.get(provider.name)
        if known is not None and known.paused_until is not None and known.paused_until > now:
            return Paused(known.error, (known.paused_until - now).total_seconds())
        return None

    def _reason(self, now: datetime) -> ChannelDown:
        """Why none can be asked: the shortest pause if there is one, for that ends by itself."""
        reasons = [why for one in self._providers if (why := self._why_not(one, now)) is not None]
        paused = [why for why in reasons if isinstance(why, Paused)]
        if paused:
            return min(paused, key=lambda why: why.retry_after or 0)
        return reasons[0] if reasons else ChannelDown(f"No provider is set up for “{self._channel}”.")
