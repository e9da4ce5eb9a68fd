"""Try it out: who would be told at a place and a moment, when, how and in which words. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from escalation import wording
from escalation.foresight import KNOWS_AHEAD
from escalation.preview import PreviewPerson, PreviewStep, preview, told_at_once
from escalation.sample import Letter, letters, sample_incident
from escalation.steps import CAN_TAKE, CLOSURE, CONTAINMENT, RESPONSE, UPDATE
from escalation.wording import role_name
from incidents import where as places
from incidents.models import Category, Impact
from opsdesk.errors import Invalid
from opsdesk.htmx import show
from plant.duty import DutyBook
from plant.models import Area, Line, Person, Site, Station, System
from plant.permissions import may_read_roster
from plant.roster_forms import WallTimeField
from plant.views.places import Where, where_of

FARTHEST = timedelta(days=366)

IF = {
    RESPONSE: _("If nobody takes it"),
    CONTAINMENT: _("If somebody takes it, and product does not move"),
    UPDATE: _("If whoever has it says nothing new"),
    CLOSURE: _("As long as it is not closed"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is tried out. `where` and `category` are as the address has them."""

    where: str
    place: places.Place
    category: Category
    impact: Impact
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """A step with its words."""

    step: PreviewStep
    after: timedelta
    letters: list[Letter]
    goes_up: bool
    """Nobody on shift is in it, and a step follows that goes out with it."""

    @property
    def is_at_once(self) -> bool:
        return self.after < timedelta(minutes=1)

    @property
    def waits(self) -> str:
        """ "Waits until Mon 10 Nov 05:00 (weekend)"; empty when it does not wait."""
        if not self.step.waits_for:
            return ""
        said = wording.waits_until(self.step.due_at, self.step.waits_for)
        return said[:1].upper() + said[1:]

    @property
    def told(self) -> list[tuple[PreviewPerson, str]]:
        """Everybody with what they are told as."""
        return [(one, role_name(one.role)) for one in self.step.people]


@dataclass(frozen=True, slots=True)
class Part:
    """A clock: what has to stay undone for its steps to come."""

    title: str
    steps: list[Shown]


@login_required
@never_cache
@require_safe
def policy_preview(request: HttpRequest) -> HttpResponse:
    """Everybody of the site may look. The same queries whatever is asked."""
    where = where_of(request)
    now = timezone.now()
    with timezone.override(where.site.tz):
        lines = list(Line.objects.filter(area__in=where.areas).select_related("area__site"))
        stations = list(Station.objects.filter(line__in=lines))
        categories = list(Category.objects.all())
        asked = _asked(request, where, categories, now)
        context = {
            "where": where,
            "asked": asked,
            "groups": _groups(where, lines, stations),
            "systems": System.objects.filter(site=None) | System.objects.filter(site=where.site),
            "categories": categories,
            "impacts": Impact,
            "at_value": WallTimeField().prepare_value(asked.at if asked else now),
            "now": now,
            "reads_policies": may_read_roster(where.person, where.site),
            **(_answer(asked, where) if asked else {}),
        }
        return show(request, "escalation/preview.html", context, fragments=("answer",))


def preview_address(place: places.Place, *, site: Site, category: str, impact: str) -> str:
    """This screen, asked about a place, a category and an impact."""
    asked = {"site": site.code, "category": category, "impact": impact}
    if place:
        asked["where"] = places.tile_of(place).value
    return f"{reverse('policy-preview')}?{urlencode(asked)}"


def _groups(
    where: Where, lines: Sequence[Line], stations: Sequence[Station]
) -> list[tuple[Area, list[tuple[Line, list[Station]]]]]:
    """Areas with their lines with their stations, to choose from."""
    of_line: dict[int, list[Station]] = {}
    for station in stations:
        of_line.setdefault(station.line_id, []).append(station)
    return [
        (area, [(line, of_line.get(line.pk, [])) for line in lines if line.area_id == area.pk])
        for area in where.areas
    ]


# --- what is asked ---


def _asked(request: HttpRequest, where: Where, categories: Sequence[Category], now: datetime) -> Asked | None:
    """None until a place is chosen; what is left out is a stopped line, the first category, and now."""
    chosen = request.GET.get("where", "")
    if not chosen or not categories:
        return None
    try:
        place = places.resolve(chosen, site=where.site)
    except Invalid:
        return None
    code, impact = request.GET.get("category", ""), request.GET.get("impact", "")
    at = _moment(request.GET.get("at", ""), now)
    return Asked(
        chosen,
        place,
        next((one for one in categories if one.code == code), categories[0]),
        Impact(impact) if impact in Impact.values else Impact.STOPPED,
        at or now.replace(second=0, microsecond=0),
    )


def _moment(text: str, now: datetime) -> datetime | None:
    """The moment by the plant's clock; None for now, for nonsense and for another year."""
    try:
        at = WallTimeField(required=False).clean(text)
    except ValidationError:
        return None
    return at if at and abs(at - now) <= FARTHEST else None


# --- what would happen ---


def _answer(asked: Asked, where: Where) -> dict[str, Any]:
    place = _told_about(asked.place, where.site)
    book = DutyBook.load(asked.at, until=asked.at + KNOWS_AHEAD)
    steps = preview(place, asked.category, asked.impact, asked.at, book=book)
    return {
        "at_once": [one.person for one in told_at_once(steps, asked.at)],
        "parts": _parts(asked, where.site, steps),
        "gaps": list(dict.fromkeys(gap for step in steps if step.at <= asked.at for gap in step.gaps)),
    }


def _told_about(place: places.Place, site: Site) -> Station | Line | Area | Site:
    """The place whose people are told; of a system, those of the site it is asked for."""
    return place.get("station") or place.get("line") or place.get("area") or site


def _parts(asked: Asked, site: Site, steps: Sequence[PreviewStep]) -> list[Part]:
    about = sample_incident(asked.place, site=site, category=asked.category, impact=asked.impact, at=asked.at)
    owner = _who_takes_it(steps)
    return [
        Part(
            str(title),
            [
                Shown(
                    step, step.at - asked.at, letters(step, about, steps, owner=owner), _goes_up(step, steps)
                )
                for step in steps
                if step.clock == clock
            ],
        )
        for clock, title in IF.items()
    ]


def _goes_up(step: PreviewStep, steps: Sequence[PreviewStep]) -> bool:
    follows = any(one.clock == step.clock and one.step == step.step + 1 for one in steps)
    return step.goes_up and not step.is_repeat and follows


def _who_takes_it(steps: Sequence[PreviewStep]) -> Person | None:
    """The first who is told and could take it: the words of the later clocks need somebody who did."""
    told = [one for step in steps if step.clock == RESPONSE for one in step.people]
    return next((one.person for one in told if one.role in CAN_TAKE), told[0].person if told else None)
