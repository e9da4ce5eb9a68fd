"""What the outbox shows: the messages that were asked for, and what was answered to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from escalation.models import Delivery, DeliveryState, Inbound, Reason
from escalation.views.outbox_words import linked, without_tokens
from incidents.models import Incident
from incidents.models.incident import parse_number
from plant.models import Channel, Person

WRITTEN = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SENDING)

ANSWERED_HERE = "@outbox.invalid>"
"""How the reference ends of a mail that was written in the outbox, after the number of what it answers."""


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery as its reader sees it."""

    delivery: Delivery
    at: datetime
    words: SafeString
    together: Sequence[Incident] = ()
    """What it says, where that is several things."""
    answers: Sequence[Inbound] = ()
    """What was texted or written back after it and before the next one, oldest first."""
    may_answer: bool = False
    """A mail, or the newest text message to this number: it is answered from here."""

    is_room = False

    @property
    def is_email(self) -> bool:
        return self.delivery.channel == Channel.EMAIL

    @property
    def is_push(self) -> bool:
        return self.delivery.channel == Channel.PUSH

    @property
    def push_words(self) -> tuple[str, str]:
        """What a push says, and where a tap on it leads: the last word of its text."""
        said, _end, link = self.delivery.text.rpartition("\n")
        return said, without_tokens(link)

    @property
    def mark(self) -> str:
        """How far it got; answered beats delivered."""
        return "answered" if self.delivery.notification.answered_at else self.delivery.state


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters in the address, as they came; a wrong one finds nothing rather than everything."""

    person: str = ""
    channel: str = ""
    incident: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        return cls(**{name: request.GET.get(name, "").strip()[:40] for name in cls.__slots__})

    @property
    def is_phone(self) -> bool:
        """One person's text messages: shown as they stand on the phone, the newest at the bottom."""
        return bool(self.person) and self.channel == Channel.SMS

    def query(self, **changes: object) -> str:
        """The same filters with some changed, as the end of an address."""
        asked = {name: getattr(self, name) for name in self.__slots__} | changes
        return "?" + urlencode({name: value for name, value in asked.items() if value})


def visible(reader: Person) -> QuerySet[Delivery]:
    """What was written to anybody, of the reader's sites, newest first."""
    found = Delivery.objects.filter(state__in=WRITTEN).exclude(text="")
    if not reader.is_corporate:
        theirs = reader.site_ids
        found = found.filter(
            Q(notification__incident__site_id__in=theirs) | Q(notification__site_id__in=theirs)
        )
    return found.select_related("notification__person", "notification__incident").order_by("-pk")


def found(asked: Asked, reader: Person) -> QuerySet[Delivery]:
    found = visible(reader)
    if asked.channel:
        found = found.filter(channel=asked.channel)
    if asked.person:
        found = found.filter(notification__person__username=asked.person)
    if asked.incident:
        number = parse_number(asked.incident)
        together = Delivery.objects.filter(bundled_into=OuterRef("pk"), notification__incident__number=number)
        found = found.filter(Q(notification__incident__number=number) | Exists(together))
    if asked.before.isdecimal():
        found = found.filter(pk__lt=int(asked.before))
    return found


def carried(shown: Sequence[Delivery]) -> dict[int, list[Incident]]:
    """The incidents of messages that say several things: one query, if there are any."""
    several = [one.pk for one in shown if one.notification.reason == Reason.DIGEST]
    found: dict[int, list[Incident]] = {}
    if several:
        members = Delivery.objects.filter(bundled_into__in=several, notification__incident__isnull=False)
        for one in members.select_related("notification__incident").order_by("rank", "id"):
            said = found.setdefault(one.bundled_into_id or 0, [])
            if one.notification.about not in said:
                said.append(one.notification.about)
    return found


def message(delivery: Delivery, together: Sequence[Incident] = ()) -> Message:
    at = delivery.delivered_at or delivery.sent_at or delivery.failed_at or delivery.queued_at
    return Message(delivery, at, linked(without_tokens(delivery.text)), together)


# --- what was answered ---


def with_answers(shown: Sequence[Message]) -> list[Message]:
    """Each text message with what was texted back to it; one query. The newest can be answered."""
    texts = [one for one in shown if one.delivery.channel == Channel.SMS and one.delivery.address]
    if not texts:
        return list(shown)
    since = min(one.at for one in texts)
    numbers = {one.delivery.address for one in texts}
    heard = Inbound.objects.filter(channel=Channel.SMS, sender__in=numbers, received_at__gte=since)
    answers: dict[int, list[Inbound]] = {}
    for said in heard.order_by("received_at", "pk"):
        before = [one for one in texts if one.delivery.address == said.sender and one.at <= said.received_at]
        if before:
            answers.setdefault(max(before, key=_order).delivery.pk, []).append(said)
    newest = {one.delivery.address: one.delivery.pk for one in sorted(texts, key=_order)}
    return [
        replace(
            one,
            answers=answers.get(one.delivery.pk, ()),
            may_answer=newest.get(one.delivery.address) == one.delivery.pk and one in texts,
        )
        for one in shown
    ]


def _order(message: Message) -> tuple[datetime, int]:
    return message.at, message.delivery.pk


def with_mail_answers(opened: Message) -> Message:
    """A mail with what was written back from here, oldest first; one query."""
    delivery = opened.delivery
    heard = Inbound.objects.filter(
        channel=Channel.EMAIL,
        sender=delivery.address.casefold(),
        reference__endswith=f"-{delivery.pk}{ANSWERED_HERE}",
    )
    answers = list(heard.order_by("received_at", "pk"))
    return replace(opened, answers=answers, may_answer=bool(delivery.address))
