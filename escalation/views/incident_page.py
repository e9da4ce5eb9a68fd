"""The incident page: the three answers, the ladder, the countermeasures and everything that happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from countermeasures import workarounds
from countermeasures.models import Cause, Countermeasure, Gap, Kind, Stage
from countermeasures.offers import may_plan
from escalation import answering, ladder
from escalation.recent import with_roster
from escalation.views import again, helping, live, panel, proofs, storms
from escalation.views import timeline as timeline_of
from escalation.views.answers import answers
from escalation.views.buttons import buttons
from escalation.views.preview import preview_address
from escalation.views.touches import touches
from incidents import readings
from incidents.lifecycle.closing import FIX_FIRST, FLOOR_FIRST, what_is_missing
from incidents.models import Incident, Update
from incidents.permissions import Action, refuse_unless
from incidents.where import Place
from opsdesk.htmx import next_page
from plant.models import Person

PLACED = (Stage.IN_PLACE, Stage.CHECKING, Stage.EFFECTIVE)


@login_required
@require_safe
def incident(request: HttpRequest, number: str) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    found = Incident.objects.select_related("shelved_by", "floor_confirmed_by").numbered(number)
    refuse_unless(person, Action.ADD_WORDS, found)
    now = timezone.now()
    everything = "all" in request.GET
    with timezone.override(found.site.tz):
        return live.show_unless_unchanged(
            request,
            "escalation/incident.html",
            fragments=["incident-live"],
            tag=lambda: live.incident_tag(found, person, now),
            context=lambda: _context(found, person, now, everything=everything),
        )


@login_required
@require_POST
def seen(request: HttpRequest, number: str) -> HttpResponseBase:
    """ "I've seen it": answers every message about it that waits for this person. It stops no clock."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    found = Incident.objects.numbered(number)
    refuse_unless(person, Action.ADD_WORDS, found)
    answering.see(found, by=person)
    target = next_page(request) or found.get_absolute_url()
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)  # type: ignore[attr-defined]


def _context(found: Incident, person: Person, now: datetime, *, everything: bool) -> dict[str, Any]:
    of_incident = Countermeasure.objects.filter(incident=found).with_people().with_measurements()
    countermeasures = list(of_incident.order_by("id"))
    for one in countermeasures:
        one.incident = found
    updates = list(found.updates.select_related("by"))
    vars(found)["latest_update"] = updates[0] if updates else None
    vars(found)["bandages"] = [one for one in countermeasures if _is_worn(one)]
    missing = what_is_missing(found, by=person) if found.is_open else []
    downtimes = list(found.downtimes.select_related("line"))
    asked = answers([found])[found.pk]
    return {
        "incident": found,
        "now": now,
        "reading": readings.read(found, now=now),
        "technical": _technical(found, updates),
        "rows": proofs.rows(countermeasures, now=now, reader=person),
        "cause": Cause.objects.filter(incident=found).first(),
        "may_plan": may_plan(found, person),
        "missing": _with_links(found, missing) if found.is_moving else [],
        "photos": list(found.photos.all()),
        "touches": touches(found, downtimes, now),
        "family": again.linked(found),
        "elsewhere": again.where_else_of(countermeasures),
        "workarounds": [] if found.is_moving or found.is_drill else workarounds.of_incident(found, now=now),
        "buttons": buttons(
            found,
            person,
            now=now,
            is_asked=asked.waits_for(person),
            can_close=not missing,
            has_fix=any(one.kind == Kind.PERMANENT and one.stage in PLACED for one in countermeasures),
            line_is_stopped=any(downtime.ended_at is None for downtime in downtimes),
        ),
        **_told(found, person, now, everything=everything),
    }


def _with_links(found: Incident, missing: Sequence[str]) -> list[Gap]:
    """Each sentence with where it is done; the lifecycle knows the sentences, the screens the addresses."""
    known = {gap.sentence: gap.address for gap in found.countermeasures.gaps(found)}
    first = next(iter(known.values()), reverse("incident-resolve", args=[found.number]))
    known[str(FIX_FIRST)] = reverse("incident-resolve", args=[found.number]) if not known else first
    known[str(FLOOR_FIRST)] = reverse("incident-confirm", args=[found.number])
    return [Gap(sentence, known.get(sentence, "")) for sentence in missing]


@dataclass(frozen=True, slots=True)
class Technical:
    """A piece of technical detail; without `by` it came with the report."""

    text: str
    by: Person | None = None
    at: datetime | None = None


def _technical(found: Incident, updates: Sequence[Update]) -> list[Technical]:
    """All of it, newest first: one tap away and complete."""
    said = [Technical(one.technical.strip(), one.by, one.at) for one in updates if one.technical.strip()]
    return [*said, Technical(found.technical.strip())] if found.technical.strip() else said


def _is_worn(one: Countermeasure) -> bool:
    return one.kind == Kind.CONTAINMENT and one.removed_at is None and one.stage != Stage.WITHDRAWN


def _preview_of(found: Incident) -> str:
    """Who would be told from the start at its place, as bad as it is: all of the ladder, in its words."""
    place = {kind: getattr(found, kind) for kind in ("station", "line", "area", "system")}
    named = next(((kind, at) for kind, at in place.items() if at is not None), None)
    here = cast(Place, dict([named]) if named else {})
    return preview_address(here, site=found.site, category=found.category.code, impact=found.level)


def _told(found: Incident, person: Person, now: datetime, *, everything: bool) -> dict[str, Any]:
    """Who was told and comes next, and the newest of what happened with what was sent because of it."""
    drawn = with_roster(lambda book: ladder.for_incident(found, book, now, everything=everything), now)
    events = found.events.select_related("by").order_by("-at", "-pk")
    read = list(events if everything else events[: timeline_of.READ])
    lines = timeline_of.lines(found, read, [line.notification for line in drawn.told], now=now)
    return {
        "panel": panel.panel(found, drawn, reader=person, now=now),
        "goes_back": helping.goes_back(found, drawn.lapses_at, now),
        "helpers": helping.asked(read, [line.notification for line in drawn.told], now),
        "preview_url": _preview_of(found),
        "storms": storms.bands_about(found, now),
        "timeline": lines if everything else lines[: timeline_of.SHOWN],
        "has_more": not everything and (len(lines) > timeline_of.SHOWN or len(read) == timeline_of.READ),
    }
