"""The same message by the next provider: a delivery of its own, so that each attempt keeps its own fate."""

from __future__ import annotations

from datetime import datetime

from escalation.channels import providers_of
from escalation.models import Delivery, DeliveryState
from escalation.outbox import together


def tried(delivery: Delivery) -> set[str]:
    """Names of the providers that this message was given to on its channel, itself included."""
    others = Delivery.objects.filter(notification=delivery.notification_id, channel=delivery.channel)
    return {name for name in others.values_list("provider", flat=True) if name} | (
        {delivery.provider} if delivery.provider else set()
    )


def is_left(delivery: Delivery) -> bool:
    """Whether a provider is named that this message was not given to."""
    names = {one.name for one in providers_of(delivery.channel)}
    return bool(names - tried(delivery))


def is_waiting(delivery: Delivery) -> bool:
    """Whether the message is queued or being sent on its channel already."""
    live = (DeliveryState.QUEUED, DeliveryState.SENDING)
    siblings = Delivery.objects.filter(notification=delivery.notification_id, channel=delivery.channel)
    return siblings.filter(state__in=live).exclude(pk=delivery.pk).exists()


def came_after_all(delivery: Delivery) -> bool:
    """Whether a provider before has said meanwhile that the message arrived: then it is not sent again."""
    if delivery.instead_of_id is None:
        return False
    siblings = Delivery.objects.filter(notification=delivery.notification_id, channel=delivery.channel)
    return siblings.filter(state=DeliveryState.DELIVERED).exists()


def queue(delivery: Delivery, now: datetime) -> Delivery:
    """Queue the message for the next provider. The caller's transaction has ended the first row before."""
    following = Delivery.objects.create(
        notification_id=delivery.notification_id,
        channel=delivery.channel,
        address=delivery.address,
        language=delivery.language,
        rank=delivery.rank,
        attempt=delivery.attempt,
        instead_of=delivery,
        queued_at=now,
        not_before=now,
    )
    if together.is_together(delivery):
        delivery.bundled.filter(state=DeliveryState.BUNDLED).update(bundled_into=following)
    return following
