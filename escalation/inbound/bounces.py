"""A mail of ours that came back: the message failed, its address is marked, and what is urgent goes on."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from escalation.channels.mail_token import found_in
from escalation.inbound.letter import Letter
from escalation.models import Delivery, DeliveryState
from escalation.outbox import fallback, together
from incidents.models import Incident

WENT = (DeliveryState.SENT, DeliveryState.DELIVERED)
_DAEMON = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon)@", re.IGNORECASE)


def is_about_our_mail(letter: Letter) -> bool:
    """A delivery report, or what an old server writes instead."""
    return letter.is_report or bool(_DAEMON.match(letter.sender)) or letter.header("return-path") == "<>"


def delivery_of(letter: Letter) -> int | None:
    """Which of our mails a report is about: by the id of the original, or the address it was sent back to."""
    return found_in(
        letter.report.get("original", ""),
        letter.header("to"),
        letter.header("delivered-to"),
        letter.header("x-original-to"),
        letter.header("in-reply-to"),
        letter.header("references"),
        letter.text,
    )


def is_final(letter: Letter) -> bool:
    """False for "it is late, I go on trying" and for "it arrived"."""
    action = letter.report.get("action", "").casefold()
    return action == "failed" if action else not letter.report.get("status", "5").startswith(("2", "4"))


def why(letter: Letter) -> str:
    """The server's words, such as "550 5.1.1 No such user"."""
    said = letter.report.get("diagnostic-code", "") or letter.report.get("status", "")
    return said.partition(";")[2].strip() or said


@transaction.atomic
def came_back(delivery_id: int, reason: str, *, now: datetime) -> bool:
    """Mark a message that went out as failed, after all; something urgent finds another way now.

    Repeating it is harmless. False when it is known already, or never went out.
    """
    known = Delivery.objects.filter(pk=delivery_id, state__in=WENT).select_related("notification__incident")
    delivery = known.first()
    if delivery is None:
        return False
    incident = delivery.notification.incident
    if incident is not None:
        incident = Incident.objects.locked(incident.number)  # before its messages, as everywhere
    delivery.note_trouble(_("Came back: %(reason)s") % {"reason": reason or "?"})
    delivery.state, delivery.failed_at = DeliveryState.FAILED, now
    if not known.update(state=delivery.state, failed_at=now, error=delivery.error):
        return False
    if together.is_together(delivery):
        together.fail(delivery, now)
    elif incident is not None and delivery.notification.is_urgent:
        fallback.find_another_way(delivery, now)
    return True
