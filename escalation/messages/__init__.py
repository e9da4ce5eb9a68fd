"""What people read when they are told: one SMS segment, or an email with the same words.

`render` is called for thousands of deliveries in one go: with a `Context` it asks the database nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import override

from escalation.messages import notices
from escalation.messages.context import Context, Next, Told, context_of, contexts_of
from escalation.messages.email import email
from escalation.messages.facts import base_url, facts
from escalation.messages.push import push, push_notice
from escalation.messages.sms import sms
from escalation.models import Delivery
from plant.models import Channel

__all__ = [
    "Context",
    "Next",
    "Rendered",
    "Told",
    "base_url",
    "context_of",
    "contexts_of",
    "of_notice",
    "render",
]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to hand over; an SMS has only its text, a push a title and a text."""

    subject: str
    text: str
    html: str


def render(delivery: Delivery, *, now: datetime | None = None, context: Context | None = None) -> Rendered:
    """The message of a delivery, in its language, with times by the plant's clock.

    Without a `context`, who was told and who is next is looked up, for an email only.
    """
    now = now or timezone.now()
    notification = delivery.notification
    incident = notification.incident
    if incident is None:
        return _notice(delivery, now)
    with override(delivery.language), timezone.override(incident.site.tz):
        said = facts(notification, now)
        if delivery.channel == Channel.PUSH:
            return Rendered(*push(said), html="")
        if delivery.channel != Channel.EMAIL:
            return Rendered(subject="", text=sms(incident, said), html="")
        letter = email(notification, said, context or context_of(incident, now), now)
        return Rendered(subject=letter.subject, text=letter.text, html=letter.html)


def _notice(delivery: Delivery, now: datetime) -> Rendered:
    """A message about a site."""
    notification = delivery.notification
    assert notification.site is not None  # a constraint: it is about an incident or a site
    with override(delivery.language), timezone.override(notification.site.tz):
        return of_notice(notices.notice(notification, now), delivery.channel)


def of_notice(said: notices.Notice, channel: str) -> Rendered:
    """The words of a message about a site, for one channel; language and time zone are already active."""
    if channel == Channel.PUSH:
        return Rendered(*push_notice(said), html="")
    if channel != Channel.EMAIL:
        return Rendered(subject="", text=notices.sms(said), html="")
    subject, text, html = notices.email(said)
    return Rendered(subject=subject, text=text, html=html)
