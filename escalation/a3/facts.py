"""What the one-page report says about an incident. Texts are limited, so that the page has an end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from countermeasures.costs import Costs, costs
from countermeasures.models import Cause, Countermeasure, Elsewhere, Kind, Stage
from escalation.views import proofs, timeline
from incidents import readings
from incidents.models import Event, EventKind, Incident, Photo
from plant.models import Person

LONG, MIDDLE, SHORT = 420, 240, 130
"""Characters of a text, of one that has others beside it, and of a line of a list. The rest is in OpsDesk."""

WHYS = 7
BANDAGES = 3
FIXES = 5
EVENTS = 12
PHOTOS = 3
TEAM = 12
PLACES = 8

TOLD = frozenset(
    {
        EventKind.RAISED,
        EventKind.ACKNOWLEDGED,
        EventKind.ARRIVED,
        EventKind.LINE_STOPPED,
        EventKind.LINE_RUNNING,
        EventKind.CONTAINED,
        EventKind.RESOLVED,
        EventKind.REOPENED,
        EventKind.SEVERITY_CHANGED,
        EventKind.FLOOR_CONFIRMED,
        EventKind.NO_FIX_ACCEPTED,
        EventKind.CLOSED,
    }
)
IN = (Stage.IN_PLACE, Stage.CHECKING, Stage.EFFECTIVE)

DID = frozenset({"in_place", "effective", "not_effective", "waived", "taken_off"})
"""What a customer wants to read of the timeline; who was told by which message is not part of it."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A countermeasure with its texts cut to what fits."""

    row: proofs.Row
    what: str
    evidence: str
    measured: str
    metric: str
    held: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the condensed timeline; `left_out` stands for so many lines instead."""

    at: datetime | None
    text: str
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who says so. Without a name it is a line to sign on."""

    what: str
    name: str
    at: datetime | None


def facts(incident: Incident, *, now: datetime, counted_parts: int | None = None) -> dict[str, Any]:
    """Everything the page shows. `counted_parts`: what somebody counted, instead of the sum."""
    found = list(Countermeasure.objects.filter(incident=incident).with_people().order_by("id"))
    for one in found:
        one.incident = incident
    cause = Cause.objects.filter(incident=incident).first()
    kept = [one for one in found if one.stage != Stage.WITHDRAWN]
    bandages = [one for one in kept if one.kind == Kind.CONTAINMENT]
    all_fixes = [one for one in kept if one.kind != Kind.CONTAINMENT]
    fixes = _furthest(all_fixes, FIXES)
    cost = costs(incident, now=now)
    events = list(incident.events.select_related("by").order_by("at", "pk"))
    return {
        "incident": incident,
        "now": now,
        "problem": cut(incident.words or readings.title(incident), LONG),
        "title": cut(readings.title(incident), SHORT),
        "bandages": _rows(_newest(bandages, BANDAGES), now),
        "fixes": _rows([one for one in fixes if one.kind == Kind.PERMANENT], now),
        "preventive": _rows([one for one in fixes if one.kind == Kind.PREVENTIVE], now),
        "more_fixes": len(all_fixes) - len(fixes),
        "elsewhere": _elsewhere(fixes),
        "whys": [cut(why, SHORT) for why in (cause.five_whys[:WHYS] if cause else [])],
        "root_cause": cut(cause.root_cause, MIDDLE) if cause else "",
        "system_part": cut(cause.made_easy, SHORT) if cause else "",
        "escape_cause": cut(cause.escape_cause, MIDDLE) if cause else "",
        "costs": cost,
        "parts": _parts(cost, counted_parts),
        "moments": _condensed(incident, events, now),
        "team": _team(incident, found, events),
        "signed": _signed(incident, found),
    }


def photos_of(incident: Incident) -> list[Photo]:
    """The first ones: they show the problem as it was found."""
    return list(incident.photos.all()[:PHOTOS])


def cut(text: str, limit: int) -> str:
    """On one line, with an ellipsis at the end of a word when it is longer."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    short = Truncator(line).chars(limit)
    return short if " " not in short else short[: short.rindex(" ")].rstrip(",;:.") + "…"


def _elsewhere(found: Sequence[Countermeasure]) -> list[str]:
    """ "Door Panel Line D2, Label & pack: Done here"; of very many the first."""
    rows = Elsewhere.objects.filter(countermeasure__in=found).select_related("station__line")
    said = [f"{row.station.line}, {row.station}: {row.get_answer_display()}" for row in rows[:PLACES]]
    return [cut(one, SHORT) for one in said]


def _newest(found: Sequence[Countermeasure], limit: int) -> list[Countermeasure]:
    return list(found[-limit:])


def _furthest(found: Sequence[Countermeasure], limit: int) -> list[Countermeasure]:
    """Of very many those that are in, then what was tried or is promised, newest; in the order they came."""
    ranked = sorted(found, key=lambda one: (one.stage not in IN, one.stage == Stage.PLANNED, -one.pk))
    return sorted(ranked[:limit], key=lambda one: one.pk)


def _rows(found: Iterable[Countermeasure], now: datetime) -> list[Fix]:
    return [_fix(one, now) for one in found]


def _fix(one: Countermeasure, now: datetime) -> Fix:
    return Fix(
        row=proofs.row(one, now=now),
        what=cut(one.what, MIDDLE),
        evidence=cut(one.evidence, SHORT) if one.evidence != one.what else "",
        measured=cut(one.measured, SHORT),
        metric=cut(_metric(one), SHORT + 40),
        held=_held(one, now),
    )


def _metric(one: Countermeasure) -> str:
    """ "Label queue stops: 3 a week before, none wanted" """
    if not one.metric:
        return ""
    wanted = _("wanted: %(target)s") % {"target": one.target} if one.target else ""
    before = _("before: %(baseline)s") % {"baseline": one.baseline} if one.baseline else ""
    said = ", ".join(filter(None, [before, wanted]))
    return f"{one.metric} ({said})" if said else one.metric


def _held(one: Countermeasure, now: datetime) -> str:
    if one.checking_from is None or not one.window_days:
        return ""
    return _("%(days)s of %(window)s days") % {"days": one.days_proved(now), "window": one.window_days}


def _parts(cost: Costs, counted: int | None) -> str:
    """Parts that were not built, and how we know; honest when nobody knows."""
    if counted is not None:
        return _("%(n)s parts not built, as counted") % {"n": counted}
    if not cost.lines:
        return ""
    if cost.parts is None:
        return _("parts not built: not known, the takt of the line is not set")
    return _("about %(n)s parts not built, at the takt of the line") % {"n": cost.parts}


def _condensed(incident: Incident, events: Sequence[Event], now: datetime) -> list[Moment]:
    """The turning points, oldest first; of very many the first and the last."""
    told = [event for event in events if _is_told(event)]
    drawn = timeline.lines(incident, list(reversed(told)), [], now=now)[::-1]
    said = [Moment(line.at, cut(f"{line.who} {line.text}".strip(), SHORT)) for line in drawn]
    if len(said) <= EVENTS:
        return said
    first, last = EVENTS // 3, EVENTS - EVENTS // 3 - 1
    return [*said[:first], Moment(None, "", len(said) - first - last), *said[-last:]]


def _is_told(event: Event) -> bool:
    if event.kind == EventKind.COUNTERMEASURE:
        return event.data.get("did") in DID
    return event.kind in TOLD


def _team(incident: Incident, found: Iterable[Countermeasure], events: Iterable[Event]) -> list[Person]:
    """The owner first, then everybody who did, checked or confirmed something; each once."""
    people = [incident.owner, incident.raised_by, incident.floor_confirmed_by]
    for one in found:
        people += [one.owner, one.checked_by or one.checker]
    people += [event.by for event in events if event.kind in TOLD]
    return list({person.pk: person for person in people if person is not None}.values())[:TEAM]


def _signed(incident: Incident, found: Iterable[Countermeasure]) -> list[SignOff]:
    """Containment, fix, proof, floor, end: who stands for each, with the day; or a line to sign on."""
    is_in = [one for one in found if one.kind == Kind.PERMANENT and one.stage in IN]
    placed = is_in[-1] if is_in else None
    proved = placed if placed and placed.stage == Stage.EFFECTIVE else None
    closer = incident.closed_agreed_by or incident.no_fix_accepted_by or incident.floor_confirmed_by
    return [
        _sign(_("Product moving"), incident.owner if incident.contained_at else None, incident.contained_at),
        _sign(_("Fix in place"), placed.owner if placed else None, placed.in_place_at if placed else None),
        _sign(_("Proved by"), proved.checked_by if proved else None, proved.checked_at if proved else None),
        _sign(_("Floor confirms"), incident.floor_confirmed_by, incident.floor_confirmed_at),
        _sign(_("Closed"), closer if incident.closed_at else None, incident.closed_at),
    ]


def _sign(what: str, person: Person | None, at: datetime | None) -> SignOff:
    return SignOff(what, person.name if person else "", at if person else None)
