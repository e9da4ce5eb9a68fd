"""Text messages by any gateway that Apprise speaks, also those that stand in the plant."""

from __future__ import annotations

from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import apprise

from escalation.channels.base import ChannelDown, PermanentFailure, Receipt, Unsure
from escalation.models import Delivery
from opsdesk.outbound import Provider


class ByApprise:
    """A sender for `apprise+<apprise url>`. `{to}` in the address is the number, else it is added at the end.

    Apprise says yes or no and nothing more: no reference, no receipt, no reason.
    """

    at_once = 4

    def __init__(self, provider: Provider):
        self._name = provider.name
        self._url = provider.url.removeprefix("apprise+")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def send(self, delivery: Delivery) -> Receipt:
        if not delivery.address:
            raise PermanentFailure("No number.")
        notify(addressed(self._url, delivery.address), delivery.text, name=self._name)
        return Receipt(self._name, f"delivery-{delivery.pk}")


def notify(url: str, text: str, *, name: str, title: str = "") -> None:
    """Say this by one Apprise address. Raises ChannelDown or Unsure, never with the address in it."""
    gateway = apprise.Apprise()
    if not gateway.add(url):
        raise ChannelDown(f"{name} is no gateway that Apprise can use.")
    try:
        is_sent = gateway.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # whatever one of its hundred plug-ins raises; its text may hold the address
        raise Unsure(f"{name} broke: {type(error).__name__}.") from None
    if not is_sent:
        raise Unsure(f"{name} did not take the message.")


def addressed(url: str, number: str) -> str:
    """The gateway's address with the reader's number in it."""
    to = quote(number, safe="")
    if "{to}" in url:
        return url.replace("{to}", to)
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{to}").geturl()
