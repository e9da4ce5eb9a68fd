"""From a step to people: who is on duty when it fires, by which channels, and where there are gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from escalation.devices import with_device
from escalation.situation import Ask
from escalation.steps import CAN_TAKE, OWNER, RESPONSE
from plant.duty import DutyAnswer, DutyBook, DutyLevel
from plant.models import SHIFT_ROLES, Area, Channel, Person, Role, Site

SENT_BY = {"sms": "sms", "email": "email", "push": "sms", "digest": "email", "chat": "email"}
"""The channel that each channel of a policy is sent by where a person has nothing else: push, digest and chat
stand for one that everybody has."""

WAYS = ("sms", "email")
"""Channels that everybody has, in the order in which one stands in for another."""


@dataclass(slots=True)
class Recipient:
    """Somebody who is told, as what, how, and the gaps that made it them."""

    person: Person
    role: str
    channels: list[str]
    wants_answer: bool = False
    gaps: list[DutyAnswer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The people of a step. `missing`: roles that nobody on shift holds; `goes_up`: when that empties it."""

    recipients: list[Recipient]
    missing: list[str]
    goes_up: bool


class People:
    """Everybody who may be asked in a batch: duty, and the persons that incidents and policies name."""

    def __init__(
        self, book: DutyBook, *, ids: Iterable[int | None] = (), usernames: Iterable[str] = ()
    ) -> None:
        self.book = book
        wanted = {pk for pk in ids if pk is not None}
        names = set(usernames)
        found = (
            Person.objects.active().filter(Q(pk__in=wanted) | Q(username__in=names))
            if wanted or names
            else ()
        )
        self.by_id: Mapping[int, Person] = {person.pk: person for person in found}
        self.by_username: Mapping[str, Person] = {person.username: person for person in self.by_id.values()}

    def resolve(
        self, asks: Sequence[Ask], *, clock: str, place: Area | Site, owner_id: int | None, at: datetime
    ) -> Resolved:
        """Who is told when these asks fire at that moment. A person who is asked for twice is told once."""
        found: dict[int, Recipient] = {}
        missing: list[str] = []
        for ask in asks:
            people, answer = self._who(ask, place=place, owner_id=owner_id, at=at)
            if answer is not None and is_missing(answer):
                missing.append(ask.role)
            for person in people:
                _add(found, person, ask, answer)
        roles = [ask.role for ask in asks]
        goes_up = _goes_up(clock, roles, missing, found)
        if not found:
            self._tell_the_it_manager(found, asks, place=place, at=at)
        return Resolved(list(found.values()), missing, goes_up=goes_up)

    def _tell_the_it_manager(
        self, found: dict[int, Recipient], asks: Sequence[Ask], *, place: Area | Site, at: datetime
    ) -> None:
        """A step whose people have all left (an owner, somebody by name) still tells somebody."""
        channels = tuple(dict.fromkeys(channel for ask in asks for channel in ask.channels))
        answer = self.book.on_duty(Role.IT_MANAGER, place, at)
        for person in answer.people:
            _add(found, person, Ask(Role.IT_MANAGER.value, "", channels), answer)

    def _who(
        self, ask: Ask, *, place: Area | Site, owner_id: int | None, at: datetime
    ) -> tuple[Sequence[Person], DutyAnswer | None]:
        if ask.role == OWNER:
            owner = self.by_id.get(owner_id or 0)
            return ([owner] if owner else []), None
        if not ask.role:
            person = self.by_username.get(ask.person)
            return ([person] if person else []), None
        answer = self.book.on_duty(Role(ask.role), place, at)
        return answer.people, answer


def is_missing(answer: DutyAnswer) -> bool:
    """Nobody on shift holds the role; for managers, who are called at any hour: nobody holds it at all."""
    if answer.level == DutyLevel.LAST_RESORT:
        return True
    return answer.level == DutyLevel.OFF_SHIFT and answer.role in SHIFT_ROLES


def _goes_up(
    clock: str, roles: Sequence[str], missing: Sequence[str], found: Mapping[int, Recipient]
) -> bool:
    """A level goes up now when nobody on shift is in it; a new incident, when nobody in it could take it."""
    if not found:
        return True
    needed = [role for role in roles if role in CAN_TAKE] if clock == RESPONSE else []
    needed = needed or [role for role in roles if role]
    return bool(needed) and set(needed) <= set(missing)


def _add(found: dict[int, Recipient], person: Person, ask: Ask, answer: DutyAnswer | None) -> None:
    known = found.get(person.pk)
    if known is None:
        known = found[person.pk] = Recipient(person, ask.role, [])
    known.channels += [channel for channel in ask.channels if channel not in known.channels]
    known.wants_answer = known.wants_answer or ask.answer
    if answer is not None and answer.is_gap:
        known.gaps.append(answer)


# --- channels ---


def address(person: Person, channel: str) -> str:
    """Where a channel reaches the person; empty where it does not, or where they asked for no more texts.

    All their devices together are one address.
    """
    if channel == Channel.PUSH:
        return f"push:{person.username}"
    if channel == Channel.SMS:
        return "" if person.wants_no_texts else person.mobile
    return person.email


def with_push(people: Iterable[tuple[Person, Iterable[str]]], *, is_urgent: bool) -> frozenset[int]:
    """Which of these people get a push: it is asked for, by them or the policy, and they have a device.

    `people` come with the channels that the policy asks for. One query, and only where push is asked for.
    """
    return with_device({one.pk for one, asked in people if Channel.PUSH in _chosen(one, asked, is_urgent)})


def _chosen(person: Person, asked: Iterable[str], is_urgent: bool) -> Iterable[str]:
    """The person's own choice before the policy's."""
    return (person.urgent_channels if is_urgent else person.normal_channels) or asked


def ways_to(
    person: Person, asked: Iterable[str], *, is_urgent: bool, has_device: bool = False
) -> list[tuple[str, str]]:
    """(channel, address) pairs: the person's own choice before the policy's, without what cannot reach them.

    Somebody with no address at all gets one pair with an empty address: it fails visibly and goes up.
    """
    sent_by = SENT_BY | ({"push": "push"} if has_device else {})
    chosen = _chosen(person, asked, is_urgent)
    wanted = list(dict.fromkeys(sent_by[c] for c in chosen if c in sent_by))
    for channels in (wanted, WAYS):
        pairs = [(c, address(person, c)) for c in channels if address(person, c)]
        if pairs:
            return pairs
    return [(wanted[0] if wanted else WAYS[0], "")]


def other_ways(person: Person, channel: str) -> list[tuple[str, str]]:
    """(channel, address) pairs by all ways but this one; empty when nothing else reaches the person."""
    return [(way, address(person, way)) for way in WAYS if way != channel and address(person, way)]
