"""The same kind of trouble over and over: its page, and what is said of it while somebody raises it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
from incidents.already_open import open_there
from incidents.families import Family
from incidents.models import Category, Incident
from incidents.permissions import Action, refuse_unless
from incidents.readings import how_often
from opsdesk.errors import Invalid, NotAllowed
from opsdesk.htmx import show
from plant.context import Shell
from plant.models import Line, Person, Site, Station, System


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


@dataclass(frozen=True, slots=True)
class Asked:
    """What is about to be raised, as far as it was tapped."""

    category: Category
    site: Site
    station: Station | None
    line: Line | None
    system: System | None

    @property
    def family(self) -> Family | None:
        """The one that it would belong to; None for a whole line."""
        if self.system is None and self.station is None:
            return None
        station = None if self.system else self.station
        return Family(self.category, self.site, station=station, system=self.system)

    @property
    def systems(self) -> list[System]:
        """The station's system when it has just one: of several, nobody knows yet which of them it is."""
        found = [self.system] if self.system else _all_of(self.station)
        return found if len(found) == 1 else []


@require_safe
@never_cache
def before(request: HttpRequest) -> HttpResponse:
    """For the raise screen, from `where` and `category`: what is open there already, how often it was, and
    what helps meanwhile.

    A tablet where nobody is signed in is told the numbers of what is open, how often it was and the standing
    workaround of the system, no more.
    """
    shell = Shell.of(request)
    asked, now = _asked(request, shell), timezone.now()
    if asked is None:
        return HttpResponse()
    family, systems = asked.family, asked.systems
    known = workarounds.known(family if shell.person else None, systems, now=now)
    there = open_there(
        asked.category, site=asked.site, station=asked.station, line=asked.line, systems=systems
    )
    context = {
        "again": _again(family, now) if family is not None else "",
        "workaround": next(iter(known), None),
        "there": there,
        "person": shell.person,
    }
    return render(request, "escalation/before.html", context)


def _again(family: Family, now: datetime) -> str:
    """ "third time in 30 days", with the one that is about to be raised; empty for the first time."""
    counted = family.how_often(now)
    if not counted.days_90:
        return ""
    times, days = (counted.days_30, 30) if counted.days_30 else (counted.days_90, 90)
    return how_often(times + 1, days)


def _asked(request: HttpRequest, shell: Shell) -> Asked | None:
    """None before both were tapped, for a whole area, and for what is elsewhere."""
    if shell.person is None and shell.tablet is None:
        return None
    try:
        place = where.resolve(request.GET.get("where", ""), site=None if shell.person else shell.site)
    except Invalid:
        return None
    category = Category.objects.filter(code=request.GET.get("category", "")).first()
    station, system = place.get("station"), place.get("system")
    line = station.line if station else place.get("line")
    site: Site | None = line.area.site if line else (system.site or shell.site if system else None)
    if category is None or site is None or (shell.person is not None and not shell.person.sees_site(site)):
        return None
    return Asked(category, site, station, line, system)


def _all_of(station: Station | None) -> list[System]:
    return list(station.systems.all()) if station else []


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
