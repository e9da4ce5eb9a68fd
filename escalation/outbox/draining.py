"""Everything that is due, sent here and now: for the demo and the tests, where there are no workers."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from escalation.models import Delivery, DeliveryState
from escalation.outbox import receipts
from escalation.outbox.sending import Sent, deliver_due


def drain(now: datetime | None = None) -> Sent:
    """Send what is due on every channel until nothing is left."""
    total, at = Sent(), now or timezone.now()
    while channels := _with_work(at):
        turns = [deliver_due(channel, now) for channel in channels]
        for turn in turns:
            total.sent += turn.sent
            total.failed += turn.failed
            total.dropped += turn.dropped
        has_done = any(turn.sent or turn.failed or turn.dropped for turn in turns)
        if not has_done and set(_with_work(at)) <= set(channels):  # else: one that is down has handed it on
            break
    return total


def _with_work(now: datetime) -> list[str]:
    """Channels on which something is due or a receipt may be: one query, where a turn of each takes fifty."""
    due = Q(state=DeliveryState.QUEUED, not_before__lte=now) | Q(receipt_due_at__lte=now)
    busy = set(Delivery.objects.filter(due).order_by().values_list("channel", flat=True).distinct())
    return [one for one in settings.CHANNELS if one in busy or receipts.are_fetched(one)]
