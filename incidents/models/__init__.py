"""What went wrong: incidents, what people said about them, and the timeline."""

from incidents.models.incident import (
    Category,
    Flow,
    Impact,
    Incident,
    IncidentQuerySet,
    Severity,
    SeverityRule,
    Status,
    WaitingOn,
)
from incidents.models.timeline import Downtime, Event, EventKind, Photo, Update

__all__ = [
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
    "Update",
    "WaitingOn",
]
