"""The bandage register: what keeps product moving for now, until when, since when, and how often extended.

A bandage that should be off has expired from the morning after its last day, on every day of the year:
the plant may stand still, the bandage is on. What waits for the next working minute is asking people about
it, and only for S3 and S4; S1, S2 and safety never wait (domain §4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import Q

from countermeasures.exposure import place_of
from countermeasures.models import Countermeasure, CountermeasureQuerySet
from incidents.models import Event, Severity
from plant.models import Person, Site
from plant.rotation import ONE_DAY, instant
from plant.working_time import PlantHours, said_why

MOST = 200
"""Bandages on the page; a plant that wears more has another problem, and the API pages through them."""

NEVER_WAIT = (Severity.S1, Severity.S2)


@dataclass(frozen=True, slots=True)
class Worn:
    """One bandage that is on. `asked_at`: when people are asked; after `ends_at` if that waits."""

    one: Countermeasure
    days: int
    days_left: int
    extensions: int
    why: str
    ends_at: datetime
    asked_at: datetime
    waits_for: str

    @property
    def is_expired(self) -> bool:
        return self.days_left < 0


def worn_by(person: Person) -> CountermeasureQuerySet:
    """Those this person may see, what should be off first."""
    found = Countermeasure.objects.worn().filter(incident__is_drill=False).for_cards()
    if not person.is_corporate:
        found = found.filter(incident__site_id__in=person.site_ids)
    return found.order_by("expires_on", "id")


def expired(now: datetime) -> CountermeasureQuerySet:
    """Those that should be off, each by the day at its site. One query for the sites, and its own."""
    past = Q(pk__in=[])
    for site in Site.objects.all():
        past |= Q(incident__site=site, expires_on__lt=now.astimezone(site.tz).date())
    return Countermeasure.objects.worn().filter(past)


def register(found: Iterable[Countermeasure], now: datetime) -> list[Worn]:
    """As rows; eight queries whatever their number. Their incidents must be loaded with site and area."""
    bandages = list(found)
    hours, told = PlantHours.at(now - 60 * ONE_DAY), _extensions(bandages)
    times = Counter(pk for pk, _why in told)
    whys = dict(told)  # the last one said stays
    return [_row(one, now, hours, times[one.pk], whys.get(one.pk, "")) for one in bandages]


def ends_at(one: Countermeasure) -> datetime:
    """The end of its last day on the plant's clock, in UTC."""
    assert one.expires_on is not None  # the database keeps it so for a bandage
    return instant(one.expires_on + ONE_DAY, time(), one.incident.site.tz)


def asked_at(one: Countermeasure, hours: PlantHours) -> tuple[datetime, str]:
    """When people are asked about it, and what it waits for (empty: it does not wait)."""
    end = ends_at(one)
    if one.incident.is_safety or one.incident.severity in NEVER_WAIT:
        return end, ""
    wait = hours.wait(place_of(one.incident), end)
    return wait.until, wait.why


def _row(one: Countermeasure, now: datetime, hours: PlantHours, extensions: int, why: str) -> Worn:
    asked, waits_for = asked_at(one, hours)
    today = now.astimezone(one.incident.site.tz).date()
    return Worn(
        one=one,
        days=max(0, (today - _on_since(one)).days),
        days_left=(one.expires_on - today).days if one.expires_on else 0,
        extensions=extensions,
        why=why,
        ends_at=ends_at(one),
        asked_at=asked,
        waits_for=said_why(waits_for),
    )


def _on_since(one: Countermeasure) -> date:
    return (one.in_place_at or one.created_at).astimezone(one.incident.site.tz).date()


def _extensions(bandages: list[Countermeasure]) -> list[tuple[int, str]]:
    """Which bandage was extended and why, oldest first."""
    events = Event.objects.filter(
        incident_id__in={one.incident_id for one in bandages}, data__did="extended"
    ).order_by("at", "pk")
    return [(int(event.data["countermeasure"]), event.words) for event in events.only("data", "words")]
