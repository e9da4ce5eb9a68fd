"""Two people swap shifts: first who, then which of their shifts. Two lists to tap, no dragging."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from opsdesk.errors import Refused
from opsdesk.htmx import next_page, show
from plant import lifecycle
from plant.duty import DutyBook
from plant.lifecycle import ShiftTime
from plant.models import Cover, CoverKind, Person, Site
from plant.permissions import refuse_roster_change
from plant.reach_warnings import warn_about
from plant.roster.doubts import Doubt, doubts_about
from plant.roster.turns import Turns
from plant.roster_forms import SwapChoiceForm, SwapForm
from plant.rotation import ONE_DAY
from plant.views.cover import week_address
from plant.views.places import where_of
from plant.visibility import people_of_site
from plant.wording import moment

LOOKS_AHEAD = timedelta(days=28)
Choices = dict[str, ShiftTime]
"""What is posted for a shift, the second it starts, and when it is."""


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def swap(request: HttpRequest) -> HttpResponseBase:
    """``?first=`` and ``?second=`` name the people; their shifts of the next four weeks are then offered."""
    where = where_of(request)
    refuse_roster_change(where.person, at=where.site)
    with timezone.override(where.site.tz):
        asked = request.GET if "first" in request.GET and "second" in request.GET else None
        choice = SwapChoiceForm(asked, people=people_of_site(where.site))
        if asked is None or not choice.is_valid():
            return _page(request, where.site, choice)
        people = choice.cleaned_data["first"], choice.cleaned_data["second"]
        offers = _offers(*people)
        form = SwapForm(
            request.POST or None,
            first=_said(offers[0]),
            second=_said(offers[1]),
            names=(str(people[0]), str(people[1])),
        )
        if request.method == "POST" and form.is_valid():
            return _swap(request, where.site, choice, form, people, offers)
        return _page(request, where.site, choice, form, status=400 if form.errors else 200)


def _swap(
    request: HttpRequest,
    site: Site,
    choice: SwapChoiceForm,
    form: SwapForm,
    people: tuple[Person, Person],
    offers: tuple[Choices, Choices],
) -> HttpResponseBase:
    assert isinstance(request.user, Person)
    first, second = people
    first_shift = offers[0][form.cleaned_data["first_shift"]]
    second_shift = offers[1][form.cleaned_data["second_shift"]]
    doubts = [*_doubts(first, second, first_shift), *_doubts(second, first, second_shift)]
    if any(doubt.code not in request.POST.getlist("accept") for doubt in doubts):
        return _page(request, site, choice, form, doubts=doubts)
    try:
        lifecycle.swap_shifts(
            by=request.user,
            first=first,
            first_shift=first_shift,
            second=second,
            second_shift=second_shift,
            note=form.cleaned_data["note"],
        )
    except Refused as refusal:
        return _page(request, site, choice, form, refusal=refusal)
    messages.success(request, _("Swapped: %(first)s and %(second)s.") % {"first": first, "second": second})
    warn_about(request, [first, second])
    return redirect(week_address(site, first_shift.starts_at, request))


def _doubts(absent: Person, stand_in: Person, shift: ShiftTime) -> list[Doubt]:
    """Of each half on its own; that each then has the other's shift is what was asked for."""
    half = Cover(
        absent=absent,
        stand_in=stand_in,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        kind=CoverKind.SWAP,
    )
    return doubts_about(half)


def _offers(first: Person, second: Person) -> tuple[Choices, Choices]:
    """Shifts that are still to come and not given away, of both, from one book."""
    now = timezone.now()
    book = DutyBook.load(now, until=now + LOOKS_AHEAD + ONE_DAY)
    turns = Turns(book, now, now + LOOKS_AHEAD)
    return _shifts(turns, first, now), _shifts(turns, second, now)


def _shifts(turns: Turns, person: Person, now: datetime) -> Choices:
    free = (turn for turn in turns.own(person) if not turn.away_parts and turn.starts_at > now)
    return {str(int(turn.starts_at.timestamp())): ShiftTime(turn.starts_at, turn.ends_at) for turn in free}


def _said(offers: Choices) -> list[tuple[str, str]]:
    return [
        (value, f"{moment(shift.starts_at)}–{timezone.localtime(shift.ends_at):%H:%M}")
        for value, shift in offers.items()
    ]


def _page(
    request: HttpRequest,
    site: Site,
    choice: SwapChoiceForm,
    form: SwapForm | None = None,
    *,
    doubts: list[Doubt] | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "site": site,
        "choice": choice,
        "form": form,
        "doubts": doubts or [],
        "next": next_page(request) or f"{reverse('roster')}?site={site.code}",
    }
    return show(request, "plant/roster/swap.html", context, refusal=refusal, status=status)
