"""The outbox: every message as its reader sees it, while messages stay in the sandbox.

Without a sandbox there is no outbox, but for IT managers, who see what was sent with the answer links taken
out: whoever holds a link can answer as its owner.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from escalation.models import Notification
from escalation.views import live
from escalation.views.outbox_found import (
    Asked,
    Message,
    carried,
    found,
    message,
    visible,
    with_answers,
    with_mail_answers,
)
from escalation.views.outbox_rooms import RoomPost, room_post, room_posts
from escalation.views.outbox_words import is_sandbox, without_tokens
from opsdesk.errors import Missing
from plant.models import Channel, Person, Role
from plant.visibility import people_seen_by

PAGE = 30
ON_A_PHONE = 8
"""Texts of one person: so few that the newest, at the bottom, is near."""

MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": [SELF, "data:"],
    "script-src": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}
"""What an email may do inside a frame: show itself."""


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
    size = ON_A_PHONE if asked.is_phone else PAGE
    deliveries = list(found(asked, reader)[: size + 1])
    together = carried(deliveries[:size])
    shown = [message(delivery, together.get(delivery.pk, ())) for delivery in deliveries[:size]]
    shown = with_answers(shown) if is_sandbox() else shown
    rooms, last_room = _rooms(asked, reader, shown, has_more=len(deliveries) > size)
    last = deliveries[size - 1].pk if len(deliveries) > size else last_room
    both: list[Sequence[Message | RoomPost]] = [shown, rooms]
    rows = list(heapq.merge(*both, key=_moment, reverse=True))
    return {
        "now": now,
        "asked": asked,
        "messages_shown": shown,
        "rows": rows[::-1] if asked.is_phone else rows,
        "phone": shown[0].delivery.notification.person if asked.is_phone and shown else None,
        "reference": uuid.uuid4().hex,
        "older": asked.query(before=last) if last else "",
        "opened": _opened(request, reader),
        "people": _people(reader),
        "channels": [Channel.SMS, Channel.EMAIL, Channel.PUSH, Channel.CHAT],
        "is_sandbox": is_sandbox(),
    }


def _moment(one: Message | RoomPost) -> datetime:
    return one.at


def _rooms(
    asked: Asked, reader: Person, shown: Sequence[Message], *, has_more: bool
) -> tuple[list[RoomPost], int | None]:
    """Room messages of the time that the page is about; where only they are asked for, a page of them.

    With the number after which the next page begins, if there is one.
    """
    wanted = room_posts(asked, reader)
    if asked.channel == Channel.CHAT:
        page = list(wanted[: PAGE + 1])
        return [room_post(one) for one in page[:PAGE]], page[PAGE - 1].pk if len(page) > PAGE else None
    times = [one.delivery.queued_at for one in shown]
    if has_more:
        wanted = wanted.filter(queued_at__gte=min(times))
    if asked.before:
        wanted = wanted.filter(queued_at__lte=max(times)) if times else wanted.none()
    return [room_post(one) for one in wanted[:PAGE]], None


def _people(reader: Person) -> QuerySet[Person]:
    """Everybody of the reader's sites who was ever written to."""
    told = Notification.objects.filter(person=OuterRef("pk"))
    return people_seen_by(reader).filter(Exists(told)).order_by("name")[:300]


def _opened(request: HttpRequest, reader: Person) -> Message | None:
    """The email chosen with `?mail=`, with what was written back."""
    chosen = request.GET.get("mail", "")[:18]
    if not chosen.isdecimal():
        return None
    delivery = visible(reader).filter(channel=Channel.EMAIL, pk=int(chosen)).first()
    if delivery is None:
        return None
    return with_mail_answers(message(delivery)) if is_sandbox() else message(delivery)


@login_required
@require_safe
@xframe_options_sameorigin
@csp(MAIL_POLICY)  # type: ignore[arg-type]  # its types know only views without arguments
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One email as its reader sees it, for the frame in the outbox. Links leave the frame; nothing more."""
    _refuse_unless_allowed(request)
    assert isinstance(request.user, Person)  # behind login_required
    delivery = visible(request.user).filter(channel=Channel.EMAIL, pk=pk).first()
    if delivery is None:
        raise Missing("unknown_message", _("There is no such message."))
    body = delivery.html or format_html("<pre>{}</pre>", delivery.text)
    response = HttpResponse(f'<base target="_top">{without_tokens(body)}')
    response["Cache-Control"] = "no-store"
    return response
