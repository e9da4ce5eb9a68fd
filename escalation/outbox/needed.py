"""Does this person still have to hear this? Asked before every send, and before another way is tried."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from escalation.chasing.standing import still_stands
from escalation.heard import has_heard
from escalation.models import Clock, Notification, Reason
from incidents.models import Impact, Incident, Status

_MOVING = (Status.CONTAINED, Status.RESOLVED)


class Now(NamedTuple):
    """The incident as it is in this moment."""

    status: str
    impact: str
    clocks_from: datetime
    raised_at: datetime
    reopened_at: datetime | None
    next_update_due: datetime | None
    waiting_until: datetime | None
    assigned_to_id: int | None
    acknowledged_at: datetime | None = None


FIELDS = Now._fields


def now_of(incident: Incident | None) -> Now | None:
    """The incident as it was read, and None for a message about a site."""
    return None if incident is None else Now(*(getattr(incident, name) for name in FIELDS))


# --- the question ---


def is_still_needed(notification: Notification, incident: Now | None, at: datetime) -> bool:
    """Before a send: who has answered is not asked again, news is for who has heard. At most one query."""
    if not is_current(notification, incident, at):
        return False
    if notification.data.get("if_heard"):
        return has_heard(notification.about_id, notification.person_id)
    if notification.reason == Reason.ASKED_AGAIN:
        return Notification.objects.filter(pk=notification.pk, answered_at=None).exists()
    return still_stands(notification)


def needs_another_way(notification: Notification, incident: Now | None, at: datetime) -> bool:
    """Asked when it did not get there: whoever has answered, by whatever way, has got it."""
    return notification.answered_at is None and is_still_needed(notification, incident, at)


def is_current(notification: Notification, incident: Now | None, at: datetime) -> bool:
    """The part of the question that its row and its incident answer. No query."""
    return not is_old(notification, at) if incident is None else is_needed(notification, incident)


# --- a message about a site ---

SHIFT_IS_NEW = timedelta(hours=1)
"""A shift start that goes out later than this is old news (`rounds.once.LATE`)."""


PROOF_IS_NEW = timedelta(minutes=30)
"""A code or test that goes out later is asked for again (`contact.proving.LASTS`)."""


def is_old(notification: Notification, at: datetime) -> bool:
    """Whether a message about a site comes too late to be of use: the shift runs, the gap is over."""
    if notification.reason == Reason.SHIFT_START:
        return at - notification.due_at > SHIFT_IS_NEW
    if notification.reason == Reason.GAP_AHEAD:
        ends = [hole["to"] for hole in notification.data["holes"]]
        return all(ends) and max(map(datetime.fromisoformat, ends)) <= at
    return notification.reason in (Reason.VERIFY, Reason.TEST) and at - notification.due_at > PROOF_IS_NEW


# --- a message about an incident ---


def is_needed(notification: Notification, now: Now) -> bool:
    """False for what was answered, met or overtaken a moment ago. Safety is always told."""
    if now.impact == Impact.SAFETY and notification.reason in (Reason.STEP, Reason.FALLBACK):
        return now.status != Status.CLOSED
    if notification.reason in (Reason.STEP, Reason.FALLBACK, Reason.ASKED_AGAIN):
        return is_unmet(notification, now)
    if notification.reason == Reason.ASSIGNED:
        return now.assigned_to_id == notification.person_id
    if notification.reason == Reason.BRING_SOMEONE:
        return _is_still_silent(notification, now)
    return now.status in _STANDS[Reason(notification.reason)]


_OPEN = frozenset(Status.values) - {Status.CLOSED.value}
_STANDS = {
    Reason.UPDATE: _OPEN,
    Reason.TOLD_PICKED_UP: frozenset({Status.ACKNOWLEDGED, Status.CONTAINED, Status.RESOLVED}),
    Reason.TOLD_MOVING: frozenset(_MOVING),
    Reason.TOLD_CLOSED: frozenset({Status.CLOSED}),
    Reason.TOLD_REOPENED: _OPEN,
    Reason.DID_NOT_HOLD: _OPEN,
    Reason.TOLD_HOLDS: frozenset(Status.values) - {Status.REOPENED.value},
    Reason.LAPSED: _OPEN,
    Reason.HELP: _OPEN,
}
"""In which states of the incident a piece of news is still true."""


def _is_still_silent(notification: Notification, now: Now) -> bool:
    """The question is for who took it then, as long as they have said no word."""
    owed = datetime.fromisoformat(notification.data["word_due"])
    return _clock_runs(notification, now) and now.next_update_due == owed


def is_unmet(notification: Notification, now: Now) -> bool:
    """Whether what the step told of still is so: whoever has not answered is asked again that long."""
    return now.status != Status.CLOSED if notification.timer is None else _clock_runs(notification, now)


def _clock_runs(notification: Notification, now: Now) -> bool:
    """Whether the condition that the step was about is still unmet, since the same moment."""
    timer = notification.timer
    assert timer is not None
    if timer.clock == Clock.UPDATE:
        return now.status != Status.CLOSED and timer.epoch in (now.next_update_due, now.waiting_until)
    if timer.clock == Clock.HELP:
        return now.status == Status.ACKNOWLEDGED and timer.epoch == now.acknowledged_at
    if timer.clock == Clock.RESPONSE:
        return now.status == Status.RAISED and timer.epoch == now.clocks_from
    troubled_since = now.reopened_at or now.raised_at
    if timer.epoch != troubled_since:
        return False
    if timer.clock == Clock.CONTAINMENT:
        has_lapsed = now.status == Status.RAISED and troubled_since < now.clocks_from
        return now.status in (Status.ACKNOWLEDGED, Status.REOPENED) or has_lapsed
    return now.status != Status.CLOSED
