"""Every kind of message about an incident or a site in its words, before anybody gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from escalation import messages
from escalation.alarm import Notice, site_notice
from escalation.gsm7 import SEGMENT, septets
from escalation.messages import notices
from escalation.messages.notices import digest
from escalation.models import Clock, Delivery, Notification, Reason
from escalation.sample import LINK
from escalation.site_samples import samples
from escalation.watch import Kind, Trouble
from escalation.webhooks.words import for_a_room
from incidents import readings
from incidents.models import Event, EventKind, Incident, Status
from plant.duty import DutyBook, NobodyToTell
from plant.models import Channel, Person, Role, Site

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

HOW_IT_IS: Mapping[str, Status] = {
    Clock.RESPONSE: Status.RAISED,
    Clock.CONTAINMENT: Status.ACKNOWLEDGED,
    Clock.UPDATE: Status.ACKNOWLEDGED,
    Clock.LAPSE: Status.ACKNOWLEDGED,
    Clock.HELP: Status.ACKNOWLEDGED,
    Reason.ASSIGNED: Status.RAISED,
    Reason.TOLD_PICKED_UP: Status.ACKNOWLEDGED,
    Reason.TOLD_MOVING: Status.CONTAINED,
    Reason.TOLD_CLOSED: Status.CLOSED,
    Reason.TOLD_REOPENED: Status.REOPENED,
    Reason.DID_NOT_HOLD: Status.REOPENED,
    Reason.TOLD_HOLDS: Status.RESOLVED,
    Reason.LAPSED: Status.RAISED,
    Reason.BRING_SOMEONE: Status.ACKNOWLEDGED,
    Reason.HELP: Status.ACKNOWLEDGED,
}
"""How the incident stands when somebody is told this; all others are read as it stands now."""

SINCE: Mapping[Status, str] = {
    Status.ACKNOWLEDGED: "acknowledged_at",
    Status.CONTAINED: "contained_at",
    Status.RESOLVED: "resolved_at",
    Status.CLOSED: "closed_at",
    Status.REOPENED: "reopened_at",
}

READERS = (Role.PRODUCTION_MANAGER, Role.SUPERVISOR, Role.IT_TECH)
"""A manager, the floor and IT: places and buttons differ between them."""


ROOM: Mapping[EventKind, Status | None] = {
    EventKind.RAISED: Status.RAISED,
    EventKind.ACKNOWLEDGED: Status.ACKNOWLEDGED,
    EventKind.UPDATED: None,
    EventKind.CONTAINED: Status.CONTAINED,
    EventKind.NOT_REACHED: None,
    EventKind.CLOSED: Status.CLOSED,
}
"""What a chat room reads about an incident, of these an example each; and how the incident stands then."""

OPEN_ONES = 3
"""Open incidents that the messages about several things, and at shift start, are made of."""


@dataclass(frozen=True, slots=True)
class Said:
    """One kind of message. `length` is in septets of the GSM 7-bit alphabet; `push` is its title and text.

    `is_example`: nothing like it has happened at the site yet.
    """

    kind: str
    reason: str
    clock: str
    sms: str
    length: int
    subject: str
    text: str
    html: str
    push: tuple[str, str]
    is_example: bool = False

    @property
    def segments(self) -> int:
        """Parts that a phone gets: 160 septets in one, 153 in each of several (3GPP TS 23.040)."""
        return 1 if self.length <= SEGMENT else -(-self.length // 153)


Rendering = Callable[[str], messages.Rendered]
"""The message for one channel."""


def preview(incident: Incident, *, reader: Person, role: str, language: str, now: datetime) -> list[Said]:
    """All kinds for this reader in this role. The link is of the length of a real one and answers nothing."""
    readings.attach([incident])
    context = messages.context_of(incident, now)
    owner = incident.owner or _who_takes_it(incident, now) or reader
    found = []
    for reason, clock in KINDS:
        then = _as_it_is_then(incident, HOW_IT_IS.get(clock or reason), owner, now)
        told = _told(reader, reason, now, incident=then, clock=clock, role=role)
        told.data = {"by": str(owner), "fix": readings.bandage(incident) or incident.title}
        rendering = partial(_of_incident, told, language, now, context)
        kind = f"{reason}-{clock}" if clock else reason.value
        found.append(
            _said(kind, str(reason.label), rendering, clock=str(Clock(clock).label) if clock else "")
        )
    return found


def _who_takes_it(incident: Incident, now: datetime) -> Person | None:
    """Whoever is on duty for it: a message that says who has it needs a name."""
    with suppress(NobodyToTell):
        return DutyBook.load(now).on_duty(Role.IT_TECH, incident.place, now).people[0]
    return None


def _as_it_is_then(incident: Incident, status: Status | None, owner: Person, now: datetime) -> Incident:
    """A copy that is never saved; the incident itself where it stands so already."""
    if status is None or status == incident.status:
        return incident
    then = copy(incident)
    then.status, then.owner = status, None if status == Status.RAISED else owner
    if status in SINCE and getattr(then, SINCE[status]) is None:
        setattr(then, SINCE[status], now)
    return then


def _of_incident(
    told: Notification, language: str, now: datetime, context: messages.Context, channel: str
) -> messages.Rendered:
    sent = Delivery(notification=told, channel=channel, language=language)
    return messages.render(sent, now=now, context=context)


def preview_of_site(site: Site, *, reader: Person, language: str, now: datetime) -> list[Said]:
    """All kinds that are about a site, as they last were, or an example. Their names are in our language."""
    named = partial(_in, get_language())
    open_ones = list(Incident.objects.open().filter(site=site, is_drill=False).with_place()[:OPEN_ONES])
    readings.attach(open_ones)
    found = []
    with override(language), timezone.override(site.tz):
        for one in samples(site, reader, open_ones, language=language, now=now):
            notice = notices.notice(_told(reader, one.reason, now, site=site, data=dict(one.data)), now)
            rendering = partial(messages.of_notice, notice)
            found.append(
                _said(f"site-{one.reason}", named(one.reason.label), rendering, is_example=not one.is_real)
            )
        found.append(_alarm(named(_("Alerts do not go out")), now))
        if open_ones:
            told_of = [
                _told(reader, Reason.STEP, now, incident=one, clock=Clock.CLOSURE) for one in open_ones
            ]
            several = digest.several(digest.things_of(told_of, now), f"/a/{LINK}", is_again=False)
            found.append(
                _said("site-digest", named(Reason.DIGEST.label), partial(messages.of_notice, several))
            )
    return found


def _in(language: str | None, text: object) -> str:
    with override(language):
        return str(text)


def _alarm(title: str, now: datetime) -> Said:
    """What the watcher says, past the engine: by SMS and email only."""
    notice = site_notice(Notice((Trouble(Kind.ENGINE, now),), now), now)
    rendering = partial(messages.of_notice, notice)
    return _said("site-alarm", title, rendering, is_example=True)


def preview_of_room(
    incident: Incident, *, reader: Person, language: str, now: datetime
) -> list[tuple[str, str]]:
    """What a chat room reads: title and text of each."""
    readings.attach([incident])
    by = incident.owner or _who_takes_it(incident, now) or reader
    events = [
        Event(incident=then, at=now, kind=kind, by=by, version=0, data={"name": str(by)})
        for kind, status in ROOM.items()
        for then in [_as_it_is_then(incident, status, by, now)]
    ]
    return [for_a_room(event, language, now) for event in events]


def _told(reader: Person, reason: Reason, now: datetime, **about: Any) -> Notification:
    """A message that nobody gets."""
    return Notification(person=reader, reason=reason, token=LINK, due_at=now, created_at=now, **about)


def _said(kind: str, title: str, rendering: Rendering, *, clock: str = "", is_example: bool = False) -> Said:
    by_sms, by_mail, by_push = (rendering(one) for one in (Channel.SMS, Channel.EMAIL, Channel.PUSH))
    return Said(
        kind=kind,
        reason=title,
        clock=clock,
        sms=by_sms.text,
        length=septets(by_sms.text),
        subject=by_mail.subject,
        text=by_mail.text,
        html=by_mail.html,
        push=(by_push.subject, by_push.text.rpartition("\n")[0]),
        is_example=is_example,
    )
