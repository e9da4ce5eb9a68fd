"""What an incident touches: how long production holds out, what has stood still, which flow is hit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from incidents.models import Downtime, Incident
from plant.models import Flow
from plant.wording import moment, span


@dataclass(frozen=True, slots=True)
class Touch:
    """One row: an icon, what is touched, the figure, and a sentence below."""

    icon: str
    what: str
    figure: str
    more: str = ""


def touches(incident: Incident, downtimes: Iterable[Downtime], now: datetime) -> list[Touch]:
    """Only what is known: nothing is guessed."""
    return [
        *_cover(incident, now),
        *_stood_still(list(downtimes), now),
        *_flow(incident),
        *_system(incident),
    ]


def _cover(incident: Incident, now: datetime) -> Iterable[Touch]:
    until, line = incident.cover_until, incident.line
    if until is not None:
        figure = moment(until, now)
        if Flow(incident.flow).is_materials:
            yield Touch("truck", _("Cover left"), figure, _("After that a truck or a delivery is late."))
        else:
            more = _("Runs out then.") if until > now else _("Ran out then.")
            yield Touch("hourglass", str(line or incident.place), figure, more)
    elif line is not None and line.buffer_minutes is not None:
        left = span(timedelta(minutes=line.buffer_minutes))
        yield Touch("hourglass", str(line), left, _("Production lasts that long without it."))


def _stood_still(downtimes: list[Downtime], now: datetime) -> Iterable[Touch]:
    """One row per line: the sum of its stops, and whether it stands still now."""
    by_line: dict[str, list[Downtime]] = {}
    for downtime in downtimes:
        by_line.setdefault(str(downtime.line), []).append(downtime)
    for line, stops in by_line.items():
        whole = sum(((d.ended_at or now) - d.started_at for d in stops), timedelta())
        running = [d for d in stops if d.ended_at is None]
        if running:
            more = _("Stands still since %(time)s.") % {"time": moment(running[0].started_at, now)}
        else:
            last = max(d.ended_at for d in stops if d.ended_at)
            more = _("Runs again since %(time)s.") % {"time": moment(last, now)}
        yield Touch("stop" if running else "lines", line, span(whole), more)


def _flow(incident: Incident) -> Iterable[Touch]:
    flow = Flow(incident.flow)
    if flow != Flow.PRODUCTION:
        yield Touch("truck" if flow.is_materials else "box", str(flow.label), "", "")


def _system(incident: Incident) -> Iterable[Touch]:
    if incident.system is not None:
        name = incident.system.plain_name
        yield Touch("server", name[:1].upper() + name[1:], "", incident.system.if_down)
