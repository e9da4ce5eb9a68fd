"""Every kind of message about one incident in its words, before anybody gets it. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from escalation import messages
from escalation.gsm7 import SEGMENT, septets
from escalation.models import Clock, Delivery, Notification, Reason
from escalation.sample import LINK
from incidents import readings
from incidents.models import Incident
from plant.models import Channel, Person, Role

KINDS = (
    *((Reason.STEP, clock.value) for clock in Clock),
    *(
        (reason, "")
        for reason in (
            Reason.ASSIGNED,
            Reason.UPDATE,
            Reason.TOLD_PICKED_UP,
            Reason.TOLD_MOVING,
            Reason.TOLD_CLOSED,
            Reason.TOLD_REOPENED,
            Reason.DID_NOT_HOLD,
            Reason.TOLD_HOLDS,
            Reason.FALLBACK,
            Reason.ASKED_AGAIN,
            Reason.LAPSED,
            Reason.BRING_SOMEONE,
            Reason.HELP,
        )
    ),
)
"""Why somebody is told about an incident; a step of each clock has words of its own."""

READERS = (Role.PRODUCTION_MANAGER, Role.SUPERVISOR, Role.IT_TECH)
"""A manager, the floor and IT: places and buttons differ between them."""


@dataclass(frozen=True, slots=True)
class Said:
    """One kind of message. `length` is in septets of the GSM 7-bit alphabet."""

    kind: str
    reason: str
    clock: str
    sms: str
    length: int
    subject: str
    text: str
    html: str

    @property
    def segments(self) -> int:
        """Parts that a phone gets: 160 septets in one, 153 in each of several (3GPP TS 23.040)."""
        return 1 if self.length <= SEGMENT else -(-self.length // 153)


def preview(incident: Incident, *, reader: Person, role: str, language: str, now: datetime) -> list[Said]:
    """All kinds for this reader in this role. The link is of the length of a real one and answers nothing."""
    readings.attach([incident])
    context = messages.context_of(incident, now)
    return [_said(incident, reason, clock, reader, role, language, now, context) for reason, clock in KINDS]


def _said(
    incident: Incident,
    reason: Reason,
    clock: str,
    reader: Person,
    role: str,
    language: str,
    now: datetime,
    context: messages.Context,
) -> Said:
    told = Notification(
        incident=incident,
        person=reader,
        reason=reason,
        clock=clock,
        role=role,
        token=LINK,
        due_at=now,
        created_at=now,
        data={"by": str(incident.owner or reader)},
    )
    by_sms, by_mail = (
        messages.render(
            Delivery(notification=told, channel=channel, language=language), now=now, context=context
        )
        for channel in (Channel.SMS, Channel.EMAIL)
    )
    return Said(
        kind=f"{reason}-{clock}" if clock else reason,
        reason=str(reason.label),
        clock=str(Clock(clock).label) if clock else "",
        sms=by_sms.text,
        length=septets(by_sms.text),
        subject=by_mail.subject,
        text=by_mail.text,
        html=by_mail.html,
    )
