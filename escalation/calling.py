"""Telling somebody directly through the channels, without a row in the database: for the watcher alone."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from escalation.alarm import Notice, words
from escalation.channels import Failed, Provider, Sender, open_channel, providers_of
from escalation.models import Delivery, Notification, Rank
from escalation.recipients import WAYS, address
from incidents.models import Incident
from plant.duty import DutyBook, NobodyToTell
from plant.models import Channel, Person, Role, Site

logger = logging.getLogger(__name__)

ATTEMPTS = 20
"""Tries for one message, one every `PAUSE` seconds: ten minutes."""

PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Contacts:
    """Who is on duty as IT manager of each site, for the days that the book knows; no database is asked."""

    book: DutyBook
    sites: tuple[Site, ...]

    @classmethod
    def read(cls, now: datetime) -> Contacts:
        """Nine queries for the book and one for the sites. The book reaches a week ahead."""
        return cls(DutyBook.load(now), tuple(Site.objects.all()))

    def it_managers(self, now: datetime) -> list[tuple[Person, ZoneInfo]]:
        """Each once, with the time zone of (one of) their sites."""
        at = min(now, self.book.knows_until)
        found: dict[int, tuple[Person, ZoneInfo]] = {}
        for site in self.sites:
            with suppress(NobodyToTell):
                for person in self.book.on_duty(Role.IT_MANAGER, site, at).people:
                    found.setdefault(person.pk, (person, site.tz))
        return list(found.values())


@dataclass(slots=True)
class Call:
    """One message on its way to one person by one channel."""

    channel: str
    address: str
    language: str
    subject: str
    text: str
    name: str
    not_before: float = 0.0  # of time.monotonic()
    attempts: int = 0
    is_over: bool = False
    """The last provider that was asked will never take it."""


def calls(notice: Notice, contacts: Contacts, now: datetime) -> Iterator[Call]:
    """The notice for every IT manager on duty, by every way that reaches them: one of them may be down."""
    for person, tz in contacts.it_managers(now):
        said = words(notice, language=person.language, tz=tz, now=now)
        for channel in WAYS:
            if to := address(person, channel):
                text = said.sms if channel == Channel.SMS else said.text
                yield Call(channel, to, person.language, said.subject, text, person.name)


def place(waiting: Sequence[Call]) -> list[Call]:
    """Try each call that is due; returns those to try again. Waits for providers, so never in the loop."""
    left = [call for call in waiting if call.not_before > time.monotonic()]
    by_channel: dict[str, list[Call]] = defaultdict(list)
    for call in waiting:
        if call.not_before <= time.monotonic():
            by_channel[call.channel].append(call)
    for channel, due in by_channel.items():
        left += _place_on(channel, due)
    return left


def _place_on(channel: str, due: Sequence[Call]) -> list[Call]:
    """By the providers in order. A channel that is down keeps nobody from being told by the other."""
    left = list(due)
    for provider in providers_of(channel):
        left = _place_by(provider, channel, left) if left else left
    return [call for call in left if not call.is_over and _goes_on(call)]


def _place_by(provider: Provider, channel: str, due: Sequence[Call]) -> list[Call]:
    """Returns what this provider did not take: the next one may."""
    left = list(due)
    try:
        with open_channel(channel, provider) as sender:
            for call in due:
                if _is_taken(sender, call):
                    left.remove(call)
    except Exception as error:  # whatever a provider's client raises: the next try comes
        why = error if isinstance(error, Failed) else type(error).__name__  # its text may hold the address
        logger.warning("Nobody can be told by %s: %s", provider.name, why)
        for call in left:
            call.is_over = False
    return left


def _is_taken(sender: Sender, call: Call) -> bool:
    """Whether nobody else has to be asked to send it: it went out, or nobody can send it."""
    try:
        sender.send(_as_delivery(call))
    except Failed as failure:
        logger.warning("Could not tell %s by %s: %s", call.name, call.channel, failure)
        call.is_over = failure.is_permanent
        return not failure.elsewhere
    logger.warning("Told %s by %s: %s", call.name, call.channel, call.text)
    return True


def _goes_on(call: Call) -> bool:
    call.attempts += 1
    call.not_before = time.monotonic() + PAUSE
    return call.attempts < ATTEMPTS


def _as_delivery(call: Call) -> Delivery:
    """What a channel takes, never saved. It belongs to no incident; its number is the microsecond of now."""
    return Delivery(
        pk=time.time_ns() // 1000,
        notification=Notification(pk=0, incident=Incident(pk=0, number=0)),
        channel=call.channel,
        address=call.address,
        language=call.language,
        rank=Rank.SAFETY,
        subject=call.subject,
        text=call.text,
    )
