"""The family of an incident: the same kind of trouble with the same system, or at the same station.

Domain §2. A family lives at one site: a system that every site uses fails, and is mended, at each of them by
itself. A whole line or area without a system is too vague to be the same again: that has no family.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from incidents.models import Category, Incident, IncidentQuerySet, SeverityRule, Status
from incidents.models.choices import REPEAT_DAYS
from opsdesk.errors import Missing
from plant.models import Site, Station, System

MONTH, QUARTER = timedelta(days=30), timedelta(days=90)

LONGEST_MEMORY = timedelta(days=730)
"""The longest that an IT manager may set: a bound that an index can serve whatever was set."""

_REPEAT_DAYS = SeverityRule.objects.filter(severity=OuterRef("severity")).values("repeat_days")
REMEMBERED_FOR = ExpressionWrapper(
    Coalesce(Subquery(_REPEAT_DAYS), REPEAT_DAYS) * Value(timedelta(days=1)), DurationField()
)
"""How long after it was closed the same again counts as a repeat, by the old one's severity."""


@dataclass(frozen=True, slots=True)
class HowOften:
    """Incidents of a family raised in the last 30 and 90 days."""

    days_30: int
    days_90: int


@dataclass(frozen=True, slots=True)
class Family:
    """Category, and a system or else a station, at a site."""

    category: Category
    site: Site
    station: Station | None = None
    system: System | None = None

    @property
    def key(self) -> str:
        """Its name in addresses: `network:station:ASM-D1-060`, `network:system:label:MBK`."""
        if self.system is not None:
            return f"{self.category.code}:system:{self.system.code}:{self.site.code}"
        assert self.station is not None  # no family without one of them
        return f"{self.category.code}:station:{self.station.code}"

    @property
    def place(self) -> str:
        """Where it happens, in the words of the floor."""
        if self.system is not None:
            return self.system.plain_name
        assert self.station is not None
        return f"{self.station.line}, {self.station}"

    def get_absolute_url(self) -> str:
        return reverse("family", args=[self.key])

    def incidents(self) -> IncidentQuerySet:
        """All of it that was real, in no order."""
        found = Incident.objects.meant().filter(category=self.category)
        if self.system is not None:
            return found.filter(system=self.system, site=self.site)
        return found.filter(station=self.station, system__isnull=True)

    def how_often(self, now: datetime) -> HowOften:
        """How many were raised in the 30 and the 90 days before this moment. One query."""
        counted = self.incidents().filter(raised_at__gt=now - QUARTER, raised_at__lte=now)
        found = counted.aggregate(
            days_30=Count("pk", filter=Q(raised_at__gt=now - MONTH)), days_90=Count("pk")
        )
        return HowOften(**found)

    def thought_over(self, now: datetime) -> Incident | None:
        """The last one that was thought to be over, so that the same now is a repeat of it. One query.

        Over is: its fix is in place and being proved, or it was closed within the days that an IT manager set
        for its severity (`SeverityRule.repeat_days`). What is being proved comes before what is closed. Only
        its number and how it ended are read.
        """
        proving = Q(status=Status.RESOLVED) | Q(
            status=Status.CONTAINED,
            countermeasures__kind="permanent",
            countermeasures__stage="checking",
        )
        told = self.incidents().only("number", "status", "closed_at")
        is_open = told.filter(proving, closed_at=None).order_by("-raised_at", "-pk")[:1]
        forgotten_before = ExpressionWrapper(
            Value(now, DateTimeField()) - REMEMBERED_FOR,
            DateTimeField(),
        )
        closed = told.filter(closed_at__gte=now - LONGEST_MEMORY)
        closed = closed.filter(closed_at__gte=forgotten_before).order_by("-closed_at", "-pk")[:1]
        found = list(is_open.union(closed, all=True))
        return min(found, key=lambda one: not one.is_open, default=None)


def of(incident: Incident) -> Family | None:
    """The family of an incident, saved or not; None when its place says too little. No query when it is read
    `with_place()`."""
    if incident.system is not None:
        return Family(incident.category, incident.site, system=incident.system)
    if incident.station is not None:
        return Family(incident.category, incident.site, station=incident.station)
    return None


def named(key: str) -> Family:
    """The family with this key; raises Missing."""
    code, _colon, rest = key.partition(":")
    kind, _colon, place = rest.partition(":")
    category = Category.objects.filter(code=code).first()
    family = _with(category, kind, place) if category is not None else None
    if family is None:
        raise Missing("unknown_family", _("There is no such kind of trouble at such a place."))
    return family


def _with(category: Category, kind: str, place: str) -> Family | None:
    if kind == "station":
        station = Station.objects.select_related("line__area__site").filter(code=place).first()
        return Family(category, station.line.area.site, station=station) if station else None
    if kind == "system":
        code, _colon, where = place.partition(":")
        system = System.objects.filter(code=code).first()
        site = Site.objects.filter(code=where).first()
        return Family(category, site, system=system) if system and site else None
    return None
