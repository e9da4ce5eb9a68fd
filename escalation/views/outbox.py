"""The outbox: every SMS and email as its reader sees it, while messages stay in the sandbox.

Without a sandbox there is no outbox, but for IT managers, who see what was sent with the answer links taken
out: whoever holds a link can answer as its owner.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from escalation.channels.sandbox import NAME as SANDBOX
from escalation.contact.proving import DIGITS
from escalation.inbound.sms import take_sms
from escalation.models import Delivery, DeliveryState, Inbound, Notification, Reason
from escalation.views import live
from incidents.models import Incident
from incidents.models.incident import parse_number
from opsdesk.errors import Missing
from opsdesk.htmx import next_page
from plant.models import Channel, Person, Role

PAGE = 30
LONGEST_REPLY = 480
"""Three segments: more than anybody writes with one thumb."""

LINK = re.compile(r"https?://[^\s<>\"']+")
ANSWER_TOKEN = re.compile(r"/([av])/[A-Za-z0-9]+")
CODE = re.compile(rf"^\d{{{DIGITS}}}\b")
"""What proves a number stands first in its message; nothing else begins with six digits."""

MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": [SELF, "data:"],
    "script-src": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}
"""What an email may do inside a frame: show itself."""

WRITTEN = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery as its reader sees it."""

    delivery: Delivery
    at: datetime
    words: SafeString
    together: Sequence[Incident] = ()
    """What it says, where that is several things."""
    answers: Sequence[Inbound] = ()
    """What was texted back after it and before the next one, oldest first."""
    may_answer: bool = False
    """The newest text message to this number: it is answered from here."""

    @property
    def is_email(self) -> bool:
        return self.delivery.channel == Channel.EMAIL

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

    def query(self, **changes: object) -> str:
        """The same filters with some changed, as the end of an address."""
        asked = {name: getattr(self, name) for name in self.__slots__} | changes
        return "?" + urlencode({name: value for name, value in asked.items() if value})


def is_sandbox() -> bool:
    """Only where nothing at all goes out: an SMS kept here has the same link as the email that left."""
    return all(url.startswith("sandbox") for url in (settings.EMAIL_URL, settings.SMS_URL))


def _refuse_unless_allowed(request: HttpRequest) -> None:
    person = request.user
    if not is_sandbox() and not (isinstance(person, Person) and person.holds(Role.IT_MANAGER)):
        raise Missing("no_outbox", _("There is no outbox: messages really go out here."))


@login_required
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    _refuse_unless_allowed(request)
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    now = timezone.now()
    return live.show_unless_unchanged(
        request,
        "escalation/outbox.html",
        fragments=["messages"],
        tag=lambda: live.outbox_tag(person, now),
        context=lambda: _context(request, person, now),
    )


def _context(request: HttpRequest, reader: Person, now: datetime) -> dict[str, Any]:
    asked = Asked.of(request)
    found = list(_found(asked, reader)[: PAGE + 1])
    carried = _carried(found[:PAGE])
    shown = [_message(delivery, carried.get(delivery.pk, ())) for delivery in found[:PAGE]]
    shown = with_answers(shown) if is_sandbox() else shown
    return {
        "now": now,
        "asked": asked,
        "messages_shown": shown,
        "reference": uuid.uuid4().hex,
        "older": asked.query(before=found[PAGE - 1].pk) if len(found) > PAGE else "",
        "opened": _opened(request, reader),
        "people": _people(),
        "channels": [Channel.SMS, Channel.EMAIL, Channel.PUSH],
        "is_sandbox": is_sandbox(),
    }


def _people() -> QuerySet[Person]:
    """Everybody who was ever written to."""
    told = Notification.objects.filter(person=OuterRef("pk"))
    return Person.objects.filter(Exists(told)).order_by("name")[:300]


def _visible(reader: Person) -> QuerySet[Delivery]:
    found = Delivery.objects.filter(state__in=WRITTEN).exclude(text="")
    if not reader.is_corporate:
        theirs = reader.site_ids
        found = found.filter(
            Q(notification__incident__site_id__in=theirs) | Q(notification__site_id__in=theirs)
        )
    return found.select_related("notification__person", "notification__incident").order_by("-pk")


def _found(asked: Asked, reader: Person) -> QuerySet[Delivery]:
    found = _visible(reader)
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


def _carried(shown: Sequence[Delivery]) -> dict[int, list[Incident]]:
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


def _message(delivery: Delivery, together: Sequence[Incident] = ()) -> Message:
    at = delivery.delivered_at or delivery.sent_at or delivery.failed_at or delivery.queued_at
    return Message(delivery, at, linked(without_tokens(delivery.text)), together)


def without_tokens(text: str) -> str:
    """The text as it is in the sandbox; elsewhere without the part of a link that answers for somebody."""
    return text if is_sandbox() else CODE.sub("…", ANSWER_TOKEN.sub(r"/\1/…", text))


def linked(text: str) -> SafeString:
    """The words with their addresses made into links, everything else escaped."""
    parts, end = [], 0
    for match in LINK.finditer(text):
        address = match.group().rstrip(".,")
        parts += [
            conditional_escape(text[end : match.start()]),
            format_html('<a href="{0}">{0}</a>', address),
        ]
        end = match.start() + len(address)
    return mark_safe("".join([*parts, conditional_escape(text[end:])]))  # noqa: S308 - every part is escaped


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


@login_required
@require_POST
def reply(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Text back as whoever got the message: the whole loop without any account. In the sandbox only.

    It is the same as from a gateway, so that what is seen here is what will happen there.
    """
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    if not is_sandbox():
        raise Missing("no_outbox", _("Messages really go out here: answer from the phone."))
    delivery = _visible(person).filter(channel=Channel.SMS, pk=pk).first()
    if delivery is None:
        raise Missing("unknown_message", _("There is no such message."))
    text = request.POST.get("text", "").strip()[:LONGEST_REPLY]
    reference = request.POST.get("reference", "")[:40]
    if text:
        take_sms(
            sender=delivery.address,
            text=text,
            reference=f"outbox-{reference or uuid.uuid4().hex}-{pk}",
            provider=SANDBOX,
        )
    return redirect(f"{next_page(request) or reverse('outbox')}#m-{pk}")


def _opened(request: HttpRequest, reader: Person) -> Message | None:
    """The email chosen with `?mail=`."""
    chosen = request.GET.get("mail", "")
    if not chosen.isdecimal():
        return None
    delivery = _visible(reader).filter(channel=Channel.EMAIL, pk=int(chosen)).first()
    return _message(delivery) if delivery else None


@login_required
@require_safe
@xframe_options_sameorigin
@csp(MAIL_POLICY)  # type: ignore[arg-type]  # its types know only views without arguments
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One email as its reader sees it, for the frame in the outbox. Links leave the frame; nothing more."""
    _refuse_unless_allowed(request)
    assert isinstance(request.user, Person)  # behind login_required
    delivery = _visible(request.user).filter(channel=Channel.EMAIL, pk=pk).first()
    if delivery is None:
        raise Missing("unknown_message", _("There is no such message."))
    body = delivery.html or format_html("<pre>{}</pre>", delivery.text)
    response = HttpResponse(f'<base target="_top">{without_tokens(body)}')
    response["Cache-Control"] = "no-store"
    return response
