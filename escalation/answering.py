"""Answering without a login: a link in a message opens one incident for one person, and its button answers.

Only the button's POST changes anything: mail scanners and phone previews open links by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from escalation.models import TOKEN_ALPHABET, Notification, Reason
from incidents import lifecycle
from incidents.models import Event, EventKind, Incident, Status
from incidents.permissions import Action, can, refuse_unless
from opsdesk.errors import Missing, Refused
from plant.models import Person

ASKING = (
    Reason.STEP,
    Reason.ASSIGNED,
    Reason.FALLBACK,
    Reason.ASKED_AGAIN,
    Reason.LAPSED,
    Reason.HELP,
    Reason.BRING_SOMEONE,
)
"""Messages that an answer is an answer to; news asks nothing of its reader."""

LINK_LASTS = timedelta(days=30)
"""A link answers for so long after its message: who still has to do with it has got newer ones by then."""

CLOSED_LINK_LASTS = timedelta(days=7)
"""After it is closed the link says so for a week; then it says nothing any more."""

TOOK_IT = "took_it"
SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link opens: the incident, who it is for, and what their button does."""

    notification: Notification
    incident: Incident
    person: Person
    can_take: bool
    is_over: bool
    is_asked: bool
    """Whether anything about it still waits for this person's answer, by this link or by another."""

    @property
    def was_answered(self) -> bool:
        return self.notification.answered_at is not None

    @property
    def is_mine(self) -> bool:
        return self.incident.owner_id == self.person.pk


def open_link(token: str, *, now: datetime | None = None) -> Link:
    """Look a link up. It changes nothing. Raises Missing for one that is unknown, old or of who left."""
    notification = _find(token)
    if notification is None or _is_too_old(notification, now or timezone.now()):
        raise Missing("unknown_link", _("This link is not known. Open the newest message about it."))
    return _link(notification)


def code_of(token: str) -> str:
    """What is looked up for a link's last part; empty for what can be none."""
    code = token.strip().upper()
    return code if 0 < len(code) <= 16 and set(code) <= set(TOKEN_ALPHABET) else ""


def _is_too_old(notification: Notification, now: datetime) -> bool:
    """Whether its link is too old to open anything."""
    incident = notification.incident
    closed_at = incident.closed_at if incident and not incident.is_open else None
    return now - notification.created_at > LINK_LASTS or (
        closed_at is not None and now - closed_at > CLOSED_LINK_LASTS
    )


def _find(token: str) -> Notification | None:
    code = code_of(token)
    if not code:
        return None
    known = Notification.objects.filter(token=code, person__is_active=True, incident__isnull=False)
    found = known.select_related("person").first()
    if found is not None:
        found.incident = Incident.objects.with_place().get(pk=found.about_id)
    return found


def _link(notification: Notification) -> Link:
    incident, person = notification.about, notification.person
    return Link(
        notification=notification,
        incident=incident,
        person=person,
        can_take=_can_take(notification),
        is_over=not incident.is_open,
        is_asked=_unanswered(notification).filter(wants_answer=True).exists(),
    )


def _unanswered(notification: Notification) -> QuerySet[Notification]:
    """What waits for this person's answer about the same incident."""
    return Notification.objects.filter(
        incident=notification.incident_id, person=notification.person_id, answered_at=None, reason__in=ASKING
    )


def _can_take(notification: Notification) -> bool:
    return may_take(notification.person, notification.about)


def may_take(person: Person, incident: Incident) -> bool:
    """Who may take it and would be its owner: nobody has it, or this person is asked to."""
    if incident.is_drill:
        return False  # in a practice there is nothing to take: it shows that the message arrived
    is_free = incident.status == Status.RAISED or incident.assigned_to_id == person.pk
    return is_free and incident.is_open and can(person, Action.ACKNOWLEDGE, incident)


@transaction.atomic
def answer(token: str, *, now: datetime | None = None, channel: str = "link", take: bool = True) -> Link:
    """The button: takes the incident where the person may, else says "seen", which stops nothing.

    `take` is False when the button said no more than "seen": nobody owns what they did not ask for, even if
    they could by now. A second press is harmless. Raises Missing for an unknown token, Refused (`closed`)
    once it is closed.
    """
    now = now or timezone.now()
    return _answer(open_link(token, now=now).notification, channel=channel, take=take, now=now)


def _answer(known: Notification, *, channel: str, take: bool, now: datetime) -> Link:
    """For who is known to be the reader of this message, however old it is."""
    Incident.objects.locked(known.about.number)
    notification = _find(known.token)
    if notification is None:
        raise Missing("unknown_link", _("This link is not known. Open the newest message about it."))
    if not notification.about.is_open:
        raise Refused(
            "closed", _("%(code)s is closed. Nothing is needed from you.") % {"code": known.about.code}
        )
    took_it = take and _can_take(notification)
    if took_it:
        lifecycle.acknowledge(notification.about.number, by=notification.person, now=now)
    if notification.answered_at is not None and not took_it:
        asked = _unanswered(notification).filter(wants_answer=True)
        notification = asked.select_related("incident", "person").last() or notification
    _mark(notification, TOOK_IT if took_it else SEEN, channel, now)
    return _link(_find(known.token) or notification)


@transaction.atomic
def answer_about(
    number: int, *, by: Person, channel: str, take: bool = True, now: datetime | None = None
) -> Incident:
    """The same answer by somebody who names the incident: by text, by mail.

    It answers what waits for this person; whoever was not told of it may answer all the same. Returns the
    incident as it is then. Raises Missing, NotAllowed (another site), Refused (`closed`).
    """
    now = now or timezone.now()
    incident = Incident.objects.locked(number)
    notification = _newest_told(incident, by)
    if notification is not None:
        return _answer(notification, channel=channel, take=take, now=now).incident
    refuse_unless(by, Action.ADD_WORDS, incident)
    if not incident.is_open:
        raise Refused(
            "closed", _("%(code)s is closed. Nothing is needed from you.") % {"code": incident.code}
        )
    if take and may_take(by, incident):
        return lifecycle.acknowledge(number, by=by, now=now)
    if incident.owner_id != by.pk and not incident.events.filter(kind=EventKind.SEEN, by=by).exists():
        _record_seen(incident, by, channel, now)
    return incident


def _newest_told(incident: Incident, person: Person) -> Notification | None:
    """The message that an answer is an answer to: what waits, else what asked before, else any news."""
    told = incident.notifications.filter(person=person).order_by("created_at", "pk")
    asking = told.filter(reason__in=ASKING)
    return asking.filter(answered_at=None).last() or asking.last() or told.last()


@transaction.atomic
def see(incident: Incident, *, by: Person, channel: str = "screen", now: datetime | None = None) -> None:
    """ "I've seen it" on a screen: answers every message that waits for this person. It stops nothing."""
    locked = Incident.objects.locked(incident.number)
    waiting = locked.notifications.filter(person=by, answered_at=None, reason__in=ASKING)
    newest = waiting.order_by("created_at", "pk").last()
    if newest is not None and locked.is_open:
        newest.incident = locked
        _mark(newest, SEEN, channel, now or timezone.now())


def _mark(notification: Notification, what: str, channel: str, now: datetime) -> None:
    """Keep the first answer; a later "I'll take it" counts as more than "seen"."""
    if notification.answered_at is not None and (what == SEEN or notification.answer == TOOK_IT):
        return
    if what == SEEN:
        _record_seen(notification.about, notification.person, channel, now, notification=notification.pk)
    notification.answered_at = notification.answered_at or now
    notification.answer, notification.answered_by_channel = what, channel
    notification.ask_again_at = None
    notification.save(update_fields=["answered_at", "answer", "answered_by_channel", "ask_again_at"])
    _answer_the_others(notification, what, channel, now)


def _record_seen(incident: Incident, by: Person, channel: str, now: datetime, **more: int) -> None:
    Event.objects.create(
        incident=incident,
        at=now,
        by=by,
        kind=EventKind.SEEN,
        version=incident.version,
        data={"channel": channel, **more},
    )


def _answer_the_others(notification: Notification, what: str, channel: str, now: datetime) -> None:
    """Whoever answers one message has answered all about the same incident, by whichever link they came in.

    The page behind each of them says how it is now.
    """
    _unanswered(notification).update(
        answered_at=now, answer=what, answered_by_channel=channel, ask_again_at=None
    )
