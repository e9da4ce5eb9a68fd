"""What a room reads and what a program gets about one event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.template.loader import get_template
from django.utils import timezone
from django.utils.translation import override

from escalation.messages import base_url
from incidents import readings
from incidents.models import Event, EventKind, Incident
from incidents.serializers import EventSerializer
from plant.wording import moment, names

MOST_NAMES = 6


def for_a_room(event: Event, language: str, now: datetime) -> tuple[str, str]:
    """Title and text: what happened, where, and the page; in plain words and the room's language."""
    with override(language), timezone.override(event.incident.site.tz):
        return _said("event", _facts(event, event.incident, now))


def for_a_test(name: str, language: str) -> tuple[str, str]:
    with override(language):
        return _said("test", {"name": name})


def _said(template: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    """The first line of `templates/messages/chat/<template>.txt`, and the others."""
    text = get_template(f"messages/chat/{template}.txt").render(dict(facts))
    title, *lines = filter(None, (line.strip() for line in text.splitlines()))
    return title, "\n".join(lines)


def _facts(event: Event, incident: Incident, now: datetime) -> dict[str, Any]:
    """What may have to be looked up is a function: the template calls it only where it says it."""
    due = incident.next_update_due
    told = [one.get("name", "") for one in event.data.get("people", [])]
    says_how_it_is = event.kind in (EventKind.RAISED, EventKind.TOLD, EventKind.REOPENED)
    return {
        "kind": event.kind,
        "code": incident.code,
        "state": readings.state(incident) if says_how_it_is else event.get_kind_display(),
        "where": incident.where,
        "told": names(told, most=MOST_NAMES),
        "by": event.by.name if event.by else "",
        "about": event.data.get("name", ""),
        "news": partial(_news, incident),
        "ending": partial(readings.ending, incident),
        "bandage": lambda: readings.sentence(readings.bandage(incident)),
        "words": readings.sentence(event.words),
        "problem": readings.sentence(readings.what(incident)),
        "next_word": moment(due, now) if due and incident.is_open and due > now else "",
        "link": base_url() + incident.get_absolute_url(),
    }


def _news(incident: Incident) -> str:
    update = readings.latest_update(incident)
    return " ".join(readings.manager_words(update)) if update else ""


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
