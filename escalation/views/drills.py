"""Practice: what it found, when the next one is, and practising now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escalation.drills import plan, running, words
from escalation.drills.asked import outlook
from escalation.drills.forms import HOW_BAD, DrillPlanForm
from escalation.models import Drill
from escalation.views import drill_face
from incidents.models import Severity
from opsdesk.errors import Missing, NotAllowed, Refused
from opsdesk.htmx import show
from plant.models import Area, Person
from plant.permissions import may_read_roster
from plant.views.places import Where, area_of, where_of

SHOWN = 30
"""Past practices on the screen: more than half a year of them."""


@login_required
@require_safe
def drills(request: HttpRequest) -> HttpResponse:
    """What practices found, the plan, and, for IT managers, a way to practise now."""
    where = _reader(request)
    now = timezone.now()
    with timezone.override(where.site.tz):
        return show(request, "escalation/drills/list.html", _list(where, now))


@login_required
@require_safe
def drill(request: HttpRequest, pk: int) -> HttpResponse:
    """One practice: live while it runs, then what it found."""
    found = _drill(request, pk)
    where = Where(_person(request), found.site, [])
    with timezone.override(found.site.tz):
        context = {
            "where": where,
            "drill": found,
            "shown": drill_face.of(found, timezone.now()),
            "may_stop": plan.may_stop(where.person, found.site),
        }
        return show(request, "escalation/drills/drill.html", context, fragments=("drill",))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Practise now: first who will get how many messages, then the button that starts it."""
    where = where_of(request)
    plan.refuse_unless_planner(where.person, where.site)
    asked = request.POST if request.method == "POST" else request.GET
    area = area_of(where, asked.get("area", ""))
    chosen = asked.get("severity", "")
    severity = Severity(chosen) if chosen in Severity.values else Severity.S1
    now = timezone.now()
    refusal = None
    if request.method == "POST":
        try:
            begun = running.start(where.site, by=where.person, severity=severity, area=area, now=now)
            return redirect("drill", begun.pk)
        except Refused as found:
            refusal = found
    with timezone.override(where.site.tz):
        context = _confirmation(where, area, severity, now)
        return show(request, "escalation/drills/new.html", context, refusal=refusal)


@login_required
@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _drill(request, pk)
    running.stop(found.pk, by=_person(request))
    messages.success(request, _("The practice is over. Everybody who was told hears it."))
    return redirect("drill", found.pk)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest) -> HttpResponseBase:
    """The day, the time and how bad: practised weekly, or not at all."""
    where = where_of(request)
    plan.refuse_unless_planner(where.person, where.site)
    kept = plan.plan_of(where.site, timezone.now())
    form = DrillPlanForm(request.POST or None, instance=kept)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            plan.change_plan(where.site, by=where.person, **form.cleaned_data)
            messages.success(request, _("Saved. It counts from the next planned time."))
            return redirect(_home(where))
        status = 400
    return show(request, "escalation/drills/plan.html", {"where": where, "form": form}, status=status)


# --- reading ---


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # behind login_required
    return request.user


def _reader(request: HttpRequest) -> Where:
    where = where_of(request)
    if not may_read_roster(where.person, where.site):
        raise NotAllowed("wrong_role", _("Leads and managers read what practices found."))
    return where


def _drill(request: HttpRequest, pk: int) -> Drill:
    person = _person(request)
    found = (
        Drill.objects.select_related("site", "area", "incident__run__policy", "started_by")
        .filter(pk=pk)
        .first()
    )
    if found is None or not may_read_roster(person, found.site):
        raise Missing("unknown_drill", _("There is no such practice, or it is not for your site."))
    return found


def _home(where: Where) -> str:
    return f"{reverse('drills')}?site={where.site.code}"


def _list(where: Where, now: datetime) -> dict[str, Any]:
    kept = plan.plan_of(where.site, now)
    areas = plan.areas_in_turn(where.site)
    past = Drill.objects.filter(site=where.site).select_related("site", "area", "incident", "started_by")
    last = _last_practised(where)
    return {
        "where": where,
        "plan": kept,
        "ahead": plan.ahead(kept, areas, now),
        "in_the_way": plan.in_the_way(where.site),
        "areas": [(area, last.get(area.pk)) for area in areas],
        "drills": [drill_face.row(one, now) for one in past[:SHOWN]],
        "severities": HOW_BAD,
        "level": drill_face.level_of(kept.severity),
        "may_practise": plan.may_practise(where.person, where.site),
    }


def _last_practised(where: Where) -> dict[int, datetime]:
    rows = Drill.objects.filter(site=where.site, area__isnull=False).order_by()
    return dict(rows.values_list("area").annotate(Max("started_at")))


def _confirmation(where: Where, area: Area | None, severity: Severity, now: datetime) -> dict[str, Any]:
    about = outlook(where.site, area, severity, running.category(), flow=running.flow_of(area), now=now)
    return {
        "where": where,
        "area": area,
        "severity": severity,
        "level": drill_face.level_of(severity),
        "outlook": about,
        "missing": words.nobody_now(about.missing),
        "in_the_way": plan.in_the_way(where.site),
        "home": _home(where),
    }
