"""Where and who: places, systems, vendors, people, shifts."""

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
from plant.models.shifts import Cover, CoverKind, Crew, Roster, Shift, ShiftPattern
from plant.models.systems import System, Vendor, VendorContact

__all__ = [
    "SHIFT_ROLES",
    "Area",
    "Channel",
    "Cover",
    "CoverKind",
    "Crew",
    "Criticality",
    "Flow",
    "Language",
    "Line",
    "LineKind",
    "Person",
    "PersonQuerySet",
    "Role",
    "RoleAssignment",
    "Roster",
    "Shift",
    "ShiftPattern",
    "Site",
    "Station",
    "System",
    "Vendor",
    "VendorContact",
]
