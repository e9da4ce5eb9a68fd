"""Which listener hears which event. No database, no clock."""

from __future__ import annotations

from collections.abc import Collection

from escalation.models import Clock, Listener, ListenerKind
from incidents.models import Event, EventKind, Incident, Status

ROOM_HEARS = (
    EventKind.RAISED,
    EventKind.TOLD,
    EventKind.ACKNOWLEDGED,
    EventKind.UPDATED,
    EventKind.CONTAINED,
    EventKind.RESOLVED,
    EventKind.CLOSED,
    EventKind.TAKEN_BACK,
    EventKind.REOPENED,
    EventKind.HOLDS_AFTER_ALL,
    EventKind.LAPSED,
    EventKind.SEVERITY_CHANGED,
    EventKind.SHELVED,
    EventKind.NOT_REACHED,
)
"""What is worth a line in a room: each step and each piece of news once, never once per person."""


def hears(listener: Listener, event: Event, told: Collection[str] = ()) -> bool:
    """By place, role, severity and kind. A step that names Chat reaches rooms of its place at any severity.

    Practice is heard by nobody: a program would open a ticket for it. `told`: the roles that were told of the
    incident so far.
    """
    incident = event.incident
    if incident.is_drill or incident.site_id != listener.site_id:
        return False
    if listener.area_id is not None and incident.area_id != listener.area_id:
        return False
    if listener.roles and not _concerns(listener, event, told):
        return False
    if listener.kind == ListenerKind.CHAT:
        if event.kind == EventKind.TOLD and event.data.get("chat"):
            return True
        if event.kind not in (listener.kinds or ROOM_HEARS):
            return False
    elif listener.kinds and event.kind not in listener.kinds:
        return False
    return not listener.severities or incident.severity in listener.severities


def _concerns(listener: Listener, event: Event, told: Collection[str]) -> bool:
    """Of a step only who is told by it counts; all else is for who was told of the incident before."""
    if event.kind == EventKind.TOLD:
        told = {one.get("role", "") for one in event.data.get("people", [])}
    return not set(listener.roles).isdisjoint(told)


def is_overtaken(event: Event, incident: Incident) -> bool:
    """Whether a room need not hear any more that people were told: somebody has it, or product moves."""
    if event.kind != EventKind.TOLD:
        return False
    if event.data.get("clock") == Clock.RESPONSE:
        return incident.status != Status.RAISED
    return incident.status == Status.CLOSED or (
        event.data.get("clock") == Clock.CONTAINMENT and incident.is_moving
    )
