"""What comes in from outside: the call of a gateway that got a text, and the page that shows all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from escalation.channels.twilio import account_signed
from escalation.inbound.polling import TWILIO
from escalation.inbound.sms import take_sms
from escalation.models import Did, Inbound
from opsdesk.errors import NotAllowed
from plant.models import Channel, Person, Role

PAGE = 50
UNCLEAR = (Did.NOT_UNDERSTOOD, Did.WHICH, Did.WHO, Did.UNKNOWN_SENDER, Did.REFUSED, Did.BROKEN)
"""What did not do what its sender wanted: somebody should look."""


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
def inbox(request: HttpRequest) -> HttpResponse:
    """For IT managers: what came in, from whom, what it did, what was answered."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    if not (person.is_superuser or person.holds(Role.IT_MANAGER)):
        raise NotAllowed("wrong_role", _("Only an IT manager sees what came in."))
    asked = Asked.of(request)
    found = list(_found(asked, person)[: PAGE + 1])
    context: dict[str, Any] = {
        "asked": asked,
        "rows": found[:PAGE],
        "older": asked.query(before=found[PAGE - 1].pk) if len(found) > PAGE else "",
        "channels": [Channel.SMS, Channel.EMAIL],
        "unclear": UNCLEAR,
    }
    return render(request, "escalation/inbound.html", context)


def _found(asked: Asked, reader: Person) -> QuerySet[Inbound]:
    """What people of the reader's sites sent, and what nobody we know sent."""
    found = Inbound.objects.select_related("person", "incident").order_by("-pk")
    if not reader.is_corporate:
        theirs = reader.site_ids
        is_theirs = Q(incident__site__in=theirs) | Q(incident=None, person__site__in=theirs)
        found = found.filter(is_theirs | Q(incident=None, person=None))
    if asked.channel:
        found = found.filter(channel=asked.channel)
    if asked.show == "unclear":
        found = found.filter(did__in=UNCLEAR)
    if asked.before.isdecimal():
        found = found.filter(pk__lt=int(asked.before[:18]))
    return found
