"""Ways to reach people; one file each. `open_channel` gives the sender that the settings name."""

from __future__ import annotations

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
)
from escalation.channels.by_apprise import ByApprise
from escalation.channels.email import Smtp
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
    "providers_of",
]

SETTINGS = {Channel.SMS.value: "SMS_URL", Channel.EMAIL.value: "EMAIL_URL"}
"""The setting that names the providers of a channel."""


def providers_of(channel: str) -> list[Provider]:
    """The providers of a channel, in the order in which they are tried."""
    return providers(getattr(settings, SETTINGS[channel]))


def open_channel(channel: str, provider: Provider | None = None) -> Sender:
    """The sender of a provider, by itself of the channel's first. Raises ChannelDown when there is none."""
    chosen = provider or next(iter(providers_of(channel)), None)
    if chosen is not None:
        if chosen.scheme == "sandbox":
            return Sandbox()
        if channel == Channel.EMAIL and chosen.scheme in ("smtp", "smtps"):
            return Smtp(chosen.url)
        if channel == Channel.SMS and chosen.scheme == "twilio":
            return Twilio(chosen)
        if channel == Channel.SMS and chosen.scheme == "apprise":
            return ByApprise(chosen)
    raise ChannelDown(f"No sender for “{channel}” can be made of its setting; set it to sandbox://.")
