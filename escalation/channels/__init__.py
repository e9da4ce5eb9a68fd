"""Ways to reach people; one file each. `open_channel` gives the sender that the settings name."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from escalation.channels.base import (
    ChannelDown,
    Failed,
    PermanentFailure,
    Receipt,
    Sender,
    TemporaryFailure,
)
from escalation.channels.email import Smtp
from escalation.channels.push import WebPush
from escalation.channels.sandbox import Sandbox
from plant.models import Channel

__all__ = [
    "ChannelDown",
    "Failed",
    "PermanentFailure",
    "Receipt",
    "Sender",
    "TemporaryFailure",
    "open_channel",
]


def open_channel(channel: str) -> Sender:
    """The sender of a channel. Raises ChannelDown when the settings name none that exists."""
    url = {Channel.EMAIL: settings.EMAIL_URL, Channel.PUSH: settings.PUSH_URL}.get(
        Channel(channel), settings.SMS_URL
    )
    scheme = urlsplit(url).scheme
    if scheme == "sandbox":
        return Sandbox()
    if channel == Channel.EMAIL and scheme in ("smtp", "smtps"):
        return Smtp(url)
    if channel == Channel.PUSH and scheme == "vapid":
        return WebPush()
    raise ChannelDown(f"No sender for {scheme}:// on the channel “{channel}”; set it to sandbox://.")
