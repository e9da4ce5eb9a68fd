"""Asked in the moment before a question about a promise goes out."""

from __future__ import annotations

from countermeasures.models import Promise
from escalation.models import Notification, Reason


def still_stands(notification: Notification) -> bool:
    """True for what is no such question; else the promise is open, with the date that was asked about."""
    if notification.reason != Reason.PROMISE:
        return True
    asked = notification.data
    return Promise.objects.open().filter(pk=asked["promise"], due_at=asked["due_at"]).exists()
