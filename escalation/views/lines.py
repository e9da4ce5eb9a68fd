"""The lines strip of the dashboard: one cell per line, quiet unless it has something to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from incidents import readings
from incidents.models import Downtime, Incident, Severity, Status
from plant.models import Criticality, Flow, Line, LineKind, Site
from plant.wording import moment, span

BAR = timedelta(hours=8)
"""How far back the bar under each line looks."""

LONGEST_STOP = timedelta(days=2)
"""A stop that ended within the bar is found when it began at most this long before the bar."""

MOST = 24
"""Cells at most: abnormal lines always come first when there are more."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the bar: `kind` d (stood still) or r (ran at risk); position and width in hundredths."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Cell:
    """`state` is that of the stylesheet: down, risk, work or run; `glyph` the shape beside the word."""

    line: Line
    state: str
    glyph: str
    word: str
    note: str = ""
    incident: Incident | None = None
    bar: list[Stretch] = field(default_factory=list)


def strip(site: Site, pressing: Sequence[Incident], now: datetime) -> list[Cell]:
    """The cells of a site in four queries, in the order of the line codes.

    `pressing`: its open incidents as the dashboard reads them, the most pressing first.
    """
    lines = list(Line.objects.filter(area__site=site).order_by("code"))
    real = [one for one in pressing if one.line_id and not one.is_drill]
    worst = _worst(real)
    stopped, bars = _history(site, [line.pk for line in lines], real, now)
    cells = [
        _cell(line, worst.get(line.pk), stopped.get(line.pk), bars.get(line.pk, []), now) for line in lines
    ]
    shown = [cell for cell in cells if _is_worth_showing(cell)]
    if len(shown) > MOST:
        shown = sorted(shown, key=lambda cell: cell.state == "run")[:MOST]
        shown.sort(key=lambda cell: cell.line.code)
    return shown


def _is_worth_showing(cell: Cell) -> bool:
    if cell.state != "run":
        return True
    return cell.line.kind != LineKind.INFRASTRUCTURE and cell.line.criticality != Criticality.C


def _worst(pressing: Iterable[Incident]) -> dict[int, Incident]:
    """The open incident that hurts each line most: not moving before moving, then severity, then age."""
    worst: dict[int, Incident] = {}
    for incident in sorted(pressing, key=lambda one: (one.is_moving, one.severity, one.raised_at)):
        worst.setdefault(incident.line_id or 0, incident)
    return worst


def _history(
    site: Site, line_ids: Sequence[int], pressing: Iterable[Incident], now: datetime
) -> tuple[dict[int, datetime], dict[int, list[Stretch]]]:
    """Since when each line stands still now, and the bar of each line over the last eight hours."""
    since = now - BAR
    stopped: dict[int, datetime] = {}
    bars: dict[int, list[Stretch]] = {}
    for incident in [*(one for one in pressing if one.severity == Severity.S2), *_closed(site, since)]:
        end = incident.contained_at or incident.closed_at or now
        _add(bars, incident.line_id or 0, _stretch("r", incident.raised_at, end, since, now))
    for downtime in _downtimes(line_ids, since):
        if downtime.ended_at is None:
            first = stopped.get(downtime.line_id, downtime.started_at)
            stopped[downtime.line_id] = min(first, downtime.started_at)
        end = downtime.ended_at or now
        _add(bars, downtime.line_id, _stretch("d", downtime.started_at, end, since, now))
    return stopped, bars


def _add(bars: dict[int, list[Stretch]], line_id: int, stretch: Stretch | None) -> None:
    if stretch is not None:
        bars.setdefault(line_id, []).append(stretch)


def _closed(site: Site, since: datetime) -> Iterable[Incident]:
    """What was at risk and is over, all within the bar."""
    return (
        Incident.objects.at_site(site)
        .filter(raised_at__gt=since, status=Status.CLOSED, severity=Severity.S2)
        .filter(line__isnull=False, is_drill=False)
        .only("line_id", "raised_at", "contained_at", "closed_at")[:200]
    )


def _downtimes(line_ids: Sequence[int], since: datetime) -> Iterable[Downtime]:
    """Stops that go on, and those that ended within the bar. Two queries, so that each finds its index."""
    of_lines = Downtime.objects.filter(line__in=line_ids, incident__is_drill=False)
    ended = of_lines.filter(started_at__gt=since - LONGEST_STOP, ended_at__gt=since)
    return [*ended[:300], *of_lines.filter(ended_at=None)[:100]]


def _stretch(kind: str, start: datetime, end: datetime, since: datetime, now: datetime) -> Stretch | None:
    """Where the time from `start` to `end` lies in the bar; at least one hundredth wide so that it shows."""
    start, end = max(start, since), min(end, now)
    if end < start:
        return None
    x = 100 * ((start - since) / BAR)
    width = max(1.0, 100 * ((end - start) / BAR))
    return Stretch(kind, round(min(x, 99.0), 1), round(width, 1))


def _cell(
    line: Line,
    incident: Incident | None,
    stopped_at: datetime | None,
    bar: list[Stretch],
    now: datetime,
) -> Cell:
    """What a line says of itself: how long it stands still, what is at risk, or that it is running."""
    note = readings.what(incident) if incident else ""
    if stopped_at is not None:
        word = _("Down %(span)s") % {"span": span(now - stopped_at)}
        return Cell(line, "down", "down", word, note, incident, bar)
    if incident is None:
        return Cell(line, "run", "", _("Running"), bar=bar)
    state, glyph, word = _state(incident, now)
    return Cell(line, state, glyph, word, "" if state == "run" else note, incident, bar)


def _state(incident: Incident, now: datetime) -> tuple[str, str, str]:
    """(state, glyph, word) of a line that has an open incident but does not stand still."""
    if incident.is_moving:
        if incident.status == Status.CONTAINED:
            return "work", "work", _("Workaround")
        return "run", "", _("Running")
    if incident.is_safety:
        return "risk", "s", _("Safety")
    if incident.severity in (Severity.S1, Severity.S2):
        if incident.cover_until and incident.cover_until > now and not Flow(incident.flow).is_materials:
            return "risk", "risk", _("Starves %(time)s") % {"time": moment(incident.cover_until, now)}
        return "risk", "risk", _("Slow, %(span)s") % {"span": span(now - incident.troubled_since)}
    if incident.severity == Severity.S3:
        return "work", "work", _("Workaround")
    return "run", "", _("Running")
