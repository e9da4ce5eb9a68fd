"""The week on the roster: who works when, who is away, who stands in, and where nobody is left."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from opsdesk.htmx import show
from plant.coverage import PLANNED_ROLES
from plant.duty import DutyBook
from plant.models import Role
from plant.permissions import may_change_roster, may_read_roster
from plant.roster.week import DAYS, WeekBuilder, local_midnight, monday_of
from plant.rotation import ONE_DAY
from plant.views.places import Where, area_of, where_of
from plant.visibility import may_read_contacts
from plant.working_time import WorkingTime

FIRST_YEAR, LAST_YEAR = 2000, 2100


@login_required
@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """People by days, and for each shift and role whether somebody is on. Always the same queries."""
    where, now = where_of(request), timezone.now()
    chosen = _day(request.GET.get("day", ""))
    monday = monday_of(chosen) if chosen else _monday(request.GET.get("week", ""), where, now)
    start, end = local_midnight(where.site, monday), local_midnight(where.site, monday + DAYS * ONE_DAY)
    book = DutyBook.load(start, until=end + 2 * ONE_DAY)
    role, area = request.GET.get("role", ""), area_of(where, request.GET.get("area", ""))
    reads_all = may_read_roster(where.person, where.site)
    builder = WeekBuilder(WorkingTime.load(book), where.site, where.areas, monday=monday, now=now)
    shown = builder.week(
        roles=[Role(role)] if role in Role.values else PLANNED_ROLES,
        area=area,
        only=None if reads_all else where.person,
    )
    context = {
        "where": where,
        "week": shown,
        "role": role,
        "area": area,
        "roles": Role.choices,
        "reads_all": reads_all,
        "reads_why": may_read_contacts(where.person),
        "may_change": may_change_roster(where.person, where.site),
        "now": now,
        "chosen": chosen,
        **_addresses(request, where, monday, now),
    }
    with timezone.override(where.site.tz):
        return show(request, "plant/roster/week.html", context)


def _addresses(request: HttpRequest, where: Where, monday: date, now: datetime) -> dict[str, str | date]:
    """Where the week before, the week after and this week are, with the filters kept."""
    this = monday_of(now.astimezone(where.site.tz).date())

    def address(day: date) -> str:
        kept = {name: request.GET[name] for name in ("role", "area") if request.GET.get(name)}
        return f"{reverse('roster')}?{urlencode({'site': where.site.code, 'week': week_name(day), **kept})}"

    return {
        "monday": monday,
        "week_name": week_name(monday),
        "is_this_week": str(monday == this) if monday == this else "",
        "before": address(monday - timedelta(days=DAYS)),
        "after": address(monday + timedelta(days=DAYS)),
        "this": address(this),
        "here": address(monday),
    }


def week_name(monday: date) -> str:
    """ "2026-W23", the ISO week."""
    year, number, _day = monday.isocalendar()
    return f"{year}-W{number:02d}"


def _day(text: str) -> date | None:
    """The day that a message points at, like 2026-06-03; it opens in its week."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _monday(name: str, where: Where, now: datetime) -> date:
    """The Monday of an ISO week such as 2026-W23; this week's for anything else."""
    found = re.fullmatch(r"(\d{4})-W(\d{2})", name)
    if found and FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        try:
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
        except ValueError:  # week 53 of a year with 52
            pass
    return monday_of(now.astimezone(where.site.tz).date())
