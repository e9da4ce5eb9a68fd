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
    total = Sent()
    while True:
        turns = [deliver_due(channel, now) for channel in _with_work(now or timezone.now())]
        if not any(turn.sent or turn.failed or turn.dropped for turn in turns):
            return total
        for turn in turns:
            total.sent += turn.sent
            total.failed += turn.failed
            total.dropped += turn.dropped


def _with_work(now: datetime) -> list[str]:
    """Channels on which something is due or a receipt may be: one query, where a turn of each takes fifty."""
    due = Q(state=DeliveryState.QUEUED, not_before__lte=now) | Q(receipt_due_at__lte=now)
    busy = set(Delivery.objects.filter(due).order_by().values_list("channel", flat=True).distinct())
    return [one for one in settings.CHANNELS if one in busy or receipts.are_fetched(one)]
