"""What a problem cost: minutes that lines stood still, and the parts that were not built meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.models import Downtime, Incident
from plant.models import Line


@dataclass(frozen=True, slots=True)
class LineCost:
    """One line, all its stops together. `parts` is None when nobody told us the line's takt."""

    line: Line
    stood: timedelta
    is_running: bool
    parts: int | None


@dataclass(frozen=True, slots=True)
class Costs:
    """All lines. `parts` is None as soon as one line does not know its own: half a sum would be a lie."""

    lines: list[LineCost]

    @property
    def stood(self) -> timedelta:
        return sum((one.stood for one in self.lines), timedelta())

    @property
    def minutes(self) -> int:
        return round(self.stood / timedelta(minutes=1))

    @property
    def parts(self) -> int | None:
        known = [one.parts for one in self.lines if one.parts is not None]
        return sum(known) if self.lines and len(known) == len(self.lines) else None


def costs(incident: Incident, *, now: datetime) -> Costs:
    """From its stops; one that still lasts counts until now. One query."""
    return add_up(incident.downtimes.select_related("line").order_by("line__code", "started_at"), now=now)


def add_up(stops: Iterable[Downtime], *, now: datetime) -> Costs:
    """Parts are downtime over the line's takt: what it would have built at its usual pace."""
    by_line: dict[int, list[Downtime]] = {}
    for stop in stops:
        by_line.setdefault(stop.line_id, []).append(stop)
    return Costs([_of_line(stops_of_line, now) for stops_of_line in by_line.values()])


def _of_line(stops: list[Downtime], now: datetime) -> LineCost:
    line = stops[0].line
    stood = sum(((stop.ended_at or now) - stop.started_at for stop in stops), timedelta())
    parts = int(stood.total_seconds() // line.takt_seconds) if line.takt_seconds else None
    return LineCost(line, stood, any(stop.ended_at is None for stop in stops), parts)
