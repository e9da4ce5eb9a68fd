"""Whom a practice would ask right now, and how many messages each of them would get."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from escalation import pace, rules, wording
from escalation.policies import PolicyBook, clocks_of
from escalation.recipients import People, Recipient, ways_to, with_push
from escalation.steps import CONTAINMENT, RESPONSE, PolicyClocks
from incidents.models import Category, Severity
from plant.duty import DutyBook
from plant.models import Area, Channel, Person, Site

URGENT = (Severity.S1, Severity.S2)


@dataclass(slots=True)
class WouldBeAsked:
    """One person: as what, and how many messages by each channel, the word that it is over included."""

    person: Person
    role: str
    by_channel: Counter[str] = field(default_factory=Counter)
    last: tuple[str, ...] = ()

    @property
    def role_name(self) -> str:
        return wording.role_name(self.role)

    @property
    def sms(self) -> int:
        return self.by_channel[Channel.SMS]

    @property
    def email(self) -> int:
        return self.by_channel[Channel.EMAIL]

    @property
    def push(self) -> int:
        return self.by_channel[Channel.PUSH]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everybody, in the order in which they would be asked; and roles that nobody on shift holds."""

    people: list[WouldBeAsked]
    missing: list[str]
    lasts: timedelta

    @property
    def messages(self) -> int:
        return sum(sum(one.by_channel.values()) for one in self.people)


def outlook(
    site: Site, area: Area | None, severity: str, category: Category, *, flow: str, now: datetime
) -> Outlook:
    """Nothing is sent and nothing is written."""
    policy = clocks_of(
        PolicyBook.load().policy(
            severity, site_id=site.pk, area_id=area.pk if area else None, category_id=category.pk
        )
    )
    people = People(DutyBook.load(now, until=now + timedelta(hours=1)), usernames=sorted(policy.named_people))
    found: dict[int, WouldBeAsked] = {}
    missing: list[str] = []
    for clock in (RESPONSE, CONTAINMENT):
        _ask_ladder(clock, policy, area or site, people, found, missing, flow=flow, now=now)
    for one in found.values():
        one.by_channel.update(one.last)  # that it is over
    return Outlook(list(found.values()), list(dict.fromkeys(missing)), pace.ends_after(policy))


def _ask_ladder(
    clock: str,
    policy: PolicyClocks,
    place: Area | Site,
    people: People,
    found: dict[int, WouldBeAsked],
    missing: list[str],
    *,
    flow: str,
    now: datetime,
) -> None:
    for step in policy.ladder(clock):
        asks = list(rules.asks_of(step, flow=flow))
        told = people.resolve(asks, clock=clock, place=place, owner_id=None, at=now)
        missing += told.missing
        is_urgent = policy.severity in URGENT
        asked = ((one.person, one.channels) for one in told.recipients)
        pushed = with_push(asked, is_urgent=is_urgent)
        for recipient in told.recipients:
            _count(found, recipient, is_urgent=is_urgent, pushed=pushed)


def _count(
    found: dict[int, WouldBeAsked], recipient: Recipient, *, is_urgent: bool, pushed: frozenset[int]
) -> None:
    person = recipient.person
    one = found.setdefault(person.pk, WouldBeAsked(person, recipient.role))
    has_device = person.pk in pushed
    ways = ways_to(person, recipient.channels, is_urgent=is_urgent, has_device=has_device)
    one.last = tuple(channel for channel, to in ways if to)
    one.by_channel.update(one.last)
