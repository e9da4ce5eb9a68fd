"""Lines of the timeline that no person wrote: who could not be reached, who did not answer, what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from incidents.models import Event, EventKind, Incident
from plant.wording import moment, names, span

FEW = 4
"""Names in one line; more are counted."""


def asked_again(event: Event) -> str:
    """ "Tillery and Prewitt asked again for an answer." """
    people = [str(one.get("name", "")) for one in event.data.get("people", [])]
    said = _("No answer yet. %(people)s asked again.") % {"people": names(people, most=FEW)}
    late = event.data.get("late_s")
    if not late:
        return said
    return f"{said} {_('%(span)s late.') % {'span': span(timedelta(seconds=late))}}"


def not_answered(event: Event) -> str:
    """ "Jimenez has not answered since 14:05, asked 4 times. The next level is told now." """
    data = event.data
    said = _("%(name)s has not answered since %(since)s, asked %(times)s times.") % {
        "name": data.get("name", ""),
        "since": _moment(data.get("since"), event.at),
        "times": data.get("times", ""),
    }
    return f"{said} {_('The next level is told now.')}" if data.get("instead") == "level" else said


def not_reached(event: Event) -> str:
    """ "Vela could not be reached by SMS. Tried by email instead." """
    data = event.data
    said = _("%(name)s could not be reached by %(way)s.") % {
        "name": data.get("name", ""),
        "way": _way(data.get("tried")),
    }
    return f"{said} {instead(data, event.at)}".strip()


def resent(event: Event) -> str:
    """ "sent the message to Vela again, by SMS. The number was wrong" """
    said = _("sent the message to %(name)s again, by %(way)s.") % {
        "name": event.data.get("to", ""),
        "way": _way(event.data.get("way")),
    }
    return f"{said} {event.words}".strip()


WORDS: Mapping[EventKind, Callable[[Event], str]] = {
    EventKind.NOT_REACHED: not_reached,
    EventKind.NOT_ANSWERED: not_answered,
    EventKind.RESENT: resent,
}


def raised(incident: Incident) -> str:
    """Who raised it, when it was no person."""
    if incident.is_drill:
        return _("The practice begins.")
    return _("OpsDesk found this by itself.") if incident.is_own_trouble else _("Raised from a tablet.")


def instead(data: Mapping[str, Any], now: datetime) -> str:
    """What happened when somebody was not reached: `data` of the line, or what their message keeps."""
    what, until = data.get("instead"), _moment(data.get("until"), now)
    if what == "channel":
        return _("Tried by %(way)s instead.") % {"way": _way(data.get("channel"))}
    if what == "level" and until:
        return _("Alerts are paused: the next level is told %(time)s.") % {"time": until}
    if what == "level":
        return _("The next level is told now.")
    if what == "told":
        return _("The next level has been told already.")
    if what == "pause":
        return _("Alerts are paused until %(time)s, so nobody is told instead.") % {"time": until}
    if what == "person":
        return _("%(name)s is told instead.") % {"name": data.get("stand_in", "")}
    return _("Nobody else is there to be told.")


def _way(channel: Any) -> str:
    words = {"sms": _("SMS"), "email": _("email"), "push": _("push")}
    return words.get(str(channel), str(channel or ""))


def _moment(value: Any, now: datetime) -> str:
    at = parse_datetime(str(value)) if value else None
    return moment(at, now) if at is not None else ""
