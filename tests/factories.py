"""Builds the world of a test: plain functions, keyword defaults, one row (or one small pattern) per call.

States of an incident are reached by lifecycle calls, not in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.text import slugify

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Kind, Strength
from incidents import lifecycle
from incidents.models import Category, Impact, Incident, Status
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
    station.systems.add(*systems)
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
    if areas:
        held.areas.add(*areas)
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
    pattern.areas.add(*areas)
    Shift.objects.bulk_create(
        Shift(pattern=pattern, code=code, name=code, starts=time(starts), ends=time(ends))
        for code, (starts, ends) in shifts.items()
    )
    Crew.objects.bulk_create(
        Crew(pattern=pattern, code=code, name=code, rotation=rotation) for code, rotation in crews.items()
    )
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
    note: str = "",
) -> Cover:
    """Eight hours of cover when no end is given."""
    ends_at = ends_at or starts_at + timedelta(hours=8)
    return Cover.objects.create(
        absent=absent, stand_in=stand_in, starts_at=starts_at, ends_at=ends_at, kind=kind, note=note
    )


# --- incidents ----------------------------------------------------------------------------------------------

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""A Monday morning at nine in Detroit: when everything happens unless a test says otherwise."""


def make_category(code: str = "label_print", *, name: str = "Printer or labels", **fields: Any) -> Category:
    return Category.objects.get_or_create(code=code, defaults={"name": name, **fields})[0]


@dataclass
class Floor:
    """A site with one area, line and station, and a person for every role that is asked for."""

    site: Site
    area: Area
    line: Line
    station: Station
    category: Category
    people: dict[str, Person] = field(default_factory=dict)

    def who(self, role: Role) -> Person:
        """The one who holds this role for the whole site; an operator, who holds none, is `operator`."""
        if role not in self.people:
            self.people[role] = make_person(str(role.label), roles=[role], site=self.site)
        return self.people[role]

    @property
    def operator(self) -> Person:
        if "operator" not in self.people:
            self.people["operator"] = make_person("Pat Operator", site=self.site)
        return self.people["operator"]

    @property
    def tech(self) -> Person:
        return self.who(Role.IT_TECH)

    @property
    def supervisor(self) -> Person:
        return self.who(Role.SUPERVISOR)

    @property
    def manager(self) -> Person:
        return self.who(Role.PRODUCTION_MANAGER)


def make_floor(**site: Any) -> Floor:
    site_ = make_site(**site)
    area = make_area(site=site_)
    line = make_line(area=area)
    return Floor(site_, area, line, make_station(line=line), make_category())


def raise_(
    floor: Floor,
    impact: Impact = Impact.STOPPED,
    *,
    by: Person | None = None,
    now: datetime = NOW,
    **asked: Any,
) -> Incident:
    """Raised at the floor's station by an operator, unless the test names another place or person."""
    if not asked.keys() & {"station", "line", "area", "system"}:
        asked["station"] = floor.station
    asked = {"category": floor.category, "words": "No labels come out", **asked}
    return lifecycle.raise_incident(by=by or floor.operator, impact=impact, now=now, **asked)[0]


def plan_fix(
    floor: Floor,
    incident: Incident,
    *,
    strength: Strength | str = Strength.PREVENT,
    now: datetime = NOW,
    **asked: Any,
) -> Countermeasure:
    """A permanent countermeasure, promised by the technician, with its check planned for the supervisor."""
    asked = {
        "owner": floor.tech,
        "due_on": now.date() + timedelta(days=7),
        "checker": floor.supervisor,
        **asked,
    }
    return fixes.add(
        incident.number,
        by=floor.tech,
        kind=Kind.PERMANENT,
        what="Pin the driver of the print server",
        strength=strength,
        metric="Label queue stops",
        target="None",
        now=now,
        **asked,
    )


def place_fix(floor: Floor, incident: Incident, *, now: datetime = NOW, **asked: Any) -> Countermeasure:
    """The same, in place and being proved from `now`."""
    found = plan_fix(floor, incident, now=now, **asked)
    return fixes.put_in_place(found.pk, by=floor.tech, evidence="Print server shows 8.4 pinned", now=now)


def prove(floor: Floor, incident: Incident) -> datetime:
    """Everything domain §3 asks for before closing, but the floor's word; returns the moment it was done."""
    done = NOW + timedelta(days=91)
    fixes.write_cause(
        incident.number,
        by=floor.tech,
        root_cause="Drivers update by themselves",
        escape_cause="No test print",
        now=NOW,
    )
    for found in incident.countermeasures.all():
        if found.kind == Kind.CONTAINMENT:
            fixes.take_off(found.pk, by=floor.tech, now=done)
        else:
            fixes.check(found.pk, by=floor.supervisor, effective=True, measured="No stops", now=done)
    return done


def reach(floor: Floor, status: Status, impact: Impact = Impact.STOPPED, **asked: Any) -> Incident:
    """An incident in that status, owned by the floor's technician, reached by lifecycle calls alone."""
    incident = raise_(floor, impact, **asked)
    if status == Status.RAISED:
        return incident
    lifecycle.acknowledge(incident.number, by=floor.tech, now=NOW)
    if status == Status.ACKNOWLEDGED:
        return fresh(incident)
    lifecycle.contain(incident.number, by=floor.tech, what="Spare printer", now=NOW)
    if status == Status.REOPENED:
        lifecycle.reopen(incident.number, by=floor.supervisor, reason="Blank again", now=NOW)
    if status in (Status.RESOLVED, Status.CLOSED):
        place_fix(floor, incident)
        lifecycle.resolve(incident.number, by=floor.tech, now=NOW)
    if status == Status.CLOSED:
        lifecycle.close(incident.number, by=floor.supervisor, now=prove(floor, incident))
    return fresh(incident)


def fresh(incident: Incident) -> Incident:
    """The incident as the database has it now."""
    return Incident.objects.numbered(incident.number)
