"""When a site practises: once a week at its planned time, its areas in turn; later when that does not fit.

It does not fit while nobody works there, while a real line is down at the site, or in a storm. Then it is
tried again every full hour of that day, and on the next days, until the next week's turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from escalation.models import Drill, DrillPlan, Storm
from incidents.models import Incident, Severity, Status
from opsdesk.errors import NotAllowed
from plant.duty import DutyBook
from plant.models import Area, Person, Role, Site
from plant.rotation import ONE_DAY, instant
from plant.working_time import WorkingTime

WEEK = timedelta(days=7)

HOURS_A_DAY = 6
"""Tries a day, an hour apart: after those the day is over for whoever planned a morning."""

WINDOW = timedelta(minutes=15)
"""How long after a try it may still begin, when whoever looks is late."""

PRESSING = (Status.RAISED, Status.ACKNOWLEDGED, Status.REOPENED)

PLANS = (Role.IT_MANAGER,)
STOPS = (Role.IT_MANAGER, Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER, Role.PLANT_MANAGER)
"""A practice goes on only as long as those who answer for the floor let it."""


# --- who may ---


def may_practise(person: Person, site: Site) -> bool:
    """Whether the person starts practices at the site and plans them."""
    return person.is_superuser or person.holds(*PLANS, site=site)


def may_stop(person: Person, site: Site) -> bool:
    return person.is_superuser or person.holds(*STOPS, site=site)


def refuse_unless_planner(by: Person, site: Site) -> None:
    if not may_practise(by, site):
        raise NotAllowed("wrong_role", _("Only an IT manager of the site can practise and plan practices."))


# --- the plan of a site ---


def plan_of(site: Site, now: datetime) -> DrillPlan:
    """The plan of the site. A new one starts with the next planned moment: nothing is made up for."""
    plan = DrillPlan.objects.filter(site=site).first()
    if plan is None:
        fresh = DrillPlan(site=site)
        DrillPlan.objects.bulk_create(
            [DrillPlan(site=site, last_slot=last_slot(fresh, now))], ignore_conflicts=True
        )
        plan = DrillPlan.objects.get(site=site)
    plan.site = site
    return plan


@transaction.atomic
def change_plan(
    site: Site,
    *,
    by: Person,
    is_on: bool,
    weekday: int,
    at: time,
    severity: Severity | str,
    now: datetime | None = None,
) -> DrillPlan:
    """Practise at another time, with another severity, or not at all. It counts from the next such moment."""
    refuse_unless_planner(by, site)
    now = now or timezone.now()
    plan_of(site, now)
    plan = DrillPlan.objects.select_for_update().get(site=site)
    moved = (plan.is_on, plan.weekday, plan.at) != (is_on, weekday, at)
    plan.site, plan.is_on, plan.weekday, plan.at, plan.severity = site, is_on, weekday, at, severity
    if moved:
        plan.last_slot = last_slot(plan, now)
    plan.save(update_fields=["is_on", "weekday", "at", "severity", "last_slot"])
    return plan


# --- moments ---


def last_slot(plan: DrillPlan, now: datetime) -> datetime:
    """The last planned moment up to now, in UTC."""
    day = now.astimezone(plan.site.tz).date()
    day -= timedelta(days=(day.weekday() - plan.weekday) % 7)
    slot = instant(day, plan.at, plan.site.tz)
    return slot if slot <= now else instant(day - WEEK, plan.at, plan.site.tz)


def next_slot(plan: DrillPlan, now: datetime) -> datetime:
    """The first planned moment after now, in UTC."""
    day = last_slot(plan, now).astimezone(plan.site.tz).date()
    return instant(day + WEEK, plan.at, plan.site.tz)


def tries(plan: DrillPlan, slot: datetime) -> Iterator[datetime]:
    """The planned moment, then every hour of that day and of the days up to the next planned moment."""
    first = slot.astimezone(plan.site.tz).date()
    for n in range(WEEK // ONE_DAY):
        yield from _tries_on(first + n * ONE_DAY, plan)


def _tries_on(day: date, plan: DrillPlan) -> Iterator[datetime]:
    for hour in range(plan.at.hour, min(plan.at.hour + HOURS_A_DAY, 24)):
        yield instant(day, plan.at.replace(hour=hour), plan.site.tz)


def slot_to_try(plan: DrillPlan, now: datetime) -> datetime | None:
    """The planned moment that is still to be dealt with, when this is one of the times to try it."""
    slot = last_slot(plan, now)
    if not plan.is_on or (plan.last_slot is not None and slot <= plan.last_slot):
        return None
    return slot if any(at <= now < at + WINDOW for at in tries(plan, slot)) else None


# --- where, and what is in the way ---


def areas_in_turn(site: Site) -> list[Area]:
    """The areas of the site that have lines: whoever practised longest ago is first."""
    areas = list(site.areas.filter(lines__isnull=False).distinct().order_by("code"))
    rows = Drill.objects.filter(site=site, area__isnull=False).order_by()
    last = dict(rows.values_list("area").annotate(Max("started_at")))
    never = datetime.min.replace(tzinfo=UTC)
    for area in areas:
        area.site = site
    return sorted(areas, key=lambda area: last.get(area.pk, never))


def pressing(site: Site) -> Incident | None:
    """A real line down, or somebody who could get hurt, at the site: nobody practises beside that."""
    found = Incident.objects.at_site(site).filter(severity=Severity.S1, is_drill=False, status__in=PRESSING)
    return found.order_by("raised_at").first()


def in_the_way(site: Site) -> str:
    """Why nobody may practise at the site right now, in a sentence; empty when nothing is in the way."""
    real = pressing(site)
    if real is not None:
        return _("%(code)s is real and not solved yet.") % {"code": real.code}
    storm = Storm.objects.filter(site=site, ended_at=None).select_related("area").first()
    if storm is not None:
        return _("Very many things are wrong at once in %(place)s.") % {"place": storm.area or site}
    if Drill.objects.filter(site=site, ended_at=None).exists():
        return _("Another practice is running.")
    return ""


def working_areas(areas: Sequence[Area], hours: WorkingTime, at: datetime) -> list[Area]:
    return [area for area in areas if hours.is_working(area, at)]


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next practice of a site: when and where; and, when it moved, from when and why."""

    at: datetime
    area: Area | None
    planned_at: datetime
    why: str = ""

    @property
    def is_moved(self) -> bool:
        return self.at != self.planned_at


def ahead(plan: DrillPlan, areas: Sequence[Area], now: datetime) -> Ahead | None:
    """What the screen says about the next practice; None when the plan is switched off or nobody works."""
    if not plan.is_on:
        return None
    hours = WorkingTime.load(DutyBook.load(now, until=now + 2 * WEEK))
    slot = last_slot(plan, now)
    if plan.last_slot is None or slot > plan.last_slot:
        found = _first_try(plan, areas, hours, slot, now)
        if found is not None:
            return found
    return _first_try(plan, areas, hours, next_slot(plan, now), now)


def _first_try(
    plan: DrillPlan, areas: Sequence[Area], hours: WorkingTime, slot: datetime, now: datetime
) -> Ahead | None:
    why = ""
    for at in tries(plan, slot):
        here = working_areas(areas, hours, at) if areas else []
        if at + WINDOW > now and (here or (not areas and hours.is_working(plan.site, at))):
            if slot <= now:
                why = in_the_way(plan.site) or why
            return Ahead(at, here[0] if here else None, slot, why)
        if not here and not why and areas:
            why = hours.why_not(areas[0], at)
    return None


def plans(now: datetime) -> list[DrillPlan]:
    """The plans of all sites, by site; a site without one gets the usual one."""
    known: dict[Any, DrillPlan] = {plan.site_id: plan for plan in DrillPlan.objects.select_related("site")}
    return [known.get(site.pk) or plan_of(site, now) for site in Site.objects.all()]
