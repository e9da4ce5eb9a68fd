"""The same kind of trouble over and over: its page, and what is said of it while somebody raises it again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from countermeasures import workarounds
from countermeasures.family_history import history
from countermeasures.suggestions import suggest
from escalation.views import proofs
from incidents import families, where
from incidents.families import Family
from incidents.models import Category, Incident
from incidents.permissions import Action, refuse_unless
from incidents.readings import how_often
from opsdesk.errors import Invalid, NotAllowed
from opsdesk.htmx import show
from plant.context import Shell
from plant.models import Person, Site, Station, System


@login_required
@require_safe
def family(request: HttpRequest, key: str) -> HttpResponse:
    """History, what was tried, what held, causes."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    found = families.named(key)
    if not person.sees_site(found.site):
        raise NotAllowed("wrong_site", _("This is at a site that you do not work for."))
    now = timezone.now()
    with timezone.override(found.site.tz):
        known = history(found, now=now)
        systems = [found.system] if found.system else _all_of(found.station)
        context = {
            "family": found,
            "now": now,
            "known": known,
            "tried": [(one, proofs.row(one.countermeasure, now=now)) for one in known.tried],
            "workarounds": workarounds.known(found, systems, now=now),
        }
        return show(request, "escalation/family.html", context)


@require_safe
@never_cache
def before(request: HttpRequest) -> HttpResponse:
    """For the raise screen, from `where` and `category`: how often it was, and what helps meanwhile.

    A tablet where nobody is signed in is told how often and the standing workaround of the system, no more.
    """
    shell = Shell.of(request)
    found, systems = _asked(request, shell)
    now = timezone.now()
    context: dict[str, Any] = {"is_known": found is not None or bool(systems)}
    if found is not None:
        counted = found.how_often(now)
        if counted.days_90:
            times, days = (counted.days_30, 30) if counted.days_30 else (counted.days_90, 90)
            context["again"] = how_often(times + 1, days)
    known = workarounds.known(found if shell.person else None, systems, now=now)
    context["workaround"] = next(iter(known), None)
    return render(request, "escalation/before.html", context)


def _asked(request: HttpRequest, shell: Shell) -> tuple[Family | None, list[System]]:
    """The family that raising this would belong to, and the systems of the place; nothing elsewhere's."""
    if shell.person is None and shell.tablet is None:
        return None, []
    try:
        place = where.resolve(request.GET.get("where", ""), site=None if shell.person else shell.site)
    except Invalid:
        return None, []
    category = Category.objects.filter(code=request.GET.get("category", "")).first()
    if category is None:
        return None, []
    station, system = place.get("station"), place.get("system")
    site: Site | None = station.line.area.site if station else (system.site or shell.site if system else None)
    if site is None or (shell.person is not None and not shell.person.sees_site(site)):
        return None, []
    systems = [system] if system else _only(station)
    return Family(category, site, station=None if system else station, system=system), systems


def _all_of(station: Station | None) -> list[System]:
    return list(station.systems.all()) if station else []


def _only(station: Station | None) -> list[System]:
    """The station's system when it has just one: of several, nobody knows yet which of them it is."""
    found = _all_of(station)
    return found if len(found) == 1 else []


@login_required
@require_safe
@never_cache
def suggestions(request: HttpRequest) -> HttpResponse:
    """Earlier causes for the five whys of `incident`, with the words `q` that were typed."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    incident = Incident.objects.numbered(request.GET.get("incident", ""))
    refuse_unless(person, Action.ADD_WORDS, incident)
    words = request.GET.get("q", "").replace("\0", "")[:200]
    with timezone.override(incident.site.tz):
        found = suggest(incident, reader=person, words=words)
        context = {"suggestions": found, "words": words.strip(), "incident": incident}
        return render(request, "countermeasures/_suggestions.html", context)
