"""Raising: where, what, how bad, Send. Three taps on one screen, with or without a login or a script."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods
from django_stubs_ext import StrPromise

from incidents import lifecycle, where
from incidents.forms import RaiseForm
from incidents.models import Category, Impact, Incident
from incidents.raised_here import remember
from opsdesk.errors import Missing, Refused
from opsdesk.htmx import show
from plant.context import Shell
from plant.models import Area, Line, Person, Site, System
from plant.throttle import Brake

WITHOUT_LOGIN = Brake("raise", tries=20, seconds=600)
"""Where nobody is signed in, a tablet raises at most 20 issues in 10 minutes: a stuck button is no flood."""


@dataclass(frozen=True, slots=True)
class HowBad:
    """One tile of the third question: what the floor says, and what it means."""

    impact: Impact
    glyph: str
    title: StrPromise
    note: StrPromise


HOW_BAD = (
    HowBad(Impact.SAFETY, "s", _("Someone could get hurt"), _("Stop work first. Then send.")),
    HowBad(Impact.STOPPED, "1", _("Line is stopped"), _("Nothing is coming out")),
    HowBad(Impact.AT_RISK, "2", _("Line is slow"), _("Or a truck could leave late")),
    HowBad(Impact.WORKAROUND, "3", _("Running on a workaround"), _("By hand, on paper, on a spare")),
    HowBad(Impact.NONE, "4", _("Not stopping anything"), _("Fix it when it’s quiet")),
)


@never_cache
@ensure_csrf_cookie
@require_http_methods(["GET", "POST"])
def raise_issue(request: HttpRequest) -> HttpResponseBase:
    """The raise screen, and Send."""
    shell = Shell.of(request)
    if shell.person is None and shell.tablet is None:
        return redirect_to_login(request.get_full_path())
    if request.method != "POST":
        return _page(request, RaiseForm(initial=_asked(request)))
    form = RaiseForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        incident = _send(request, form)
    except Refused as refusal:
        return _page(request, form, refusal=refusal)
    remember(request, incident)
    return redirect("raise-sent", incident.number)


def _send(request: HttpRequest, form: RaiseForm) -> Incident:
    shell = Shell.of(request)
    if shell.person is None:
        _brake(shell)
    given = form.cleaned_data
    place = where.resolve(given["where"], site=_only_here(shell))
    asked: dict[str, Any] = {
        **place,
        "by": shell.person,
        "site": shell.site if "system" in place else None,
        "category": given["category"],
        "impact": given["impact"],
        "words": given["words"],
        **form.times(timezone.now()),
    }
    incident, is_new = lifecycle.raise_incident(**asked, client_id=given["client_id"])
    if not is_new and not _is_the_same(incident, place, given):
        # Back, then something else from the same page: it has the old page's id, and must not be swallowed.
        incident, is_new = lifecycle.raise_incident(**asked, client_id=uuid.uuid4())
    if is_new:
        _add_photo(request, incident, form)
    return incident


def _only_here(shell: Shell) -> Site | None:
    """Where nobody is signed in, the tablet's site is all there is."""
    return None if shell.person else shell.site


def _brake(shell: Shell) -> None:
    assert shell.tablet is not None  # checked before the form was read
    if not WITHOUT_LOGIN.allows(shell.tablet.code):
        raise Refused(
            "too_many",
            _("Too many issues from this tablet at once. Sign in, or call IT."),
            status=429,
        )


def _is_the_same(incident: Incident, place: where.Place, given: dict[str, Any]) -> bool:
    is_place = all(getattr(incident, kind) == value for kind, value in place.items())
    return is_place and incident.category == given["category"] and incident.impact == given["impact"]


def _add_photo(request: HttpRequest, incident: Incident, form: RaiseForm) -> None:
    """After it is raised: a photo that cannot be kept never holds up the alert."""
    photo, person = form.cleaned_data.get("photo"), Shell.of(request).person
    if not photo or person is None:
        return
    try:
        lifecycle.add_photo(incident.number, by=person, image=photo)
    except (Refused, OSError):
        messages.warning(request, str(_("It is sent, but the photo could not be kept. Add it again.")))


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the address says is chosen already (a station code, or a link from another page)."""
    return {name: request.GET[name] for name in ("where", "category", "impact") if name in request.GET}


def _page(
    request: HttpRequest, form: RaiseForm, *, status: int = 200, refusal: Refused | None = None
) -> HttpResponse:
    """The screen with what was tapped kept. `fragments`: choosing a place swaps the first column alone."""
    shell = Shell.of(request)
    tapped = form.data if form.is_bound else form.initial
    chosen, unknown = _chosen(str(tapped.get("where", "")), shell)
    tiles = where.tiles(person=shell.person, tablet=shell.tablet, chosen=chosen)
    has_own_place = shell.tablet is not None or chosen is not None
    context = {
        "form": form,
        "tiles": tiles,
        "where": tapped.get("where") or (tiles[0].value if tiles and has_own_place else ""),
        "categories": Category.objects.filter(is_active=True),
        "category": tapped.get("category", ""),
        "how_bad": HOW_BAD,
        "impact": tapped.get("impact", ""),
        "client_id": (form.is_bound and form.cleaned_data.get("client_id")) or uuid.uuid4(),
        "can_add_photo": shell.person is not None,
    }
    return show(
        request,
        "incidents/raise.html",
        context,
        fragments=("where",),
        status=status,
        refusal=refusal or unknown,
    )


def _chosen(value: str, shell: Shell) -> tuple[where.Place | None, Refused | None]:
    if not value:
        return None, None
    try:
        return where.resolve(value, site=_only_here(shell)), None
    except Refused as refusal:
        return None, refusal


@never_cache
@require_GET
def find_place(request: HttpRequest) -> HttpResponseBase:
    """Another station, a whole line or area, or a system when the place is unknown."""
    shell = Shell.of(request)
    if shell.person is None and shell.tablet is None:
        return redirect_to_login(request.get_full_path())
    sites = _sites(shell)
    area = _area(request.GET.get("area", ""), sites)
    words = request.GET.get("q", "").strip()[:80]
    context: dict[str, Any] = {"words": words, "area": area, "by_system": "system" in request.GET}
    if words:
        context["stations"] = where.search(words, sites=sites)
    elif area:
        context["lines"] = Line.objects.filter(area=area).prefetch_related("stations")
    elif context["by_system"]:
        systems = System.objects.order_by("plain_name")
        context["systems"] = systems if sites is None else systems.filter(Q(site=None) | Q(site__in=sites))
    else:
        areas = Area.objects.select_related("site").order_by("site__code", "code")
        context["areas"] = areas if sites is None else areas.filter(site_id__in=sites)
    return show(request, "incidents/where.html", context, fragments=("where", "places"))


def _sites(shell: Shell) -> frozenset[int] | None:
    """Sites to choose from; None for all."""
    person: Person | None = shell.person
    if person is None:
        return frozenset({shell.site.pk}) if shell.site else frozenset()
    return None if person.is_corporate else person.site_ids


def _area(code: str, sites: frozenset[int] | None) -> Area | None:
    if not code:
        return None
    area = Area.objects.select_related("site").filter(code__iexact=code).first()
    if area is None or (sites is not None and area.site_id not in sites):
        raise Missing("unknown_area", _("There is no area with the code %(code)s.") % {"code": code})
    return area
