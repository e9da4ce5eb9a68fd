"""The plant's calendar: holidays, shutdowns, planned downtime, and whether it works right now."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from opsdesk.errors import Missing, Refused
from opsdesk.htmx import form_of, show
from plant import lifecycle
from plant.calendar_forms import CalendarForm, EntryForm
from plant.duty import DutyBook
from plant.models import CalendarEntry, EntryKind, Site, SiteCalendar
from plant.permissions import may_change_calendar, refuse_calendar_change
from plant.roster.ahead import holidays_ahead
from plant.rotation import ONE_DAY
from plant.views.places import Where, person_of, put_into_form, where_of
from plant.working_time import WorkingTime


@login_required
@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    where = where_of(request)
    with timezone.override(where.site.tz):
        return _calendar_page(request, where)


@login_required
@form_of(lambda request: _home(where_of(request).site))
def settings(request: HttpRequest) -> HttpResponseBase:
    """Country, region, weekend, and which of the holidays are worked."""
    where = where_of(request)
    refuse_calendar_change(where.person, where.site)
    form = CalendarForm(request.POST)
    with timezone.override(where.site.tz):
        if not form.is_valid():
            return _calendar_page(request, where, form, status=400)
        try:
            lifecycle.set_calendar(
                where.site,
                by=where.person,
                works_on=_works_on(request),
                **form.cleaned_data,
            )
        except Refused as refusal:
            put_into_form(form, refusal)
            return _calendar_page(request, where, form, refusal=refusal)
    messages.success(request, _("The calendar is changed."))
    return redirect(_home(where.site))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new_entry(request: HttpRequest) -> HttpResponseBase:
    where = where_of(request)
    refuse_calendar_change(where.person, where.site)
    with timezone.override(where.site.tz):
        start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + ONE_DAY
        initial = {"kind": EntryKind.SHUTDOWN, "starts_at": start, "ends_at": start + ONE_DAY}
        form = EntryForm(request.POST or None, site=where.site, initial=initial)
        if request.method == "POST" and form.is_valid():
            return _save(request, form, where.site, None)
        return _entry_page(request, form, where.site, None, status=400 if form.errors else 200)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def change_entry(request: HttpRequest, pk: int) -> HttpResponseBase:
    entry = _entry(request, pk)
    with timezone.override(entry.site.tz):
        initial = {name: getattr(entry, name) for name in ("kind", "name", "starts_at", "ends_at")}
        form = EntryForm(
            request.POST or None, site=entry.site, initial={**initial, "areas": entry.areas.all()}
        )
        if request.method == "POST" and form.is_valid():
            return _save(request, form, entry.site, entry)
        return _entry_page(request, form, entry.site, entry, status=400 if form.errors else 200)


@login_required
@require_POST
def remove_entry(request: HttpRequest, pk: int) -> HttpResponseBase:
    entry = _entry(request, pk)
    lifecycle.remove_entry(pk, by=person_of(request))
    messages.success(request, _("Removed: %(name)s.") % {"name": entry.name})
    return redirect(_home(entry.site))


def _save(request: HttpRequest, form: Form, site: Site, entry: CalendarEntry | None) -> HttpResponseBase:
    said = {**form.cleaned_data, "areas": list(form.cleaned_data["areas"])}
    try:
        if entry:
            lifecycle.change_entry(entry.pk, by=person_of(request), **said)
        else:
            lifecycle.add_entry(site, by=person_of(request), **said)
    except Refused as refusal:
        put_into_form(form, refusal)
        return _entry_page(request, form, site, entry, refusal=refusal)
    messages.success(request, _("Saved: %(name)s.") % {"name": said["name"]})
    return redirect(_home(site))


def _works_on(request: HttpRequest) -> list[str]:
    return [name[:120] for name in request.POST.getlist("works_on")[:60]]


def _calendar_page(
    request: HttpRequest,
    where: Where,
    form: CalendarForm | None = None,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    kept = SiteCalendar.objects.filter(site=where.site).first() or SiteCalendar(site=where.site, weekend=[])
    if form is not None:
        kept.works_on = _works_on(request)  # a refused form keeps what was ticked
    hours = WorkingTime.load(DutyBook.load(now))
    entries = [entry.row for entry in hours.entries_of(where.site) if entry.row.ends_at > now]
    today = timezone.localtime(now).date()
    context: dict[str, Any] = {
        "where": where,
        "kept": kept,
        "form": form or CalendarForm(initial=vars(kept)),
        "entries": entries,
        "holidays": holidays_ahead(kept, today, language=get_language() or "en"),
        "areas": [_state(hours, area, now) for area in where.areas],
        "may_change": may_change_calendar(where.person, where.site),
    }
    return show(request, "plant/roster/calendar.html", context, refusal=refusal, status=status)


def _state(hours: WorkingTime, area: Any, now: Any) -> dict[str, Any]:
    works = hours.is_working(area, now)
    return {
        "area": area,
        "works": works,
        "why": hours.why_not(area, now),
        "next": None if works else hours.next_working_minute(area, now),
    }


def _entry_page(
    request: HttpRequest,
    form: Form,
    site: Site,
    entry: CalendarEntry | None,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "site": site,
        "entry": entry,
        "is_over": bool(entry and entry.ends_at <= timezone.now()),
        "back": _home(site),
    }
    return show(request, "plant/roster/entry.html", context, refusal=refusal, status=status)


def _home(site: Site) -> str:
    return f"{reverse('calendar')}?site={site.code}"


def _entry(request: HttpRequest, pk: int) -> CalendarEntry:
    person = person_of(request)
    entry = CalendarEntry.objects.select_related("site").filter(pk=pk).first()
    if entry is None or not person.sees_site(entry.site):
        raise Missing("unknown_entry", _("It is no longer in the calendar. Somebody has removed it."))
    refuse_calendar_change(person, entry.site)
    return entry
