"""Starting a practice, moving it on, and ending it. Everything may run late, twice, or beside itself.

The incident's row is the lock. The engine plays the ladders by itself (`escalation.pace`); what is left to do
here is to go on as if somebody had taken it once everybody who should was asked, and to end it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from escalation import pace
from escalation.drills import gathering, plan, report
from escalation.drills.report import Ended
from escalation.models import Clock, Drill, DrillPlan, Rank, Reason, Run, Timer, TimerState
from escalation.policies import clocks_of
from escalation.steps import PolicyClocks
from escalation.telling import Telling, tell
from incidents import lifecycle
from incidents.models import Category, EventKind, Incident, Severity, Status
from incidents.models.terms import IMPACT_OF
from opsdesk.errors import Invalid, Missing, NotAllowed, Refused
from plant.duty import DutyBook
from plant.models import Area, Flow, Person, Role, Site
from plant.working_time import WorkingTime

logger = logging.getLogger(__name__)

GIVE_UP = pace.LONGEST + timedelta(minutes=10)
"""A practice older than this did not run as it should, because the engine stood still: it is ended."""

OTHER = "other"
"""The category of a practice: what goes by no category runs the policy of its place."""


@dataclass(slots=True)
class Done:
    """What one look did."""

    started: int = 0
    ended: int = 0


def look(now: datetime | None = None) -> Done:
    """Move every running practice on, and start what is due. Harmless at any time, in any process."""
    now = now or timezone.now()
    done = Done()
    for pk in Drill.objects.filter(ended_at=None).values_list("pk", flat=True):
        done.ended += _contained(partial(step, pk, now=now))
    for found in plan.plans(now):
        if plan.slot_to_try(found, now) is not None:
            done.started += _contained(partial(start_planned, found, now=now))
    return done


def _contained(work: Callable[[], bool]) -> bool:
    """One site's trouble is not another's; the next look tries again."""
    try:
        return work()
    except Refused as refusal:
        logger.info("No practice now: %s", refusal)
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("A practice could not be moved on; it is tried again.")
    return False


# --- starting ---


@transaction.atomic
def start(
    site: Site,
    *,
    by: Person | None,
    severity: Severity | str,
    area: Area | None = None,
    now: datetime | None = None,
) -> Drill:
    """Practise now, in this area. `by` is None for the weekly one.

    Raises NotAllowed for all but the site's IT managers, and Refused (`in_the_way`) while something real is
    wrong or another practice runs.
    """
    if by is not None:
        plan.refuse_unless_planner(by, site)
    if area is not None and area.site_id != site.pk:
        raise Invalid("area_elsewhere", _("Choose an area of this site."))
    now = now or timezone.now()
    plan.plan_of(site, now)
    DrillPlan.objects.select_for_update().get(site=site)  # one at a time for each site
    why = plan.in_the_way(site)
    if why:
        raise Refused("in_the_way", f"{why} {_('Practise when that is over.')}")
    try:
        with transaction.atomic():
            return _started(site, area, Severity(severity), by, now)
    except IntegrityError as error:
        raise Refused("in_the_way", _("Another practice is running.")) from error


def _started(site: Site, area: Area | None, severity: Severity, by: Person | None, now: datetime) -> Drill:
    incident, _created = lifecycle.raise_incident(
        by=None,
        category=category(),
        impact=IMPACT_OF[severity],
        area=area,
        site=site,
        flow=flow_of(area),
        title=_("Practice"),
        is_drill=True,
        now=now,
    )
    return Drill.objects.create(site=site, area=area, incident=incident, started_by=by, started_at=now)


def category() -> Category:
    found = Category.objects.filter(code=OTHER).first() or Category.objects.order_by("-position").first()
    if found is None:
        raise Refused("no_category", _("There is no category yet. Add one in Setup first."))
    return found


def flow_of(area: Area | None) -> str:
    """What the area does decides which manager is named first."""
    line = area.lines.order_by("code").first() if area else None
    return line.flow if line else Flow.PRODUCTION


@transaction.atomic
def start_planned(found: DrillPlan, *, now: datetime) -> bool:
    """The weekly practice, in the area whose turn it is; False when this is not the moment after all."""
    locked = DrillPlan.objects.select_for_update(skip_locked=True).filter(pk=found.pk).first()
    if locked is None:
        return False
    locked.site = found.site
    slot = plan.slot_to_try(locked, now)
    if slot is None or plan.in_the_way(locked.site):
        return False
    areas = plan.areas_in_turn(locked.site)
    hours = WorkingTime.load(DutyBook.load(now, until=now + timedelta(hours=1)))
    here = plan.working_areas(areas, hours, now)
    if not here and (areas or not hours.is_working(locked.site, now)):
        return False
    start(locked.site, by=None, severity=locked.severity, area=here[0] if here else None, now=now)
    locked.last_slot = slot
    locked.save(update_fields=["last_slot"])
    return True


# --- stepping on ---


@transaction.atomic
def step(pk: int, *, now: datetime | None = None) -> bool:
    """Do what is due in this practice; True when that was its end."""
    now = now or timezone.now()
    drill, incident = _locked(pk)
    if drill.ended_at is not None:
        return False
    if not incident.is_open:
        return _end(drill, incident, Ended.STOPPED, now=now)
    real = plan.pressing(drill.site)
    if real is not None:
        return _end(drill, incident, Ended.REAL, now=now, real=real.code)
    if now - drill.started_at > GIVE_UP:
        return _end(drill, incident, Ended.UNFINISHED, now=now)
    run = Run.objects.filter(incident=incident).select_related("policy").first()
    return run is not None and _step(drill, incident, clocks_of(run.policy), now)


def _step(drill: Drill, incident: Incident, policy: PolicyClocks, now: datetime) -> bool:
    """Once the top of a ladder was tried: on to the next one, or after time to answer to the end."""
    if incident.status == Status.RAISED:
        top = _fired_at(incident, Clock.RESPONSE, len(policy.response))
        if top is not None and policy.containment and now - incident.clocks_from >= pace.taken_after(policy):
            lifecycle.practice_taken(incident.number, owner=_stands_in(drill, incident, now), now=now)
            return False
        is_last = not policy.containment
    else:
        top, is_last = _fired_at(incident, Clock.CONTAINMENT, len(policy.containment)), True
    if top is None or not is_last or now - top < pace.ANSWER_TIME:
        return False
    return _end(drill, incident, Ended.PLAYED, now=now)


def _fired_at(incident: Incident, clock: str, steps: int) -> datetime | None:
    """When the top of a ladder was told."""
    fired = Timer.objects.filter(incident=incident, clock=clock, state=TimerState.FIRED, step=steps - 1)
    return fired.order_by("fired_at").values_list("fired_at", flat=True).first()


def _stands_in(drill: Drill, incident: Incident, now: datetime) -> Person:
    """Whose name stands where an owner's would: who would have taken it, else who practises."""
    taker = incident.events.filter(kind=EventKind.SEEN, data__would_take=True).order_by("at").first()
    if taker is not None and taker.by is not None:
        return taker.by
    return drill.started_by or _it_managers(drill, now)[0]


def _it_managers(drill: Drill, now: datetime) -> list[Person]:
    book = DutyBook.load(now, until=now + timedelta(hours=1))
    return list(book.on_duty(Role.IT_MANAGER, drill.area or drill.site, now).people)


# --- ending ---


@transaction.atomic
def stop(pk: int, *, by: Person, now: datetime | None = None) -> Drill:
    """End a practice at once. Repeating it is harmless. Raises NotAllowed for all but managers."""
    drill, incident = _locked(pk)
    if not by.sees_site(drill.site_id):
        raise NotAllowed("wrong_site", _("This is at a site that you do not work for."))
    if not plan.may_stop(by, drill.site):
        raise NotAllowed("wrong_role", _("An IT manager or a manager of the plant stops a practice."))
    if drill.ended_at is None:
        _end(drill, incident, Ended.STOPPED, by=by, now=now or timezone.now())
    return drill


def _locked(pk: int) -> tuple[Drill, Incident]:
    """The practice as it is once its incident is locked."""
    number = Drill.objects.filter(pk=pk).values_list("incident__number", flat=True).first()
    if number is None:
        raise Missing("unknown_drill", _("There is no such practice."))
    incident = Incident.objects.locked(number)
    return Drill.objects.select_related("site", "area", "started_by").get(pk=pk), incident


def _end(
    drill: Drill, incident: Incident, why: Ended, *, now: datetime, by: Person | None = None, real: str = ""
) -> bool:
    """Everybody who was told is told the end; what it found is kept and sent to the IT manager."""
    lifecycle.end_practice(incident.number, by=by, why=why.value, now=now)
    drill.incident = incident
    drill.ended_at = now
    drill.report = report.build(
        gathering.of(drill),
        why=why,
        started_at=drill.started_at,
        ended_at=now,
        by=by.name if by else "",
        real=real,
    )
    drill.save(update_fields=["ended_at", "report"])
    readers = {person.pk: person for person in _it_managers(drill, now)}
    if drill.started_by is not None and drill.started_by.is_active:
        readers[drill.started_by.pk] = drill.started_by
    tell([_report_to(person, drill, now) for person in readers.values()], now=now)
    return True


def _report_to(person: Person, drill: Drill, now: datetime) -> Telling:
    return Telling(
        incident_id=None,
        site_id=drill.site_id,
        person=person,
        reason=Reason.DRILL_REPORT.value,
        key=f"drill:{drill.pk}:report:{person.pk}",
        due_at=now,
        channels=["sms", "email"],
        role=Role.IT_MANAGER.value,
        rank=Rank.QUIET,
        data={
            "drill": drill.pk,
            "place": str(drill.area or drill.site),
            **report.summary(drill.report),
        },
    )
