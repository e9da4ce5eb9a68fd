"""The delivery log: every message with how far it got, newest first, for who looks after how people are told.

It tells addresses and errors, never words or links: those answer for somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from escalation.models import Delivery
from incidents.models.incident import parse_number
from opsdesk.errors import NotAllowed
from plant.models import Person, Role

READERS = (Role.IT_MANAGER, Role.IT_LEAD)
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters in the address; a wrong one finds nothing rather than everything."""

    person: str = ""
    channel: str = ""
    state: str = ""
    provider: str = ""
    incident: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Asked:
        return cls(**{name: given.get(name, "").strip()[:80] for name in cls.__slots__})

    def query(self, **changes: object) -> str:
        asked = {name: getattr(self, name) for name in self.__slots__} | changes
        return "?" + urlencode({name: value for name, value in asked.items() if value})


def may_read(reader: Person | None) -> bool:
    """Whether there is a log for this person at all."""
    return reader is not None and (
        reader.is_superuser or any(one.role in READERS for one in reader.assignments)
    )


def visible_to(reader: Person) -> QuerySet[Delivery]:
    """Of the sites that the reader looks after. Raises NotAllowed for anybody else."""
    if not may_read(reader):
        raise NotAllowed(
            "not_your_log", _("The IT manager and the IT leads see how messages got there. Ask them.")
        )
    found, sites = Delivery.objects.all(), sites_of(reader)
    if sites is not None:
        found = found.filter(Q(notification__incident__site__in=sites) | Q(notification__site__in=sites))
    return found.select_related(
        "notification__person",
        "notification__incident",
        "notification__timer",
        "bundled_into__notification",
    ).order_by("-pk")


def sites_of(reader: Person) -> list[int] | None:
    """Ids of the sites that the reader looks after; None for all of them."""
    held = [one.site_id for one in reader.assignments if one.role in READERS]
    return None if reader.is_superuser or None in held else [one for one in held if one is not None]


def asked_for(found: QuerySet[Delivery], asked: Asked) -> QuerySet[Delivery]:
    """Those that match every filter. Times are when a message was queued."""
    exact = {"channel": asked.channel, "state": asked.state, "provider": asked.provider}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if asked.person:
        named = Q(notification__person__name__icontains=asked.person) | Q(address__icontains=asked.person)
        found = found.filter(named | Q(notification__person__username__iexact=asked.person))
    if asked.incident:
        found = found.filter(notification__incident__number=parse_number(asked.incident))
    for text, bound in ((asked.since, "queued_at__gte"), (asked.until, "queued_at__lte")):
        if text:
            at = _moment(text)
            found = found.filter(**{bound: at}) if at else found.none()
    if asked.before.isascii() and asked.before.isdecimal() and int(asked.before) <= LARGEST:
        found = found.filter(pk__lt=int(asked.before))
    return found


def _moment(text: str) -> datetime | None:
    """A time with a zone, or by the clock of the reader; None for what is none."""
    try:
        at = parse_datetime(text)
        return timezone.make_aware(at) if at and timezone.is_naive(at) else at
    except (ValueError, OverflowError):
        return None
