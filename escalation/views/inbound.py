"""What comes in from outside: the call of a gateway that got a text, and the page that shows all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from escalation.channels.twilio import account_signed
from escalation.inbound import inbox
from escalation.inbound.polling import TWILIO
from escalation.inbound.sms import take_sms
from escalation.models import Inbound
from plant.models import Channel, Person

PAGE = 50


@csrf_exempt
@require_POST
def twilio(request: HttpRequest) -> HttpResponse:
    """A text that came in. Whoever did not sign it is refused; the same call again does nothing again."""
    if account_signed(request) is None:
        return HttpResponse(status=403)
    said = request.POST
    if not said.get("MessageSid"):
        return HttpResponse(status=400)
    heard = take_sms(
        sender=said.get("From", ""),
        text=said.get("Body", ""),
        reference=said["MessageSid"],
        provider=TWILIO,
        to=said.get("To", ""),
        is_answered_here=True,
    )
    # With "advanced opt-out" the gateway itself has answered STOP, START and HELP.
    reply = "" if said.get("OptOutType") else heard.reply
    message = format_html("<Message>{}</Message>", reply) if reply else ""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
    return HttpResponse(body, content_type="text/xml")


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters in the address; a wrong one finds nothing rather than everything."""

    channel: str = ""
    show: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        return cls(**{name: request.GET.get(name, "").strip()[:20] for name in cls.__slots__})

    def query(self, **changes: object) -> str:
        asked = {name: getattr(self, name) for name in self.__slots__} | changes
        return "?" + urlencode({name: value for name, value in asked.items() if value})


@login_required
@require_safe
def came_in(request: HttpRequest) -> HttpResponse:
    """For IT managers: what came in, from whom, what it did, what was answered."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    asked = Asked.of(request)
    found = list(_found(asked, person)[: PAGE + 1])
    context: dict[str, Any] = {
        "asked": asked,
        "rows": found[:PAGE],
        "older": asked.query(before=found[PAGE - 1].pk) if len(found) > PAGE else "",
        "channels": [Channel.SMS, Channel.EMAIL],
        "unclear": inbox.UNCLEAR,
    }
    return render(request, "escalation/inbound.html", context)


def _found(asked: Asked, reader: Person) -> QuerySet[Inbound]:
    found = inbox.asked_for(inbox.visible_to(reader), channel=asked.channel, show=asked.show)
    if asked.before.isdecimal():
        found = found.filter(pk__lt=int(asked.before[:18]))
    return found
