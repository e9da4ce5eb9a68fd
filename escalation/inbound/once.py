"""A message from outside acts once, ever, also when two processes get it in the same moment.

The row with its unique (provider, reference) is written first, in the transaction of what the message does:
the second process waits for the first, and then reads what came of it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction

from escalation.gsm7 import cut, fit
from escalation.inbound.words import clean
from escalation.keys import without_links
from escalation.models import Did, Inbound
from incidents.models import Incident
from opsdesk.errors import Refused
from plant.models import Channel, Person

logger = logging.getLogger(__name__)

REPLIES: Mapping[str, tuple[int, timedelta]] = {
    Channel.SMS: (12, timedelta(minutes=10)),
    Channel.EMAIL: (6, timedelta(hours=1)),
}
"""More answers to one number or address than this would be two robots talking: then we fall silent."""

STRANGER_AGAIN = timedelta(days=1)
"""Whom we do not know is told so once a day."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a message: `did` one of `Did`, and `reply` what its sender is told, empty for nothing.

    `is_new` is False for a message that was heard before: nothing was done this time.
    """

    did: str
    reply: str = ""
    person: Person | None = None
    incident: Incident | None = None
    is_new: bool = True
    pk: int = 0


Act = Callable[[Inbound], Heard]


def message(
    channel: Channel, *, provider: str, reference: str, sender: str, to: str, text: str, now: datetime
) -> Inbound:
    """The row of a message, not yet written. One without a reference is taken for a new one."""
    return Inbound(
        channel=channel,
        provider=clean(provider)[:32],
        reference=clean(reference)[:200] or f"none-{uuid.uuid4()}",
        received_at=now,
        sender=clean(sender)[:254],
        to=clean(to)[:254],
        text=clean(without_links(text)),
    )


@transaction.atomic
def take(arrived: Inbound, act: Act, *, answer: Callable[[Inbound], None] | None = None) -> Heard:
    """Carry the message out, unless that was done. Raises DatabaseError, and then nothing was done at all.

    `answer` gives a new message its `reply`, where whoever brought it does not.
    """
    row, is_new = _written(arrived)
    if not is_new:
        return Heard(row.did, row.reply, row.person, row.incident, is_new=False, pk=row.pk)
    heard = _carried_out(act, row)
    row.did, row.person, row.incident = heard.did, heard.person, heard.incident
    row.reply = heard.reply if heard.reply and _may_reply(row) else ""
    row.save(update_fields=["did", "person", "incident", "reply"])
    if answer is not None and row.reply:
        answer(row)
    return Heard(row.did, row.reply, row.person, row.incident, pk=row.pk)


def _written(arrived: Inbound) -> tuple[Inbound, bool]:
    names = ("channel", "received_at", "sender", "to", "text", "replied_at")
    return Inbound.objects.select_related("person", "incident").get_or_create(
        provider=arrived.provider,
        reference=arrived.reference,
        defaults={name: getattr(arrived, name) for name in names},
    )


def _carried_out(act: Act, row: Inbound) -> Heard:
    try:
        with transaction.atomic():
            return act(row)
    except Refused as refusal:
        return Heard(Did.REFUSED, fit([cut(str(refusal), (1, 150))]))
    except DatabaseError:
        raise  # trouble of ours, not of the message: whoever brought it brings it again
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("Message %s from outside could not be carried out.", row.pk)
        return Heard(Did.BROKEN)


def _may_reply(row: Inbound) -> bool:
    """Whether its sender is answered: not without end, and somebody we do not know only once a day."""
    before = Inbound.objects.filter(sender=row.sender, received_at__lte=row.received_at).exclude(reply="")
    before = before.exclude(pk=row.pk)
    if row.did == Did.UNKNOWN_SENDER:
        return not before.filter(received_at__gt=row.received_at - STRANGER_AGAIN).exists()
    most, within = REPLIES[row.channel]
    return before.filter(received_at__gt=row.received_at - within).count() < most
