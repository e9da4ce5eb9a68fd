"""The managers' dashboard: the sentence on top, the lines, what needs you now, and what is in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from countermeasures.models import Countermeasure, Kind, Stage
from escalation import ladder
from escalation.recent import with_roster
from escalation.rounds.gap_ahead import AHEAD, Hole, holes
from escalation.views import headline, lines, live, proofs, storms
from escalation.views.answers import Answers, answers
from escalation.views.face import Face, face_of
from incidents import readings
from incidents.models import Incident, IncidentQuerySet, Severity, Status
from opsdesk.errors import NotAllowed
from plant.duty import DutyBook
from plant.models import Flow, Person, Site
from plant.permissions import may_change_roster
from plant.working_time import WorkingTime

READ = 120
"""Open incidents looked at, the most pressing first: more than anybody can act on; the list has the rest."""

NEEDS_SHOWN = 8
IN_HAND_SHOWN = 8
SIDE_SHOWN = 5
SIDE_READ = 100
ENDS_SOON = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Row:
    """An open incident. `ask`: what its owner needs; `waits_for_you`: a message wants the reader's answer."""

    incident: Incident
    what: str
    doing: str
    ask: str
    asked_by: str
    face: Face | None
    not_answered: str
    waits_for_you: bool


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    site, sites = site_of(request, person)
    now = timezone.now()
    with timezone.override(site.tz):
        return live.show_unless_unchanged(
            request,
            "escalation/dashboard.html",
            fragments=["dashboard"],
            tag=lambda: live.site_tag(site, person, now),
            context=lambda: {
                "site": site,
                "sites": sites,
                **with_roster(lambda book: _context(site, person, now, book), now),
            },
        )


def site_of(request: HttpRequest, person: Person) -> tuple[Site, list[Site]]:
    """The site asked for, else the person's own; with all that they may switch to."""
    found = Site.objects.all() if person.is_corporate else Site.objects.filter(pk__in=person.site_ids)
    sites = list(found)
    if not sites:
        raise NotAllowed("no_site", _("You do not work for any site yet. Ask an IT manager."))
    wanted = request.GET.get("site", "").upper()
    asked = [site for site in sites if site.code == wanted]
    own = [site for site in sites if site.pk == person.site_id]
    return (asked or own or sites)[0], sites


def _context(site: Site, person: Person, now: datetime, book: DutyBook) -> dict[str, Any]:
    found = list(_open(site)[:READ])
    for incident in found:
        incident.site = site
    readings.attach(found)
    asked = answers(found)
    needs = [
        incident for incident in found if _needs_somebody(incident, asked[incident.pk].waits_for(person), now)
    ]
    in_hand = [incident for incident in found if incident not in needs]
    shown = [*needs[:NEEDS_SHOWN], *in_hand[:IN_HAND_SHOWN]]
    steps = ladder.next_steps(shown, book, now)
    rows = {i.pk: _row(i, steps.get(i.pk), asked[i.pk], person, now) for i in shown}
    cells, side, trucks = lines.strip(site, found, now), _side(site, now), _trucks(found)
    unsafe = [incident for incident in found if incident.is_safety and not incident.is_moving]
    problems = [incident for incident in needs if not incident.is_drill]
    return {
        "now": now,
        "shift": _shift(site, book, now),
        "headline": headline.sentences(
            cells, unsafe=unsafe, trucks=trucks, late=len(side["late"]), needs=len(problems)
        ),
        "bands": storms.bands_at(site, now),
        "cells": cells,
        "needs": [rows[incident.pk] for incident in needs[:NEEDS_SHOWN]],
        "needs_count": len(needs),
        "in_hand": [rows[incident.pk] for incident in in_hand[:IN_HAND_SHOWN]],
        "open_count": len(found) if len(found) < READ else _open(site).count(),
        "trucks": trucks[:SIDE_SHOWN],
        "gaps": _gaps(site, person, now, book),
        **side,
    }


def _open(site: Site) -> IncidentQuerySet:
    return Incident.objects.open().at_site(site).with_shared_places().by_cover_left()


def _needs_somebody(incident: Incident, waits_for_you: bool, now: datetime) -> bool:
    """Product is not moving, somebody asks for something, nobody has it, or a message waits for an answer."""
    if incident.is_drill:
        return waits_for_you
    if waits_for_you or _need(incident):
        return True
    if incident.is_shelved(now):
        return False
    return incident.severity in (Severity.S1, Severity.S2) and not incident.is_moving


def _need(incident: Incident) -> str:
    """What the last word asks for; empty when it asks for nothing or is about an earlier time."""
    last = readings.news(incident)
    return readings.sentence(last.needs) if last and readings.needs_something(last.needs) else ""


def _row(
    incident: Incident,
    step: ladder.NextStep | None,
    asked: Answers,
    person: Person,
    now: datetime,
) -> Row:
    last = readings.news(incident)
    return Row(
        incident=incident,
        what=readings.sentence(readings.title(incident) if incident.is_drill else readings.what(incident)),
        doing=readings.doing(incident, now=now),
        ask=_need(incident),
        asked_by=last.by.get_short_name() if last else "",
        face=face_of(incident, step, now=now, reader=person),
        not_answered="" if incident.is_drill else asked.not_yet(person),
        waits_for_you=asked.waits_for(person),
    )


def _trucks(found: Sequence[Incident]) -> list[Incident]:
    """What could leave or arrive late: shipping and receiving that is not moving, by cover left."""
    return [
        incident
        for incident in found
        if incident.flow in (Flow.SHIPPING, Flow.RECEIVING)
        and not incident.is_moving
        and not incident.is_drill
        and (incident.cover_until is not None or incident.severity in (Severity.S1, Severity.S2))
    ]


def _side(site: Site, now: datetime) -> dict[str, list[proofs.Row]]:
    """Bandages that end soon, dates that have passed, and what is being proved: told apart, then read.

    Two queries: of the many that are told apart, few are shown.
    """
    today = now.astimezone(site.tz).date()
    ending = Q(kind=Kind.CONTAINMENT, removed_at=None, expires_on__lte=today + ENDS_SOON)
    late = Q(stage__in=[Stage.PLANNED, Stage.IN_WORK], due_on__lt=today)
    found = (
        Countermeasure.objects.filter(ending | late | Q(stage=Stage.CHECKING))
        .filter(incident__site=site, incident__is_drill=False)
        .exclude(incident__status=Status.CLOSED)
        .exclude(stage=Stage.WITHDRAWN)
        .only("kind", "stage", "removed_at", "expires_on")
        .order_by("expires_on", "due_on", "checking_from")[:SIDE_READ]
    )
    side: dict[str, list[int]] = {"ending": [], "late": [], "proving": []}
    for one in found:
        side[_side_of(one, today)].append(one.pk)
    shown = {name: pks[:SIDE_SHOWN] for name, pks in side.items()}
    known = Countermeasure.objects.for_cards().in_bulk([pk for pks in shown.values() for pk in pks])
    return {
        name: proofs.rows([known[pk] for pk in pks if pk in known], now=now) for name, pks in shown.items()
    }


def _side_of(one: Countermeasure, today: date) -> str:
    """A bandage that is on is about its end, whatever day was promised for it."""
    is_worn = one.kind == Kind.CONTAINMENT and one.removed_at is None
    if is_worn and one.expires_on is not None and one.expires_on <= today + ENDS_SOON:
        return "ending"
    return "proving" if one.stage == Stage.CHECKING else "late"


def _gaps(site: Site, person: Person, now: datetime, book: DutyBook) -> list[Hole]:
    """Where nobody will be on shift within half a day, for who can mend it: the same as is sent to them."""
    if not may_change_roster(person, site):
        return []
    found = holes(WorkingTime.load(book), site, list(site.areas.select_related("site")), now)
    return [hole for hole in found if now < hole.starts_at <= now + AHEAD]


def _shift(site: Site, book: DutyBook, now: datetime) -> str:
    """The name of the shift that is on, in the first area where somebody works; empty when nobody does."""
    for area in site.areas.all():
        span = book.shift_at(area, now)
        if span is not None:
            return span.name
    return ""
