"""What a room reads and what a program gets about one event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from escalation.messages import base_url
from incidents import readings
from incidents.models import Event, EventKind, Incident
from incidents.serializers import EventSerializer
from plant.wording import moment, names

MOST_NAMES = 6


def for_a_room(event: Event, language: str, now: datetime) -> tuple[str, str]:
    """Title and text: what happened, where, and the page; in plain words and the room's language."""
    incident = event.incident
    with override(language), timezone.override(incident.site.tz):
        title = f"{incident.code} {event.get_kind_display()}: {incident.where}"
        if event.kind in (EventKind.RAISED, EventKind.TOLD, EventKind.REOPENED):
            title = f"{incident.code} {readings.state(incident)}: {incident.where}"
        lines = [*filter(None, _lines(event, incident, now)), base_url() + incident.get_absolute_url()]
        return title, "\n".join(lines)


def for_a_test(name: str, language: str) -> tuple[str, str]:
    with override(language):
        return _("OpsDesk: a test"), _("“%(name)s” hears OpsDesk. Nothing has happened.") % {"name": name}


def _lines(event: Event, incident: Incident, now: datetime) -> Iterator[str]:
    by = {"name": event.by.name if event.by else ""}
    if event.kind == EventKind.TOLD:
        told = [one.get("name", "") for one in event.data.get("people", [])]
        yield _("Told now: %(names)s.") % {"names": names(told, most=MOST_NAMES)} if told else ""
    if event.kind == EventKind.ACKNOWLEDGED:
        yield _("%(name)s has it.") % by
    if event.kind == EventKind.UPDATED and (update := readings.latest_update(incident)):
        yield " ".join(readings.manager_words(update))
    elif event.kind in (EventKind.CLOSED, EventKind.TAKEN_BACK):
        yield readings.ending(incident)
    elif event.kind == EventKind.CONTAINED and readings.bandage(incident):
        yield _("For now: %(what)s") % {"what": readings.sentence(readings.bandage(incident))}
    elif event.kind == EventKind.NOT_REACHED:
        yield _("%(name)s could not be reached.") % {"name": event.data.get("name", "")}
    elif event.words:
        yield readings.sentence(event.words)
    else:
        yield readings.sentence(readings.what(incident))
    if incident.next_update_due and incident.is_open and incident.next_update_due > now:
        yield _("Next word by %(time)s.") % {"time": moment(incident.next_update_due, now)}


def for_a_program(event: Event) -> dict[str, Any]:
    """The event as the API's timeline gives it, and the incident it is about as it is now."""
    incident = event.incident
    return {
        **EventSerializer(event).data,
        "incident": {
            "number": incident.number,
            "code": incident.code,
            "title": incident.title,
            "status": incident.status,
            "severity": incident.severity,
            "impact": incident.impact,
            "site": incident.site.code,
            "area": incident.area.code if incident.area else None,
            "line": incident.line.code if incident.line else None,
            "station": incident.station.code if incident.station else None,
            "system": incident.system.code if incident.system else None,
            "owner": incident.owner.username if incident.owner else None,
            "version": incident.version,
            "url": base_url() + incident.get_absolute_url(),
        },
    }
