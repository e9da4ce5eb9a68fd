"""Where and who: places, systems, vendors, people, shifts."""

from plant.models.calendar import CalendarEntry, EntryKind, SiteCalendar
from plant.models.people import (
    SHIFT_ROLES,
    Channel,
    Language,
    Person,
    PersonQuerySet,
    Role,
    RoleAssignment,
)
from plant.models.places import Area, Criticality, Flow, Line, LineKind, Site, Station
from plant.models.shifts import Cover, CoverKind, Crew, Roster, RosterFeed, Shift, ShiftPattern
from plant.models.systems import System, Vendor, VendorContact

__all__ = [
    "SHIFT_ROLES",
    "Area",
    "CalendarEntry",
    "Channel",
    "Cover",
    "CoverKind",
    "Crew",
    "Criticality",
    "EntryKind",
    "Flow",
    "Language",
    "Line",
    "LineKind",
    "Person",
    "PersonQuerySet",
    "Role",
    "RoleAssignment",
    "Roster",
    "RosterFeed",
    "Shift",
    "ShiftPattern",
    "Site",
    "SiteCalendar",
    "Station",
    "System",
    "Vendor",
    "VendorContact",
]
