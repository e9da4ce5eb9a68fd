"""A code by SMS or a link by email proves that a number or an address is read; a test shows its receipt.

Both are messages like any other: through the outbox, with its retries and its receipts. The code is not kept:
it is made from the message's random token and our key, so that who reads the database cannot answer for
somebody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from escalation.answering import code_of
from escalation.devices import with_device
from escalation.models import Delivery, Notification, NotificationQuerySet, Rank, Reason
from escalation.nudging import nudge_channel
from escalation.recipients import address
from opsdesk.errors import Missing, Refused
from plant.lifecycle import mark_verified
from plant.models import Channel, Person, Site
from plant.permissions import refuse_contact

LASTS = timedelta(minutes=30)
"""For how long a code or link counts: an email may take a while to be seen, a number changes hands slower."""

TEST_LASTS = timedelta(hours=1)
"""For how long the button in a test message answers."""

MOST, WITHIN = 6, timedelta(hours=1)
"""Codes and tests that go to one person by one channel in that time."""

WRONG_CODES = 5
"""Wrong codes after which a new one must be asked for: a chance of 1 in 200,000."""

DIGITS = 6
PROVES = (Reason.VERIFY, Reason.TEST)


def code_for(notification: Notification) -> str:
    """The six digits of a message."""
    made = salted_hmac("escalation.contact.code", notification.token, algorithm="sha256").digest()
    return f"{int.from_bytes(made[:8], 'big') % 10**DIGITS:0{DIGITS}d}"


@transaction.atomic
def start(person: Person, channel: str, *, by: Person, now: datetime | None = None) -> Notification:
    """Send what proves that the person reads this channel. The one before no longer counts.

    Raises NotAllowed, and Refused: `no_address`, `no_texts` or `too_many`.
    """
    return _send(Reason.VERIFY, person, channel, by, now or timezone.now())


@transaction.atomic
def send_test(person: Person, channel: str, *, by: Person, now: datetime | None = None) -> Notification:
    """Send a real test message by this channel and by no other. Raises as `start` does."""
    return _send(Reason.TEST, person, channel, by, now or timezone.now())


def _send(reason: Reason, person: Person, channel: str, by: Person, now: datetime) -> Notification:
    refuse_contact(by, person)
    person = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    _refuse_unreachable(person, channel)
    number = _refuse_too_many(person, channel, now)
    notification = Notification.objects.create(
        site=_site_of(person),
        person=person,
        reason=reason,
        key=f"{reason}:{person.pk}:{channel}:{now.timestamp():.3f}:{number}",
        is_urgent=False,
        wants_answer=True,
        due_at=now,
        created_at=now,
        data={"channel": channel, "by": by.name, "wrong": 0},
    )
    Delivery.objects.create(
        notification=notification,
        channel=channel,
        address=address(person, channel),
        language=person.language,
        rank=Rank.URGENT,
        queued_at=now,
        not_before=now,
    )
    transaction.on_commit(partial(nudge_channel, channel))
    return notification


def _refuse_unreachable(person: Person, channel: str) -> None:
    if channel == Channel.SMS and person.wants_no_texts:
        raise Refused("no_texts", _("This number answered STOP. Text START to us from it first."))
    if not reached_at(person, channel):
        raise Refused("no_address", _("There is nothing to send it to yet. Enter it and save first."))


def reached_at(person: Person, channel: str) -> str:
    """Where a channel goes; empty where it cannot: a push needs a device that was signed up."""
    if channel == Channel.PUSH and not with_device({person.pk}):
        return ""
    return address(person, channel)


def _refuse_too_many(person: Person, channel: str, now: datetime) -> int:
    """How many went before, lately."""
    sent = _of(person, channel).filter(created_at__gt=now - WITHIN).count()
    if sent >= MOST:
        raise Refused("too_many", _("That is enough for now. Try again in an hour."), status=429)
    return sent


def _of(person: Person, channel: str) -> NotificationQuerySet:
    return Notification.objects.filter(person=person, reason__in=PROVES, data__channel=channel)


def _site_of(person: Person) -> Site:
    """Where it is kept with: the person's own site, or one they hold a role for, or the first."""
    site = person.site or Site.objects.filter(role_assignments__person=person).order_by("pk").first()
    site = site or Site.objects.order_by("pk").first()
    if site is None:
        raise Refused("no_site", _("There is no site yet. Set one up first."))
    return site


def newest(person: Person, channel: str, reason: Reason) -> Notification | None:
    """The last of its kind with its delivery, answered or not."""
    found = _of(person, channel).filter(reason=reason)
    return found.with_deliveries().order_by("-created_at", "-pk").first()


def is_waiting(notification: Notification | None, now: datetime) -> bool:
    """Whether it still counts: not answered, not too old, not guessed at too often."""
    if notification is None or notification.answered_at is not None:
        return False
    lasts = TEST_LASTS if notification.reason == Reason.TEST else LASTS
    return now - notification.created_at <= lasts and notification.data.get("wrong", 0) < WRONG_CODES


def confirm_code(person: Person, code: str, *, by: Person, now: datetime | None = None) -> None:
    """The person types what was texted. Only they do: nobody proves a number for somebody else.

    Raises Refused: `old_code`, or `wrong_code`: it is counted, so it is raised after the transaction.
    """
    now = now or timezone.now()
    if by.pk != person.pk:
        raise Refused("not_yours", _("Only the person who got the code can enter it."), status=403)
    wrong = _take_code(person, code, now)
    if wrong >= WRONG_CODES:
        raise Refused("wrong_code", _("That was not the code, and it no longer counts. Ask for a new one."))
    if wrong:
        raise Refused("wrong_code", _("That is not the code. Look at the newest text message."))


@transaction.atomic
def _take_code(person: Person, code: str, now: datetime) -> int:
    """How many wrong ones were typed until now; 0: it is right."""
    Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    sent = newest(person, Channel.SMS, Reason.VERIFY)
    if sent is None or not is_waiting(sent, now):
        raise Refused("old_code", _("This code no longer counts. Ask for a new one."))
    if not constant_time_compare("".join(code.split()), code_for(sent)):
        wrong = int(sent.data.get("wrong", 0)) + 1
        sent.data["wrong"] = wrong
        sent.save(update_fields=["data"])
        return wrong
    _proved(sent, now)
    return 0


def open_proof(token: str, *, now: datetime | None = None) -> Notification:
    """What a link in such a message is about. It changes nothing. Raises Missing for what does not count.

    A link that was pressed stays known for as long as it would have counted, to say thanks again.
    """
    code = code_of(token)
    known = Notification.objects.filter(token=code or "-", reason__in=PROVES, person__is_active=True)
    found = known.select_related("person__site", "site").prefetch_related("deliveries").first()
    at = now or timezone.now()
    is_known = found is not None and (is_waiting(found, at) or _was_answered_lately(found, at))
    if found is None or not is_known or not _is_newest(found):
        raise Missing("unknown_link", _("This link is not known. Ask for a new one."))
    return found


def _was_answered_lately(notification: Notification, now: datetime) -> bool:
    return notification.answered_at is not None and now - notification.created_at <= TEST_LASTS


def _is_newest(notification: Notification) -> bool:
    later = _of(notification.person, notification.data["channel"]).filter(reason=notification.reason)
    return not later.filter(pk__gt=notification.pk).exists()


@transaction.atomic
def confirm_link(token: str, *, now: datetime | None = None) -> Notification:
    """The button behind the link: whoever reads there pressed it. A second press is harmless."""
    now = now or timezone.now()
    found = open_proof(token, now=now)
    if found.answered_at is None:
        _proved(found, now)
    return found


def _proved(notification: Notification, now: datetime) -> None:
    """Answered; and the address is verified, if it is still the person's."""
    channel = str(notification.data["channel"])
    notification.answered_at, notification.answered_by_channel = now, channel
    notification.answer = "proved"
    notification.save(update_fields=["answered_at", "answered_by_channel", "answer"])
    if channel in (Channel.SMS, Channel.EMAIL):
        sent_to = notification.deliveries.all()[0].address
        mark_verified(notification.person, channel, sent_to, now=now)
