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
from escalation.channels import Failed, open_channel
from escalation.gsm7 import to_gsm7
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


def calls(notice: Notice, contacts: Contacts, now: datetime) -> Iterator[Call]:
    """The notice for every IT manager on duty, by every way that reaches them: one of them may be down."""
    for person, tz in contacts.it_managers(now):
        said = words(notice, language=person.language, tz=tz, now=now)
        for channel in WAYS:
            if to := address(person, channel):
                text = to_gsm7(said.text) if channel == Channel.SMS else said.text
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
    """A channel that is down keeps nobody from being told by the other."""
    open_calls = list(due)
    try:
        with open_channel(channel) as sender:
            for call in due:
                try:
                    sender.send(_as_delivery(call))
                    logger.warning("Told %s by %s: %s", call.name, channel, call.text)
                    open_calls.remove(call)
                except Failed as failure:
                    logger.warning("Could not tell %s by %s: %s", call.name, channel, failure)
                    if failure.is_permanent:
                        open_calls.remove(call)
    except Exception as error:  # whatever a provider's client raises: the next try comes
        logger.warning("Nobody can be told by %s: %s", channel, error)
    return [call for call in open_calls if _goes_on(call)]


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
