"""My work: the one job that presses most, what comes next, what was promised, and who can help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Case, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from countermeasures.promises import models as promises
from escalation import ladder
from escalation.models import Notification
from escalation.recent import with_roster
from escalation.views import buttons, live, proofs
from escalation.views.answers import answers
from escalation.views.face import Face, face_of
from incidents import readings
from incidents.models import Incident, IncidentQuerySet, Status, Update
from plant.duty import DutyBook
from plant.models import Person, Role

MOST = 40
"""Incidents of one person that are looked at."""

NEXT_SHOWN = 8
PROMISES_SHOWN = 8
HELPERS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Job:
    """The one thing to work on now. `last`: the last word, `is_yours` when the reader said it."""

    incident: Incident
    face: Face | None
    answered: str
    problem: str
    last: Update | None
    is_yours: bool
    buttons: buttons.Buttons


@dataclass(frozen=True, slots=True)
class Next:
    """What comes after the job. `note`: what keeps product moving, or how it stands."""

    incident: Incident
    face: Face | None
    note: str


@dataclass(frozen=True, slots=True)
class Promise:
    """Something this person said they would do. `due` is the day in words; empty when it is a moment."""

    what: str
    incident: Incident
    due_at: datetime
    due: str
    is_late: bool
    pk: int | None = None
    """Of the promise whose page keeps it or moves it; None for the next word."""


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody to call, as what, and whether they are at work now."""

    person: Person
    role: str
    is_here: bool


@login_required
@require_safe
def work(request: HttpRequest) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    now = timezone.now()
    return live.show_unless_unchanged(
        request,
        "escalation/work.html",
        fragments=["work"],
        tag=lambda: live.person_tag(person, now),
        context=lambda: with_roster(lambda book: _context(person, now, book), now),
    )


def _context(person: Person, now: datetime, book: DutyBook) -> dict[str, Any]:
    mine = list(_mine(person))
    waiting_here = [] if mine else list(_told_and_free(person)[:1])
    shown = (mine or waiting_here)[: NEXT_SHOWN + 1]
    readings.attach(shown)
    steps = ladder.next_steps(shown, book, now)
    job = _job(shown[0], steps, person, now) if shown else None
    return {
        "now": now,
        "job": job,
        "is_free": bool(waiting_here),
        "next": [
            Next(i, face_of(i, steps.get(i.pk), now=now, reader=person), _in_a_word(i)) for i in shown[1:]
        ],
        "next_count": max(0, len(mine) - 1),
        "promises": _promises(person, mine, now),
        "helpers": _helpers(person, book, shown[0] if shown else None, now),
        "open_count": Incident.objects.open().visible_to(person).count() if not shown else 0,
    }


def _mine(person: Person) -> IncidentQuerySet:
    """What this person has or was asked to take; what is not moving first, then by cover left."""
    moves = Case(When(status__in=[Status.CONTAINED, Status.RESOLVED], then=Value(1)), default=Value(0))
    mine = Incident.objects.open().owned_by(person).filter(is_drill=False)
    found = mine.with_place().select_related("shelved_by").by_cover_left()
    return found.order_by(moves, *found.query.order_by)[:MOST]


def _told_and_free(person: Person) -> IncidentQuerySet:
    """What nobody has yet and this person was told about."""
    told = Notification.objects.filter(person=person).values("incident")
    found = Incident.objects.filter(status=Status.RAISED, pk__in=told).visible_to(person)
    return found.with_place().select_related("shelved_by").by_cover_left()


def _job(incident: Incident, steps: Mapping[int, ladder.NextStep], person: Person, now: datetime) -> Job:
    last, asked = readings.news(incident), answers([incident])[incident.pk]
    return Job(
        incident=incident,
        answered=asked.sentence(person),
        face=face_of(incident, steps.get(incident.pk), now=now, reader=person),
        problem=readings.problem(incident),
        last=last,
        is_yours=last is not None and last.by_id == person.pk,
        buttons=buttons.buttons(
            incident,
            person,
            now=now,
            is_asked=asked.waits_for(person),
            has_fix=incident.countermeasures.permanent().in_place().exists(),
        ),
    )


def _in_a_word(incident: Incident) -> str:
    return readings.sentence(readings.bandage(incident)) or str(incident.get_status_display())


def _promises(person: Person, mine: Sequence[Incident], now: datetime) -> list[Promise]:
    """The next words owed and the countermeasures with a day, soonest first."""
    words = [
        Promise(_("Say what’s new"), incident, incident.next_update_due, "", incident.next_update_due < now)
        for incident in mine
        if incident.next_update_due is not None and incident.owner_id == person.pk
    ]
    found = promises.Promise.objects.open().of(person).exclude(kind=promises.PromiseKind.WAITING)
    given = found.with_people().select_related("incident__site").order_by("due_at")[:PROMISES_SHOWN]
    return sorted([*words, *(_promise(one, now) for one in given)], key=lambda p: p.due_at)[:PROMISES_SHOWN]


def _promise(one: promises.Promise, now: datetime) -> Promise:
    """A day is kept until its last minute by the plant's clock."""
    assert one.incident is not None
    today = now.astimezone(one.site.tz).date()
    due = proofs.day(one.due_on, today) if one.due_on else ""
    return Promise(one.what, one.incident, one.due_at, due, one.has_passed(now), one.pk)


def _helpers(person: Person, book: DutyBook, incident: Incident | None, now: datetime) -> list[Helper]:
    """Specialists and the lead who are on duty where the job is; nobody without a job, and never oneself."""
    if incident is None:
        return []
    place = incident.area or incident.site
    found: dict[int, Helper] = {}
    for role in (Role.IT_SPECIALIST, Role.IT_LEAD):
        for one in book.on_duty(role, place, now).people:
            if one.pk != person.pk:
                found.setdefault(one.pk, Helper(one, str(role.label), book.is_on_shift(one, now)))
    return list(found.values())[:HELPERS_SHOWN]
