"""Where it is: the places offered on the raise screen, and what a chosen one stands for.

A place travels as one word: `station:ASM-D1-060`, `line:ASM-D1`, `area:MBK-ASM`, `system:label`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incidents.models import Incident
from opsdesk.errors import Invalid
from plant.models import Area, Line, Person, Site, Station, System

TILES = 4
"""Places offered without searching; the fifth and sixth tile are for finding another one."""

LOOK_BACK = timedelta(days=30)
MOST_FOUND = 40


class Place(TypedDict, total=False):
    """The keyword arguments that `raise_incident` wants."""

    station: Station
    line: Line
    area: Area
    system: System


@dataclass(frozen=True, slots=True)
class Tile:
    """A place to tap: its word, its name, a note below, and the name in a sentence."""

    value: str
    name: str
    note: str
    said: str


def resolve(value: str, *, site: Site | None = None) -> Place:
    """The place a word stands for. Raises Invalid `unknown_place`, with `site` also for one elsewhere."""
    kind, _colon, code = value.partition(":")
    place = _find(kind, code)
    if place is None or (site is not None and _site_id(place) not in (None, site.pk)):
        sentence = _("There is no place with the code %(code)s.") % {"code": code or value}
        raise Invalid("unknown_place", sentence, fields={"where": [sentence]})
    return place


def _find(kind: str, code: str) -> Place | None:
    if kind == "station":
        station = Station.objects.select_related("line__area__site").filter(code__iexact=code).first()
        return {"station": station} if station else None
    if kind == "line":
        line = Line.objects.select_related("area__site").filter(code__iexact=code).first()
        return {"line": line} if line else None
    if kind == "area":
        area = Area.objects.select_related("site").filter(code__iexact=code).first()
        return {"area": area} if area else None
    if kind == "system":
        system = System.objects.select_related("site").filter(code=code).first()
        return {"system": system} if system else None
    return None


def _site_id(place: Place) -> int | None:
    """None for a system that every site uses."""
    if "station" in place:
        return place["station"].line.area.site_id
    if "line" in place:
        return place["line"].area.site_id
    return place["area"].site_id if "area" in place else place["system"].site_id


def site_of(place: Station | Line | Area | Site) -> int:
    """The id of the site a place belongs to."""
    if isinstance(place, Station):
        place = place.line
    if isinstance(place, Line):
        place = place.area
    return place.site_id if isinstance(place, Area) else place.pk


def tile_of(place: Place, note: str = "") -> Tile:
    if "station" in place:
        return station_tile(place["station"], note)
    if "line" in place:
        line = place["line"]
        return Tile(f"line:{line.code}", line.name, note or _("The whole line"), line.name)
    if "area" in place:
        area = place["area"]
        return Tile(f"area:{area.code}", area.name, note or _("The whole area"), area.name)
    system = place["system"]
    return Tile(
        f"system:{system.code}", system.plain_name, note or _("Wherever it is used"), system.plain_name
    )


def station_tile(station: Station, note: str = "") -> Tile:
    """A station needs its line beside it: many lines have a "Pack" station."""
    said = f"{station.line.name}, {station.name}"
    return Tile(f"station:{station.code}", station.name, note or station.line.name, said)


def tiles(
    *,
    person: Person | None,
    tablet: Station | None,
    chosen: Place | None = None,
    now: datetime | None = None,
) -> list[Tile]:
    """The places most likely meant: the chosen one, this tablet's, then what was used or lies near."""
    found: dict[str, Tile] = {}
    if tablet is not None:
        tile = station_tile(tablet, _("This tablet’s station"))
        found[tile.value] = tile
    if chosen is not None:
        tile = tile_of(chosen)
        found = {tile.value: found.get(tile.value, tile), **found}
    for tile in _likely(person, tablet, now or timezone.now(), exclude=found):
        found.setdefault(tile.value, tile)
        if len(found) >= TILES:
            break
    return list(found.values())[:TILES]


def _likely(
    person: Person | None, tablet: Station | None, now: datetime, *, exclude: Iterable[str]
) -> Iterable[Tile]:
    known = set(exclude)
    if person is not None:
        for station, at in _used_by(person, now):
            if f"station:{station.code}" not in known:
                yield station_tile(station, _used(at, now))
    for station in _near(person, tablet)[: TILES * 2]:
        yield station_tile(station)


def _used_by(person: Person, now: datetime) -> list[tuple[Station, datetime]]:
    """Stations this person raised something at lately, latest first."""
    raised = (
        Incident.objects.filter(raised_by=person, raised_at__gte=now - LOOK_BACK, station__isnull=False)
        .select_related("station__line")
        .order_by("-raised_at")[:MOST_FOUND]
    )
    latest: dict[int, tuple[Station, datetime]] = {}
    for incident in raised:
        assert incident.station is not None  # asked for in the query
        latest.setdefault(incident.station.pk, (incident.station, incident.raised_at))
    return list(latest.values())


def _near(person: Person | None, tablet: Station | None) -> QuerySet[Station]:
    """The tablet's line, else the areas the person answers for, else their site."""
    stations = Station.objects.select_related("line").order_by("line__criticality", "code")
    if tablet is not None:
        return stations.filter(line_id=tablet.line_id)
    if person is None:
        return stations.none()
    areas = {area_id for held in person.assignments for area_id in held.area_ids}
    return (
        stations.filter(line__area_id__in=areas) if areas else stations.filter(line__area__site=person.site)
    )


def _used(at: datetime, now: datetime) -> str:
    """ "Used today", "Used yesterday", "Used Friday", "Used last week", "Used 3 October"."""
    day, today = timezone.localtime(at).date(), timezone.localtime(now).date()
    gone = (today - day).days
    if gone <= 0:
        return _("Used today")
    if gone == 1:
        return _("Used yesterday")
    if gone < 7:
        return _("Used %(weekday)s") % {"weekday": date_format(day, "l")}
    if gone < 14:
        return _("Used last week")
    return _("Used %(day)s") % {"day": date_format(day, "j F")}


def search(words: str, *, sites: Iterable[int] | None) -> QuerySet[Station]:
    """Stations whose name, code, line or area has all the words; `sites` None searches everywhere."""
    stations = Station.objects.select_related("line__area").order_by("line__code", "code")
    if sites is not None:
        stations = stations.filter(line__area__site_id__in=sites)
    for word in words.split()[:6]:
        stations = stations.filter(
            Q(name__icontains=word)
            | Q(code__icontains=word)
            | Q(line__name__icontains=word)
            | Q(line__area__name__icontains=word)
        )
    return stations[:MOST_FOUND]
