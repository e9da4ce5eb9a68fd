"""What went wrong: incidents, what people said about them, and the timeline."""

from incidents.models.choices import OWN_TROUBLE, Category, SeverityRule
from incidents.models.incident import Incident, IncidentQuerySet
from incidents.models.repeats import UnweighedRepeat
from incidents.models.terms import Impact, Severity, Status, WaitingOn
from incidents.models.timeline import Downtime, Event, EventKind, Photo, Update
from plant.models import Flow

__all__ = [
    "OWN_TROUBLE",
    "Category",
    "Downtime",
    "Event",
    "EventKind",
    "Flow",
    "Impact",
    "Incident",
    "IncidentQuerySet",
    "Photo",
    "Severity",
    "SeverityRule",
    "Status",
    "UnweighedRepeat",
    "Update",
    "WaitingOn",
]
