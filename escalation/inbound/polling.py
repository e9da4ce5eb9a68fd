"""Asks gateways for texts that came in, for plants that no gateway can call, and texts the answers.

What the gateway has posted to us already is known by its reference and acts no second time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from escalation.channels import Failed, PermanentFailure
from escalation.channels.twilio import Client, client_of
from escalation.inbound.sms import take_sms
from escalation.models import Inbound
from opsdesk.outbound import providers
from plant.models import Channel

logger = logging.getLogger(__name__)

TWILIO = "twilio"
"""One name for whatever way a text comes by: the reference is the account's own, and acts once."""

LOOKS_BACK = timedelta(hours=24)
"""After an outage so much is made up for; an older answer to an alert helps nobody."""

OVERLAP = timedelta(minutes=10)
"""A gateway may list a text later than it says that it came."""

ANSWERED_WITHIN = timedelta(minutes=30)
"""A later answer to a text would only confuse."""

REST = 30.0
_rests_until: dict[str, float] = {}


def poll(now: datetime | None = None) -> int:
    """Take what came in at each account; how many texts were new. A gateway that fails is left alone a while.

    Raises DatabaseError: what met it is asked for again.
    """
    now = now or timezone.now()
    taken = 0
    for url in _accounts():
        if time.monotonic() < _rests_until.get(url, 0.0):
            continue
        try:
            taken += _from_account(client_of(url), now)
        except Failed as failure:
            _rests_until[url] = time.monotonic() + REST
            logger.warning("Texts cannot be asked for: %s", failure)
    return taken


def _accounts() -> Iterator[str]:
    return (one.url for one in providers(settings.SMS_URL) if one.scheme == "twilio")


def _from_account(client: Client, now: datetime) -> int:
    taken = 0
    for one in client.incoming(_since(now)):
        heard = take_sms(
            sender=one.sender, text=one.text, reference=one.reference, provider=TWILIO, to=one.to, now=now
        )
        taken += heard.is_new
    _text_back(client, now)
    return taken


def _since(now: datetime) -> datetime:
    """Since shortly before the last one that we have."""
    last = Inbound.objects.filter(channel=Channel.SMS, provider=TWILIO).order_by("-received_at").first()
    known = last.received_at - OVERLAP if last else now - LOOKS_BACK
    return max(known, now - LOOKS_BACK)


def _text_back(client: Client, now: datetime) -> None:
    """The answers that were not given in the gateway's own call; each is marked when it was handed over."""
    waits = Inbound.objects.filter(
        provider=TWILIO,
        replied_at=None,
        to=client.address.sender,
        received_at__gt=now - ANSWERED_WITHIN,
    ).exclude(reply="")
    for row in waits.order_by("pk")[:50]:
        try:
            client.send(to=row.sender, text=row.reply)
        except PermanentFailure as failure:
            logger.info("An answer to a text was refused: %s", failure)
        Inbound.objects.filter(pk=row.pk).update(replied_at=now)
