"""The countermeasure board: to agree, promised, in place and proving, proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_safe
from django_stubs_ext import StrPromise

from countermeasures.board import Asked, Board, Column, board
from countermeasures.models import Kind
from escalation.views import live
from escalation.views.cards import Card, cards
from escalation.views.dashboard import site_of
from escalation.views.headline import Sentence, number
from incidents.permissions import Action, may_somewhere
from plant.models import Person, Site

TITLES: dict[str, tuple[StrPromise, StrPromise, StrPromise]] = {
    "agree": (
        gettext_lazy("To agree"),
        gettext_lazy("Needs an owner and a date"),
        gettext_lazy("Nothing waits for an owner."),
    ),
    "promised": (
        gettext_lazy("Promised"),
        gettext_lazy("Sorted by date, late first"),
        gettext_lazy("Nothing is promised."),
    ),
    "proving": (
        gettext_lazy("In place, proving"),
        gettext_lazy("Checked by someone else than the owner"),
        gettext_lazy("Nothing is being proved."),
    ),
    "proven": (
        gettext_lazy("Proven"),
        gettext_lazy("Last 14 days"),
        gettext_lazy("Nothing was proven in the last 14 days."),
    ),
}
"""Title of a column, the line below it, and what it says when it is empty."""

CHIPS: dict[str, StrPromise] = {
    "open": pgettext_lazy("countermeasures", "Open"),
    "late": gettext_lazy("Late"),
    "back": pgettext_lazy("countermeasures", "Came back"),
    "week": gettext_lazy("Due this week"),
    "ending": gettext_lazy("Ending soon"),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A column as it is drawn."""

    column: Column
    title: StrPromise
    about: StrPromise
    none: StrPromise
    cards: list[Card]
    more_address: str


@login_required
@require_safe
def countermeasures(request: HttpRequest) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    site, sites = site_of(request, person)
    asked = Asked.from_address(request.GET.dict())
    now = timezone.now()
    with timezone.override(site.tz):
        return live.show_unless_unchanged(
            request,
            "escalation/countermeasures.html",
            fragments=["countermeasures"],
            tag=lambda: live.site_tag(site, person, now),
            context=lambda: {"sites": sites, **_context(asked, site, person, now)},
        )


def _context(asked: Asked, site: Site, person: Person, now: datetime) -> dict[str, Any]:
    found = board(asked, site=site, person=person, now=now)
    return {
        "now": now,
        "site": site,
        "asked": asked,
        "headline": _headline(found),
        "chips": [
            (name, label, found.counts[name], asked.address(show=name, column=""))
            for name, label in CHIPS.items()
        ],
        "areas": list(site.areas.all()),
        "kinds": Kind.choices,
        "columns": _drawn(found, asked, person, now),
        "may_plan": may_somewhere(person, Action.PLAN, site),
        "is_empty": not any(column.found for column in found.columns),
    }


def _drawn(found: Board, asked: Asked, person: Person, now: datetime) -> list[Drawn]:
    """Every column with its cards; what they have in common is read once for all of them."""
    everything = cards([one for column in found.columns for one in column.found], now=now, reader=person)
    by_pk = {card.row.countermeasure.pk: card for card in everything}
    return [
        Drawn(
            column,
            *TITLES[column.name],
            cards=[by_pk[one.pk] for one in column.found],
            more_address=asked.address(column=column.name),
        )
        for column in found.columns
    ]


def _headline(found: Board) -> list[Sentence]:
    """Dates that slipped and problems that came back; else what is open, or that nothing is."""
    late, back, opened = found.counts["late"], found.came_back, found.counts["open"]
    said = []
    if late:
        text = ngettext("One date has slipped.", "%(count)s dates have slipped.", late)
        said.append(Sentence("late", text % {"count": number(late)}))
    if back:
        text = ngettext("One problem came back.", "%(count)s problems came back.", back)
        said.append(Sentence("loop", text % {"count": number(back)}))
    if said:
        return said
    if opened:
        return [Sentence("", _("Every date holds."))]
    return [Sentence("", _("No countermeasure is open."))]
