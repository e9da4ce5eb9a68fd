"""Mails as people's programs and servers write them."""

from __future__ import annotations

import base64
from datetime import datetime
from email.message import EmailMessage
from itertools import count

from escalation.channels.email import message_id, reply_address
from escalation.models import Delivery, Notification, Reason
from incidents.models import Incident
from plant.models import Person

_ids = count(1)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

GMAIL = (
    "\n\nOn Tue, Nov 4, 2025 at 10:11 AM OpsDesk <alerts@ops.example.com> wrote:\n\n> INC-1042\n> Line down\n"
)
GMAIL_ES = (
    "\n\nEl mar, 4 nov 2025 a las 10:11, OpsDesk (<alerts@ops.example.com>) escribió:\n> INC-1042\n> Parada\n"
)
GMAIL_TWO_LINES = (
    "\n\nOn Tue, Nov 4, 2025 at 10:11 AM OpsDesk\n<alerts@ops.example.com> wrote:\n> Line down\n"
)
OUTLOOK = "\n\nFrom: OpsDesk <alerts@ops.example.com>\nSent: Tuesday\nTo: Vela\nSubject: Down\n\nLine down"
OUTLOOK_ES = "\n\nDe: OpsDesk <alerts@ops.example.com>\nEnviado: martes\nPara: Vela\nAsunto: Parada\n\nParada"
IPHONE = "\n\nSent from my iPhone\n\n> On Nov 4, 2025, at 10:11, OpsDesk <a@x.com> wrote:\n>\n> Line down\n"
QUOTES = {
    "gmail": GMAIL,
    "gmail in Spanish": GMAIL_ES,
    "gmail in two lines": GMAIL_TWO_LINES,
    "outlook": OUTLOOK,
    "outlook in Spanish": OUTLOOK_ES,
    "iphone": IPHONE,
    "none": "",
}


def reply(delivery: Delivery, words: str, *, sender: str = "", **headers: str) -> EmailMessage:
    """Somebody's answer to a mail of ours."""
    found = EmailMessage()
    found["From"] = f"Somebody <{sender or delivery.address}>"
    found["To"] = "alerts@ops.example.com"
    found["Subject"] = "Re: Line down"
    found["Message-ID"] = f"<answer-{next(_ids)}@mail.example.org>"
    found["In-Reply-To"] = message_id(delivery)
    for name, value in headers.items():
        key = name.replace("_", "-")
        del found[key]
        if value:
            found[key] = value
    found.set_content(words)
    return found


def bounce(delivery: Delivery, *, action: str = "failed", original: str | None = None, to: str = "") -> bytes:
    """A delivery report (RFC 3464) as mail servers send it."""
    about = message_id(delivery) if original is None else original
    back = to or reply_address(delivery) or "alerts@ops.example.com"
    text = f"""From: MAILER-DAEMON@mail.example.org
To: {back}
Subject: Undelivered Mail Returned to Sender
Message-ID: <report-{next(_ids)}@mail.example.org>
Auto-Submitted: auto-replied
Return-Path: <>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; {delivery.address}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user

--B
Content-Type: message/rfc822

Message-ID: {about}
Subject: Line down

Line down
--B--
"""
    return text.replace("\n", "\r\n").encode()


def mailed(person: Person, incident: Incident, now: datetime) -> Delivery:
    """An email about the incident that this person got."""
    notification = Notification.objects.create(
        incident=incident,
        person=person,
        reason=Reason.STEP,
        key=f"mailed:{person.pk}",
        due_at=now,
        created_at=now,
    )
    return Delivery.objects.create(
        notification=notification,
        channel="email",
        address=person.email,
        state="sent",
        sent_at=now,
        queued_at=now,
        not_before=now,
    )
