"""Notifications and their deliveries, written for a whole batch at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from escalation.models import TOKEN_ALPHABET, Delivery, DeliveryState, Notification, Rank
from escalation.recipients import other_ways, ways_to, with_push
from escalation.rows import copy_in, new_ids
from incidents.models import Incident
from plant.models import Channel, Person, Site
from plant.own_hours import opens_at

COLLECTED_UNTIL = time(7, 0)
"""When the site's clock says so, what a policy sends as `digest` goes out: before the office's day."""

NOTE_LENGTH = 300
_LETTERS = len(TOKEN_ALPHABET)
_FAIR = 256 - 256 % _LETTERS


@dataclass(slots=True)
class Telling:
    """One person to be told one thing, about an incident or else a site; `key` makes sure it happens once."""

    incident_id: int | None
    person: Person
    reason: str
    key: str
    due_at: datetime
    channels: list[str]
    timer_id: int | None = None
    clock: str = ""
    role: str = ""
    rank: int = Rank.URGENT
    wants_answer: bool = False
    note: str = ""
    site_id: int | None = None
    ask_again_at: datetime | None = None
    times_asked: int = 1
    data: dict[str, Any] = field(default_factory=dict)
    as_urgent: bool = False
    """By the ways of something urgent although it goes out last: a practice."""
    not_by: str = ""
    """A channel that is no way to say this, because it is what this is about."""
    by_one_way: bool = False
    """Only by the first of the ways that reach the person: what does not press is said once."""

    @property
    def is_urgent(self) -> bool:
        return self.rank <= Rank.URGENT or self.as_urgent

    @property
    def is_collected(self) -> bool:
        """Asked for as `digest` only: one message in the morning for all of them. What is urgent never is."""
        return not self.is_urgent and set(self.channels) == {Channel.DIGEST}


_NOTIFICATION = (
    "id",
    "incident_id",
    "site_id",
    "person_id",
    "timer_id",
    "reason",
    "key",
    "token",
    "clock",
    "role",
    "is_urgent",
    "wants_answer",
    "due_at",
    "created_at",
    "note",
    "data",
    "ask_again_at",
    "times_asked",
    "answered_by_channel",
    "answer",
)
_DELIVERY = (
    "notification_id",
    "channel",
    "address",
    "language",
    "rank",
    "state",
    "attempt",
    "provider",
    "provider_ref",
    "queued_at",
    "not_before",
    "lease_by",
    "error",
    "subject",
    "text",
    "html",
)


def tell(tellings: Iterable[Telling], *, now: datetime) -> set[str]:
    """Record that these people are told, and queue the messages. Returns the channels that have work now.

    Raises IntegrityError when one of them was told this before.
    """
    tellings = list(tellings)
    ids = new_ids(Notification, len(tellings))
    copy_in(Notification, _NOTIFICATION, _notifications(ids, tellings, now))
    deliveries = list(_deliveries(ids, tellings, _mornings(tellings, now), now))
    copy_in(Delivery, _DELIVERY, deliveries)
    return {row[1] for row in deliveries}


def _notifications(ids: list[int], tellings: list[Telling], now: datetime) -> Iterator[tuple[Any, ...]]:
    for pk, telling, token in zip(ids, tellings, tokens(len(tellings)), strict=True):
        yield (
            pk,
            telling.incident_id,
            telling.site_id,
            telling.person.pk,
            telling.timer_id,
            telling.reason,
            telling.key,
            token,
            telling.clock,
            telling.role,
            telling.is_urgent,
            telling.wants_answer,
            telling.due_at,
            now,
            telling.note[:NOTE_LENGTH],
            telling.data | {"collected": True} if telling.is_collected else telling.data,
            telling.ask_again_at,
            telling.times_asked,
            "",
            "",
        )


def _mornings(tellings: Iterable[Telling], now: datetime) -> dict[int, datetime]:
    """Until when it is collected what is told of these incidents; one query, and only where something is."""
    wanted = {telling.incident_id for telling in tellings if telling.is_collected and telling.incident_id}
    if not wanted:
        return {}
    zones = Incident.objects.filter(pk__in=wanted).values_list("pk", "site__timezone")
    return {pk: next_morning(ZoneInfo(zone), now) for pk, zone in zones}


def _openings(tellings: Iterable[Telling], now: datetime) -> dict[int, datetime]:
    """When the working hours of those begin who have some and are not in them; one query, if anybody has.

    What is urgent never asks.
    """
    people = {one.person.pk: one.person for one in tellings if not one.is_urgent and one.person.works_from}
    if not people:
        return {}
    zones = dict(Site.objects.filter(people__in=people).values_list("people__pk", "timezone"))
    zone = {pk: ZoneInfo(name) for pk, name in zones.items()}
    return {
        pk: opens_at(person, zone.get(pk, timezone.get_default_timezone()), now)
        for pk, person in people.items()
    }


def next_morning(tz: tzinfo, now: datetime) -> datetime:
    """The next time the clock of the place says `COLLECTED_UNTIL`, also on the nights when it changes."""
    day = now.astimezone(tz).date()
    today = datetime.combine(day, COLLECTED_UNTIL, tzinfo=tz)
    return today if today > now else datetime.combine(day + timedelta(days=1), COLLECTED_UNTIL, tzinfo=tz)


def _deliveries(
    ids: list[int], tellings: list[Telling], mornings: Mapping[int, datetime], now: datetime
) -> Iterator[tuple[Any, ...]]:
    ways: dict[tuple[int, tuple[str, ...], bool], list[tuple[str, str]]] = {}
    openings = _openings(tellings, now)
    with_devices = _with_devices(tellings)
    for pk, telling in zip(ids, tellings, strict=True):
        person = telling.person
        asked = (person.pk, tuple(telling.channels), telling.is_urgent)
        if asked not in ways:
            has_device = person.pk in with_devices
            ways[asked] = ways_to(
                person, telling.channels, is_urgent=telling.is_urgent, has_device=has_device
            )
        is_one = telling.by_one_way or telling.is_collected
        goes_at = mornings.get(telling.incident_id or 0, now) if telling.is_collected else now
        if not telling.is_urgent:
            goes_at = max(goes_at, openings.get(person.pk, now))
        chosen = (telling.not_by and other_ways(person, telling.not_by)) or ways[asked]
        for channel, to in chosen[: 1 if is_one else None]:
            yield (
                pk,
                channel,
                to,
                person.language,
                int(telling.rank),
                DeliveryState.QUEUED.value,
                0,
                "",
                "",
                now,
                goes_at,
                "",
                "",
                "",
                "",
                "",
            )


def _with_devices(tellings: Iterable[Telling]) -> frozenset[int]:
    """Who has a device, of those who are to get a push: one query for what is urgent, one for the rest."""
    by_urgency: dict[bool, list[tuple[Person, list[str]]]] = {True: [], False: []}
    for one in tellings:
        by_urgency[one.is_urgent].append((one.person, one.channels))
    found = (with_push(people, is_urgent=urgent) for urgent, people in by_urgency.items())
    return frozenset().union(*found)


def tokens(count: int) -> list[str]:
    """As `models.new_token`, for many at once; bytes that would favour some letters are thrown away."""
    letters: list[str] = []
    while len(letters) < count * 10:
        letters += [TOKEN_ALPHABET[b % _LETTERS] for b in secrets.token_bytes(count * 12 + 16) if b < _FAIR]
    return ["".join(letters[n * 10 : n * 10 + 10]) for n in range(count)]
