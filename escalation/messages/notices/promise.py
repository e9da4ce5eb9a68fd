"""A question about a promise: `templates/messages/site/promise.txt`."""

from __future__ import annotations

from datetime import datetime

from countermeasures.models import Promise
from countermeasures.promises.models import PromiseKind
from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification
from plant.wording import day_words, moment


def words(notification: Notification, now: datetime) -> Notice:
    """What was promised is read when the words are made: its day may have moved since."""
    promise = Promise.objects.with_people().get(pk=notification.data["promise"])
    is_own = notification.data["ask"] == "owner"
    facts = {
        "is_own": is_own,
        "is_ahead": is_own and notification.data["is_ahead"],
        "is_bandage": promise.kind == PromiseKind.BANDAGE,
        "is_check": promise.kind == PromiseKind.CHECK,
        "is_review": promise.kind == PromiseKind.REVIEW,
        "has_slipped": bool(promise.slipped),
        "name": notification.person.get_short_name() if is_own else promise.person.name,
        "what": promise.what,
        "day": day_of(promise, now),
        "instead": "",
        "instead_of": notification.data["instead_of"],
    }
    return notice_of("promise", facts, path=f"/p/{notification.token}")


def day_of(promise: Promise, now: datetime) -> str:
    """ "Fri 7 Nov", or the time for what was promised to the minute."""
    if promise.due_on is not None:
        return day_words(promise.due_on)
    return moment(promise.due_at, now)
