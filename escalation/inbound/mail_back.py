"""What is written back to whoever answered by mail: one mail with what came of it, in the incident's thread.

It goes through the outbox like any message. That two robots write to each other for ever is ruled out twice:
it says that it was sent by a machine (RFC 3834), and `once` allows few answers to one address.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction

from escalation.models import Delivery, Inbound, Notification, Rank, Reason
from escalation.nudging import nudge_channel
from plant.models import Channel, Site


def write_back(row: Inbound) -> None:
    """Queue `row.reply` for its sender. The caller's transaction holds what the mail did."""
    person, incident = row.person, row.incident
    if person is None or not person.email:
        return
    site = incident.site if incident else person.site or Site.objects.order_by("pk").first()
    if site is None:
        return
    about = {"number": incident.number, "code": incident.code} if incident else {}
    told = Notification.objects.create(
        site=site,
        person=person,
        reason=Reason.REPLY,
        key=f"reply:{row.pk}",
        is_urgent=False,
        due_at=row.received_at,
        created_at=row.received_at,
        data={"text": row.reply, **about},
    )
    Delivery.objects.create(
        notification=told,
        channel=Channel.EMAIL,
        address=person.email,
        language=person.language,
        rank=Rank.URGENT,
        queued_at=row.received_at,
        not_before=row.received_at,
    )
    row.replied_at = row.received_at
    row.save(update_fields=["replied_at"])
    transaction.on_commit(partial(nudge_channel, Channel.EMAIL))
