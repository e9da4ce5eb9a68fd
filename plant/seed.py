"""Writes the plant of a parsed demo file: places, systems, vendors, people, shift patterns and rosters.

Running it again changes nothing and adds nothing: every row is found by its code or its user name. What the
file does not say (flow, buffers, rotation, who covers which area) is decided in the tables below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from plant.models import (
    Area,
    Crew,
    Flow,
    Language,
    Line,
    LineKind,
    Person,
    Role,
    RoleAssignment,
    Roster,
    Shift,
    ShiftPattern,
    Site,
    SiteCalendar,
    Station,
    System,
    Vendor,
    VendorContact,
)

Row = Mapping[str, Any]

CYCLES_START = date(2024, 1, 1)
"""A Monday long before any incident of the file: the first day of every rotation and roster."""

IT_PHONE = "+1-313-555-0100"
LAST_RESORT = "hutchins"
NOT_VERIFIED = {"ellis": ("mobile",), "kowalczyk": ("mobile", "email"), "vance": ("email",)}
"""A few numbers and addresses that nobody has tried yet, as in any plant."""
SPANISH_SPEAKERS = frozenset({"jimenez", "cruz"})

HOLIDAYS: Row = {
    "country": "US",
    "subdivision": "MI",
    "works_on": [
        "Martin Luther King Jr. Day",
        "Washington's Birthday",
        "Juneteenth National Independence Day",
        "Columbus Day",
        "Veterans Day",
    ],
}
"""The plants of the file stand in Michigan; like most, they work on the lesser holidays."""

FLOWS = {
    "SHP": Flow.SHIPPING,
    "SEQ": Flow.SHIPPING,
    "WHS": Flow.SHIPPING,
    "RCV-DOCK": Flow.RECEIVING,
    "RCV-HB": Flow.MATERIAL_MOVES,
    "QLB": Flow.RECORDS,
}
"""Flow of a line by how its code starts; everything else is production."""

BUFFER_MINUTES = {
    "RCV-DOCK": 240,
    "RCV-HB": 90,
    "MLD-P1": 240,
    "MLD-P2": 240,
    "MLD-MAT": 120,
    "PNT-L1": 180,
    "ASM-D1": 45,
    "ASM-D2": 45,
    "ASM-I1": 45,
    "ASM-C1": 60,
    "SHP-DOCK": 60,
    "SEQ-A": 45,
    "WHS-01": 90,
    "QLB-01": 480,
}
"""How long the plant survives without the line; nobody knows for the infrastructure."""

SYSTEMS_OF_DEVICE = {
    "ap_controller": ["wlan"],
    "doc_printer": ["erp"],
    "ecall": ["wlan"],
    "edi": ["edi"],
    "erp_terminal": ["erp"],
    "file_share": ["vm"],
    "flash_pc": ["hmi"],
    "hmi": ["hmi"],
    "label_printer": ["label"],
    "laser": ["vision"],
    "mes": ["mes", "erpmes"],
    "opc": ["opc"],
    "pc": ["hmi", "ident"],
    "plc": ["opc"],
    "ptl": ["seq"],
    "scale": ["hmi"],
    "scanner": ["scan"],
    "seq": ["seq"],
    "server": ["vm", "sql", "ident"],
    "storage": ["vm"],
    "switch": ["lan"],
    "test_pc": ["hmi"],
    "torque": ["torque"],
    "truck_terminal": ["scan"],
    "ups": ["power"],
    "vision": ["vision"],
    "wifi": ["wlan"],
}
"""Which systems a station depends on, by what stands there (the file's `it` tags)."""

WEEKDAYS = (1, 1, 1, 1, 1, 0, 0)
SUNDAY_TO_THURSDAY = (1, 1, 1, 1, 0, 0, 1)
TWO_TWO_THREE = (1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0)
THREE_TWO_TWO = tuple(1 - day for day in TWO_TWO_THREE)

CREWS: dict[str, list[tuple[str, str, str, Sequence[int]]]] = {
    # The week of the lines starts with the night shift on Sunday at 22:00 and ends on Friday at 22:00.
    "asm_3x8": [
        ("SH1", "1st shift", "SH1", WEEKDAYS),
        ("SH2", "2nd shift", "SH2", WEEKDAYS),
        ("SH3", "3rd shift", "SH3", SUNDAY_TO_THURSDAY),
    ],
    # Crews A and C relieve each other by day, B and D by night: one of each pair is always on.
    "mld_12h": [
        ("A", "Crew A", "MD", TWO_TWO_THREE),
        ("B", "Crew B", "MN", TWO_TWO_THREE),
        ("C", "Crew C", "MD", THREE_TWO_TWO),
        ("D", "Crew D", "MN", THREE_TWO_TWO),
    ],
    "dsc_2x9": [("D1", "Early crew", "D1", WEEKDAYS), ("D2", "Late crew", "D2", WEEKDAYS)],
}
"""Crews by pattern: code, name, their shift, and on which days of the cycle they work, from a Monday."""

CREW_OF_SHIFT = {
    "SH1": ("asm_3x8", "SH1"),
    "SH2": ("asm_3x8", "SH2"),
    "SH3": ("asm_3x8", "SH3"),
    "MD": ("mld_12h", "A"),
    "MN": ("mld_12h", "B"),
    "D1": ("dsc_2x9", "D1"),
    "D2": ("dsc_2x9", "D2"),
}

EVERY_SITE_OF_THE_FILE = frozenset(
    {
        Role.IT_TECH,
        Role.IT_SPECIALIST,
        Role.IT_LEAD,
        Role.IT_MANAGER,
        Role.PRODUCTION_MANAGER,
        Role.MATERIALS_MANAGER,
        Role.PLANT_MANAGER,
    }
)
"""Held for the person's own site and for the other: the sequencing center has no such people of its own."""

AREAS_OF_TITLE = {
    "Assembly Supervisor": ["MBK-ASM", "MBK-PNT"],
    "Moulding Supervisor": ["MBK-MLD"],
    "Shipping Supervisor": ["MBK-SHP", "MBK-RCV"],
    "Team Leader": ["MBK-ASM"],
    "Receiving Lead": ["MBK-RCV"],
}
"""Areas a floor role is held for, by how the title starts; everybody else holds theirs for the whole site."""


@transaction.atomic
def seed_plant(data: Row, *, now: datetime) -> None:
    """Write the plant of the parsed file. ``now`` is when addresses and mobiles count as verified."""
    sites = {row["key"]: _site(row, data["meta"]["timezone"]) for row in data["sites"]}
    for row in data["sites"]:
        _places(row, sites[row["key"]])
    patterns = {row["key"]: _pattern(row) for row in data["shift_patterns"]}
    password = make_password(settings.DEMO_PASSWORD)  # once: hashing takes longer than all the rest
    for row in data["people"]:
        person = _person(row, sites, password=password, now=now)
        _roles(person, row, sites)
        _roster(person, row["shift"], patterns)
    Site.objects.filter(pk__in=[site.pk for site in sites.values()]).update(
        last_resort=Person.objects.get(username=LAST_RESORT)
    )
    for row in data["vendors"]:
        _vendor(row)
    for row in data["systems"]:
        _system(row)
    _systems_of_stations(data["sites"])


def _site(row: Row, timezone: str) -> Site:
    fields = {"name": row["name"], "about": row["about"], "timezone": timezone, "it_phone": IT_PHONE}
    site = Site.objects.update_or_create(code=row["key"], defaults=fields)[0]
    SiteCalendar.objects.get_or_create(site=site, defaults=HOLIDAYS)
    return site


def _places(row: Row, site: Site) -> None:
    for area_row in row["areas"]:
        fields = {"site": site, "name": area_row["name"]}
        area = Area.objects.update_or_create(code=area_row["key"], defaults=fields)[0]
        for line_row in area_row["work_centers"]:
            _line(line_row, area)


def _line(row: Row, area: Area) -> None:
    code = row["key"]
    fields = {
        "area": area,
        "name": row["name"],
        "kind": LineKind.DOCK if code.endswith("-DOCK") else LineKind(row["type"]),
        "criticality": row["criticality"],
        "takt_seconds": row.get("takt_s"),
        "flow": next((flow for start, flow in FLOWS.items() if code.startswith(start)), Flow.PRODUCTION),
        "buffer_minutes": BUFFER_MINUTES.get(code),
    }
    line = Line.objects.update_or_create(code=code, defaults=fields)[0]
    for station in row["stations"]:
        fields = {"line": line, "name": station["name"], "note": station.get("note", "")}
        Station.objects.update_or_create(code=station["key"], defaults=fields)


def _pattern(row: Row) -> ShiftPattern:
    areas = list(Area.objects.filter(code__in=row["applies_to"]))
    crews = CREWS[row["key"]]
    fields = {
        "site": areas[0].site,
        "name": row["name"],
        "cycle_days": len(crews[0][3]),
        "anchor": CYCLES_START,
        "handover_minutes": row["handover_overlap_min"],
    }
    pattern = ShiftPattern.objects.update_or_create(code=row["key"], defaults=fields)[0]
    pattern.areas.set(areas)
    for shift in row["shifts"]:
        hours = {"starts": time.fromisoformat(shift["start"]), "ends": time.fromisoformat(shift["end"])}
        Shift.objects.update_or_create(
            pattern=pattern, code=shift["key"], defaults={"name": shift["name"], **hours}
        )
    for code, name, shift_code, days in crews:
        rotation = [shift_code if works else "" for works in days]
        Crew.objects.update_or_create(
            pattern=pattern, code=code, defaults={"name": name, "rotation": rotation}
        )
    return pattern


def _person(row: Row, sites: Mapping[str, Site], *, password: str, now: datetime) -> Person:
    fields = {
        "name": row["name"],
        "title": row["title"],
        "department": row["dept"],
        "site": sites[row["site"]],
        "email": row["email"],
        "mobile": row["phone"].replace("-", ""),
        "language": Language.ES if row["key"] in SPANISH_SPEAKERS else Language.EN,
    }
    untried = NOT_VERIFIED.get(row["key"], ())
    verified = {f"{way}_verified_at": now for way in ("mobile", "email") if way not in untried}
    first_time = {"password": password, **verified}
    return Person.objects.update_or_create(
        username=row["key"], defaults=fields, create_defaults={**fields, **first_time}
    )[0]


def _roles(person: Person, row: Row, sites: Mapping[str, Site]) -> None:
    role = Role(row["role"])
    areas = _areas_of(row["title"])
    for site in _sites_of(role, sites[row["site"]], sites):
        held = RoleAssignment.objects.get_or_create(person=person, role=role, site=site)[0]
        held.areas.set(areas)


def _sites_of(role: Role, home: Site, sites: Mapping[str, Site]) -> Iterator[Site | None]:
    if role == Role.IT_DIRECTOR:
        yield None  # corporate: every site there is and will be
    elif role in EVERY_SITE_OF_THE_FILE:
        yield from sites.values()
    else:
        yield home


def _areas_of(title: str) -> list[Area]:
    codes = next((areas for start, areas in AREAS_OF_TITLE.items() if title.startswith(start)), [])
    return list(Area.objects.filter(code__in=codes)) if codes else []


def _roster(person: Person, shift: str, patterns: Mapping[str, ShiftPattern]) -> None:
    pattern, crew = CREW_OF_SHIFT[shift]
    Roster.objects.get_or_create(
        person=person, crew=patterns[pattern].crews.get(code=crew), first_day=CYCLES_START
    )


def _vendor(row: Row) -> None:
    fields = {
        "name": row["name"],
        "supplies": row["supplies"],
        "support_hours": row["support_hours"],
        "response_minutes": row["response_min"],
        "onsite_hours": row["onsite_h"],
        "phone": row["phone"],
        "email": row["email"],
    }
    vendor = Vendor.objects.update_or_create(code=row["key"], defaults=fields)[0]
    VendorContact.objects.update_or_create(
        vendor=vendor,
        name=row["escalation_name"],
        defaults={"phone": row["escalation_phone"], "is_escalation": True},
    )


def _system(row: Row) -> None:
    fields = {
        "name": row["name"],
        "plain_name": row["plain"],
        "owner": Person.objects.get(username=row["owner"]),
        "vendor": Vendor.objects.get(code=row["vendor"]) if row["vendor"] else None,
        "if_down": row["if_down"],
        "workaround": row["workaround"],
    }
    System.objects.update_or_create(code=row["key"], defaults=fields)


def _systems_of_stations(sites: Sequence[Row]) -> None:
    systems = {system.code: system for system in System.objects.all()}
    stations = {station.code: station for station in Station.objects.all()}
    for row in _station_rows(sites):
        codes = {code for device in row["it"] for code in SYSTEMS_OF_DEVICE[device]}
        stations[row["key"]].systems.set(systems[code] for code in sorted(codes))


def _station_rows(sites: Sequence[Row]) -> Iterator[Row]:
    for site in sites:
        for area in site["areas"]:
            for line in area["work_centers"]:
                yield from line["stations"]
