"""Ways to reach people; one file each. `open_channel` gives the sender that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from escalation.channels.base import (
    ChannelDown,
    Failed,
    OptedOut,
    Paused,
    PermanentFailure,
    Receipt,
    RefusedHere,
    Sender,
    TemporaryFailure,
    at_once,
    probe,
)
from escalation.channels.by_apprise import ByApprise
from escalation.channels.email import Smtp
from escalation.channels.push import WebPush
from escalation.channels.sandbox import Sandbox
from escalation.channels.twilio import Twilio
from opsdesk.outbound import Provider, providers
from plant.models import Channel

__all__ = [
    "ChannelDown",
    "Failed",
    "OptedOut",
    "Paused",
    "PermanentFailure",
    "Provider",
    "Receipt",
    "RefusedHere",
    "Sender",
    "TemporaryFailure",
    "at_once",
    "open_channel",
    "probe",
    "providers_of",
]

_SENDERS: dict[tuple[str, str], Callable[[Provider], Sender]] = {
    (Channel.EMAIL, "smtp"): Smtp,
    (Channel.EMAIL, "smtps"): Smtp,
    (Channel.SMS, "twilio"): Twilio,
    (Channel.SMS, "apprise"): ByApprise,
    (Channel.PUSH, "vapid"): WebPush,
}


def providers_of(channel: str) -> list[Provider]:
    """The providers of a channel, in the order in which they are tried."""
    return providers(getattr(settings, f"{channel.upper()}_URL", "sandbox://"))


def open_channel(channel: str, provider: Provider | None = None) -> Sender:
    """The sender of a provider, by itself of the channel's first. Raises ChannelDown when there is none."""
    chosen = provider or next(iter(providers_of(channel)), None)
    make = _SENDERS.get((channel, chosen.scheme)) if chosen else None
    if chosen is not None and chosen.scheme == "sandbox":
        return Sandbox()
    if chosen is not None and make is not None:
        return make(chosen)
    raise ChannelDown(f"No sender for “{channel}” can be made of its setting; set it to sandbox://.")
