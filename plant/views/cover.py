"""Somebody is away: said, changed and taken back from the week; and two who swap shifts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from opsdesk.errors import Missing, Refused
from opsdesk.htmx import next_page, show
from plant import lifecycle
from plant.models import Cover, CoverKind, Person, Site
from plant.permissions import refuse_roster_change
from plant.reach_warnings import warn_about
from plant.roster.doubts import Doubt, doubts_about
from plant.roster_forms import FIRST_YEAR, LAST_YEAR, CoverForm
from plant.rotation import ONE_DAY
from plant.views.places import person_of, put_into_form, where_of
from plant.visibility import cover_seen_by, people_of_site


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """The form, filled in from the shift tapped; POST saves it, or first says what speaks against it."""
    where = where_of(request)
    refuse_roster_change(where.person, at=where.site)
    with timezone.override(where.site.tz):
        form = CoverForm(
            request.POST or None,
            people=people_of_site(where.site),
            initial=_from_the_cell(request, where.site),
        )
        if request.method == "POST" and form.is_valid():
            return _save(request, form, cover=None, site=where.site)
        return _page(request, form, site=where.site, status=400 if form.errors else 200)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponseBase:
    cover = _cover(request, pk)
    site = _site_of(request, cover)
    with timezone.override(site.tz):
        form = _form_of(cover, site, request.POST or None)
        if request.method == "POST" and form.is_valid():
            return _save(request, form, cover=cover, site=site)
        return _page(request, form, site=site, cover=cover, status=400 if form.errors else 200)


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    """It does not happen after all."""
    return _at_once(request, pk, lifecycle.remove_cover, _("Removed. %(name)s is on as planned."))


@login_required
@require_POST
def back(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Whoever is away is back now."""
    return _at_once(request, pk, lifecycle.end_cover, _("%(name)s is back."))


def _at_once(request: HttpRequest, pk: int, verb: Callable[..., Cover], done: str) -> HttpResponseBase:
    """What takes no form: it is done and said, or refused on the page of the cover."""
    cover = _cover(request, pk)
    site = _site_of(request, cover)
    with timezone.override(site.tz):
        try:
            verb(pk, by=person_of(request))
        except Refused as refusal:
            return _page(request, _form_of(cover, site), site=site, cover=cover, refusal=refusal)
    messages.success(request, done % {"name": cover.absent})
    return redirect(week_address(site, cover.starts_at, request))


def _form_of(cover: Cover, site: Site, given: QueryDict | None = None) -> CoverForm:
    """The form of cover that is there, filled in with it; a stand-in from elsewhere stays to be chosen."""
    people = people_of_site(site) | Person.objects.filter(pk=cover.stand_in_id)
    initial = {name: getattr(cover, name) for name in ("starts_at", "ends_at", "stand_in", "kind", "note")}
    return CoverForm(given, people=people, fixed=cover.absent, initial=initial)


def _save(request: HttpRequest, form: CoverForm, *, cover: Cover | None, site: Site) -> HttpResponseBase:
    said = dict(form.cleaned_data)
    absent: Person = cover.absent if cover else said.pop("absent")
    planned = Cover(pk=cover.pk if cover else None, absent=absent, **said)
    try:
        doubts = [] if _ends_now(cover, planned) else _doubts_left(request, planned, by=person_of(request))
        if doubts:
            return _page(request, form, site=site, cover=cover, doubts=doubts)
        if cover:
            saved = lifecycle.change_cover(cover.pk, by=person_of(request), **said)
        else:
            saved = lifecycle.add_cover(by=person_of(request), absent=absent, **said)
    except Refused as refusal:
        put_into_form(form, refusal)
        return _page(request, form, site=site, cover=cover, refusal=refusal)
    messages.success(request, _done(saved))
    warn_about(request, [saved.stand_in])
    return redirect(week_address(site, saved.starts_at, request))


def _doubts_left(request: HttpRequest, planned: Cover, *, by: Person) -> list[Doubt]:
    """What the planner has not been asked about yet. Raises Refused when it cannot be saved at all."""
    refuse_roster_change(by, of=planned.absent)
    lifecycle.refuse_wrong_cover(planned)
    doubts = doubts_about(planned)
    known = set(request.POST.getlist("accept"))
    return doubts if any(doubt.code not in known for doubt in doubts) else []


def _ends_now(cover: Cover | None, planned: Cover) -> bool:
    return cover is not None and lifecycle.is_back(cover, planned.ends_at, timezone.now())


def _done(cover: Cover) -> str:
    if cover.ends_at <= timezone.now():
        return _("%(name)s is back.") % {"name": cover.absent}
    if cover.stand_in:
        return _("%(stand_in)s stands in for %(absent)s.") % {
            "stand_in": cover.stand_in,
            "absent": cover.absent,
        }
    return _("%(absent)s is away, and nobody stands in.") % {"absent": cover.absent}


def _page(
    request: HttpRequest,
    form: CoverForm,
    *,
    site: Site,
    cover: Cover | None = None,
    doubts: list[Doubt] | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "form": form,
        "site": site,
        "cover": cover,
        "doubts": doubts or [],
        "is_over": bool(cover and cover.ends_at <= now),
        "has_begun": bool(cover and cover.starts_at <= now),
        "next": next_page(request) or reverse("roster"),
    }
    return show(request, "plant/roster/cover.html", context, refusal=refusal, status=status)


# --- shared with swapping -----------------------------------------------------------------------------------


def week_address(site: Site, at: datetime, request: HttpRequest) -> str:
    """Back to the week it was asked from, else to the week it is about."""
    if target := next_page(request):
        return target
    year, number, _day = at.astimezone(site.tz).isocalendar()
    return f"{reverse('roster')}?site={site.code}&week={year}-W{number:02d}"


def _cover(request: HttpRequest, pk: int) -> Cover:
    person = person_of(request)
    found = cover_seen_by(person).select_related("absent__site", "stand_in")
    cover = found.filter(pk=pk).first()
    if cover is None:
        raise Missing("unknown_cover", _("It is no longer on the roster. Somebody has removed it."))
    refuse_roster_change(person, of=cover.absent)
    return cover


def _site_of(request: HttpRequest, cover: Cover) -> Site:
    """By whose clock: the home of who is away, or the reader's site where that person only holds a role."""
    home = cover.absent.site
    return home if home and person_of(request).sees_site(home) else where_of(request).site


def _from_the_cell(request: HttpRequest, site: Site) -> dict[str, Any]:
    """Who and when, from the shift in the week that was tapped; else from now until tomorrow."""
    now = timezone.now().replace(second=0, microsecond=0)
    absent = request.GET.get("absent", "")
    return {
        "absent": int(absent) if absent.isdecimal() and len(absent) < 10 else None,
        "starts_at": _moment(request.GET.get("from", "")) or now,
        "ends_at": _moment(request.GET.get("until", "")) or now + ONE_DAY,
        "kind": CoverKind.HOLIDAY,
    }


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at and timezone.is_aware(at) and FIRST_YEAR <= at.year <= LAST_YEAR else None
