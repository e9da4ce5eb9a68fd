"""Answering from the outbox as whoever got the message: the whole loop without any account.

In the sandbox only. It is the same as from a gateway or a mailbox, so that what is seen here is what will
happen there.
"""

from __future__ import annotations

import uuid
from email.message import EmailMessage
from email.utils import format_datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from escalation.channels.email import message_id, own_address
from escalation.channels.sandbox import NAME as SANDBOX
from escalation.inbound.mail import take_mail
from escalation.inbound.sms import take_sms
from escalation.models import Delivery
from escalation.views.outbox_found import ANSWERED_HERE, visible
from escalation.views.outbox_words import is_sandbox
from opsdesk.errors import Missing
from opsdesk.htmx import next_page
from plant.models import Channel, Person

LONGEST_TEXT = 480
"""Three segments: more than anybody writes with one thumb."""

LONGEST_MAIL = 4000


@login_required
@require_POST
def reply(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Text or write back. Pressing twice answers once, by the reference in the form."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    if not is_sandbox():
        raise Missing("no_outbox", _("Messages really go out here: answer from the phone."))
    delivery = visible(person).filter(channel__in=(Channel.SMS, Channel.EMAIL), pk=pk).first()
    if delivery is None or not delivery.address:
        raise Missing("unknown_message", _("There is no such message."))
    text, reference = request.POST.get("text", "").strip(), request.POST.get("reference", "")
    unique = f"{reference if reference.isalnum() else uuid.uuid4().hex}"[:40]
    if text and delivery.channel == Channel.SMS:
        _text_back(delivery, text[:LONGEST_TEXT], unique)
    elif text:
        _write_back(delivery, text[:LONGEST_MAIL], unique)
    return redirect(f"{next_page(request) or reverse('outbox')}#{_shown_at(delivery)}")


def _text_back(delivery: Delivery, text: str, unique: str) -> None:
    reference = f"outbox-{unique}-{delivery.pk}"
    take_sms(sender=delivery.address, text=text, reference=reference, provider=SANDBOX)


def _write_back(delivery: Delivery, text: str, unique: str) -> None:
    answer = EmailMessage()
    answer["From"] = delivery.address
    answer["To"] = own_address()
    answer["Subject"] = f"Re: {' '.join(delivery.subject.split())}"
    answer["Date"] = format_datetime(timezone.now())
    answer["Message-ID"] = f"<{unique}-{delivery.pk}{ANSWERED_HERE}"
    answer["In-Reply-To"] = message_id(delivery)
    answer.set_content(text)
    take_mail(raw=answer.as_bytes(), provider=SANDBOX, is_answered_here=True)


def _shown_at(delivery: Delivery) -> str:
    return "mail" if delivery.channel == Channel.EMAIL else f"m-{delivery.pk}"
