"""Builds the world of a test: plain functions, keyword defaults, one row (or one small pattern) per call.

States of an incident are reached by lifecycle calls, not in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.text import slugify

from plant.models import (
    Area,
    Cover,
    CoverKind,
    Crew,
    Line,
    Person,
    Role,
    RoleAssignment,
    Roster,
    Shift,
    ShiftPattern,
    Site,
    Station,
    System,
    Vendor,
)

DETROIT = ZoneInfo("America/Detroit")
MONDAY = date(2024, 1, 1)
"""Any Monday: the anchor of every pattern here."""

_numbers = count(1)

# --- plant: places and systems ------------------------------------------------------------------------------


def make_site(
    code: str = "", *, name: str = "Millbrook Plant", timezone: str = "America/Detroit", **fields: Any
) -> Site:
    return Site.objects.create(code=code or f"S{next(_numbers)}", name=name, timezone=timezone, **fields)


def make_area(
    code: str = "", *, site: Site | None = None, name: str = "Final Assembly", **fields: Any
) -> Area:
    return Area.objects.create(
        code=code or f"A{next(_numbers)}", site=site or make_site(), name=name, **fields
    )


def make_line(
    code: str = "", *, area: Area | None = None, name: str = "Door Panel Line D1", **fields: Any
) -> Line:
    return Line.objects.create(
        code=code or f"L{next(_numbers)}", area=area or make_area(), name=name, **fields
    )


def make_station(
    code: str = "",
    *,
    line: Line | None = None,
    name: str = "Label & pack",
    systems: Iterable[System] = (),
    **fields: Any,
) -> Station:
    station = Station.objects.create(
        code=code or f"T{next(_numbers)}", line=line or make_line(), name=name, **fields
    )
    station.systems.set(systems)
    return station


def make_vendor(code: str = "", *, name: str = "Inkmarrow Label Systems", **fields: Any) -> Vendor:
    return Vendor.objects.create(code=code or f"v{next(_numbers)}", name=name, **fields)


def make_system(
    code: str = "", *, name: str = "Label printing", plain_name: str = "box labels", **fields: Any
) -> System:
    return System.objects.create(
        code=code or f"s{next(_numbers)}", name=name, plain_name=plain_name, **fields
    )


# --- plant: people ------------------------------------------------------------------------------------------


def make_person(
    name: str = "Marcus Vela",
    *,
    roles: Iterable[Role] = (),
    site: Site | None = None,
    areas: Sequence[Area] = (),
    corporate: bool = False,
    crew: Crew | None = None,
    **fields: Any,
) -> Person:
    """A person who holds the roles for the site (of the first area when none is given), or everywhere."""
    number = next(_numbers)
    if site is None and areas:
        site = areas[0].site
    fields.setdefault("username", f"{slugify(name)}-{number}")
    fields.setdefault("email", f"{fields['username']}@example.com")
    fields.setdefault("mobile", f"+1313555{number % 10_000:04d}")
    password = fields.pop("password", None)
    person = Person(name=name, site=site, **fields)
    person.set_password(password)
    person.save()
    for role in roles:
        give_role(person, role, site=None if corporate else site, areas=areas)
    if crew:
        put_on_roster(person, crew)
    return person


def give_role(person: Person, role: Role, *, site: Site | None, areas: Sequence[Area] = ()) -> RoleAssignment:
    held = RoleAssignment.objects.create(person=person, role=role, site=site)
    held.areas.set(areas)
    return held


# --- plant: shifts ------------------------------------------------------------------------------------------


def make_pattern(
    *,
    site: Site,
    areas: Iterable[Area] = (),
    shifts: dict[str, tuple[int, int]],
    crews: dict[str, list[str]],
    anchor: date = MONDAY,
    **fields: Any,
) -> ShiftPattern:
    """``shifts`` maps a code to its hours on the wall, ``crews`` a code to its rotation."""
    fields.setdefault("code", f"p{next(_numbers)}")
    fields.setdefault("name", fields["code"])
    days = len(next(iter(crews.values())))
    pattern = ShiftPattern.objects.create(site=site, cycle_days=days, anchor=anchor, **fields)
    pattern.areas.set(areas)
    for code, (starts, ends) in shifts.items():
        Shift.objects.create(pattern=pattern, code=code, name=code, starts=time(starts), ends=time(ends))
    for code, rotation in crews.items():
        Crew.objects.create(pattern=pattern, code=code, name=code, rotation=rotation)
    return pattern


def make_three_shifts(
    *, site: Site, areas: Iterable[Area] = (), days: int = 7, **fields: Any
) -> ShiftPattern:
    """3×8: crews SH1 06–14, SH2 14–22, SH3 22–06, each on its own, the first ``days`` of a week."""
    rotation = {code: [code] * days + [""] * (7 - days) for code in ("SH1", "SH2", "SH3")}
    shifts = {"SH1": (6, 14), "SH2": (14, 22), "SH3": (22, 6)}
    return make_pattern(site=site, areas=areas, shifts=shifts, crews=rotation, **fields)


TWO_TWO_THREE = (1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0)
"""2 on, 2 off, 3 on, 2 off, 2 on, 3 off: the cycle of 14 days."""


def make_two_two_three(*, site: Site, areas: Iterable[Area] = (), **fields: Any) -> ShiftPattern:
    """12 h rotating 2-2-3: crews A and C relieve each other by day (06–18), B and D by night (18–06)."""
    crews = {
        crew: [shift if works == on else "" for works in TWO_TWO_THREE]
        for crew, shift, on in (("A", "MD", 1), ("B", "MN", 1), ("C", "MD", 0), ("D", "MN", 0))
    }
    return make_pattern(site=site, areas=areas, shifts={"MD": (6, 18), "MN": (18, 6)}, crews=crews, **fields)


def make_two_shifts(*, site: Site, areas: Iterable[Area] = (), **fields: Any) -> ShiftPattern:
    """Two shifts, Monday to Friday: crews D1 05–14 and D2 14–23; nobody at night and on weekends."""
    rotation = {code: [code] * 5 + ["", ""] for code in ("D1", "D2")}
    return make_pattern(
        site=site, areas=areas, shifts={"D1": (5, 14), "D2": (14, 23)}, crews=rotation, **fields
    )


def crew_of(pattern: ShiftPattern, code: str) -> Crew:
    return pattern.crews.get(code=code)


def put_on_roster(
    person: Person, crew: Crew, *, first_day: date = date(2020, 1, 1), last_day: date | None = None
) -> Roster:
    return Roster.objects.create(person=person, crew=crew, first_day=first_day, last_day=last_day)


def make_cover(
    absent: Person,
    *,
    stand_in: Person | None = None,
    starts_at: datetime,
    ends_at: datetime | None = None,
    kind: CoverKind = CoverKind.SWAP,
) -> Cover:
    """Eight hours of cover when no end is given."""
    ends_at = ends_at or starts_at + timedelta(hours=8)
    return Cover.objects.create(
        absent=absent, stand_in=stand_in, starts_at=starts_at, ends_at=ends_at, kind=kind
    )
