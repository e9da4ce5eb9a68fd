"""Every due date of a countermeasure and of its incident is a promise: these bring the two in line.

Each verb of a countermeasure ends here. What an incident owes by itself (a bandage put on, what it waits on,
the review of "no permanent fix") is followed by the engine when it reads the incident's change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from countermeasures.models import Answer, Countermeasure, Elsewhere, Kind, Stage
from countermeasures.promises import lifecycle
from countermeasures.promises.models import Outcome, Promise, PromiseKind
from incidents.models import Incident, IncidentQuerySet, Status
from plant.models import Person

CHECK_DAYS = 3
"""Days to sign a check off once its window is over: one weekend does not make it late."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A due date as it stands now: whose it is and when, or how it ended."""

    kind: PromiseKind
    subject: str
    what: str
    person: Person | None = None
    due_on: date | None = None
    due_at: datetime | None = None
    kept: bool = False

    @property
    def is_open(self) -> bool:
        return self.person is not None and (self.due_on is not None or self.due_at is not None)


def follow(
    found: Countermeasure, *, by: Person | None = None, reason: str = "", now: datetime | None = None
) -> None:
    """Give, change, keep or withdraw what is promised about a countermeasure; its incident is locked."""
    for owed in (_fix(found), _bandage(found), _check(found)):
        _bring_in_line(owed, found.incident, countermeasure=found, by=by, reason=reason, now=now)


def follow_elsewhere(
    row: Elsewhere, found: Countermeasure, *, by: Person | None = None, now: datetime | None = None
) -> None:
    """What is to be done at another station is promised by its owner; it lives on after closing."""
    subject, what = f"where_else:{row.pk}", f"{row.station}: {found.what}"
    is_open = row.answer == Answer.APPLIES
    owed = Owed(
        PromiseKind.WHERE_ELSE,
        subject,
        what,
        person=row.owner if is_open else None,
        due_on=row.due_on,
        kept=row.answer == Answer.DONE,
    )
    _bring_in_line(owed, found.incident, countermeasure=found, by=by, now=now)


def give_up_elsewhere(found: Countermeasure, *, now: datetime | None = None) -> None:
    """What was to be done at other stations is not owed any more: the countermeasure is given up."""
    for pk in found.elsewhere.filter(answer=Answer.APPLIES).values_list("pk", flat=True):
        lifecycle.end(f"where_else:{pk}", kept=False, now=now)


def follow_incidents(ids: Iterable[int], now: datetime) -> None:
    """What these incidents, whose locks the caller holds, owe by themselves. Two queries for nothing."""
    real = Incident.objects.filter(pk__in=list(ids), is_drill=False)
    for incident in _owing(real):
        for owed in (_waiting(incident), _review(incident)):
            _bring_in_line(owed, incident, now=now)
    for bandage in _unpromised_bandages(real):
        _bring_in_line(
            _bandage(bandage),
            bandage.incident,
            countermeasure=bandage,
            by=bandage.created_by,
            now=bandage.created_at,
        )


def follow_own(incident: Incident, by: Person, reason: str, now: datetime | None) -> None:
    """The same at once for one incident, which is locked, because somebody moved its date and says why."""
    for owed in (_waiting(incident), _review(incident)):
        _bring_in_line(owed, incident, by=by, reason=reason, now=now)


def _owing(incidents: IncidentQuerySet) -> Iterable[Incident]:
    """Those that wait on somebody or are to be reviewed, or were when they were last read."""
    promised = Promise.objects.filter(
        incident=OuterRef("pk"), outcome=Outcome.OPEN, kind__in=(PromiseKind.WAITING, PromiseKind.REVIEW)
    )
    owing = Q(waiting_until__isnull=False) | Q(review_on__isnull=False) | Exists(promised)
    found = list(incidents.filter(owing).order_by().values_list("pk", flat=True))
    if not found:  # nearly always: nothing else about them is read
        return ()
    return Incident.objects.filter(pk__in=found).select_related("site", "area", "owner", "no_fix_accepted_by")


def _unpromised_bandages(incidents: IncidentQuerySet) -> Iterable[Countermeasure]:
    promised = Promise.objects.filter(countermeasure=OuterRef("pk"), kind=PromiseKind.BANDAGE)
    worn = Countermeasure.objects.worn().filter(incident__in=incidents.order_by().values("pk"))
    found = list(worn.filter(~Exists(promised)).order_by().values_list("pk", flat=True))
    if not found:
        return ()
    return Countermeasure.objects.filter(pk__in=found).select_related(
        "incident__site", "incident__area", "owner", "created_by"
    )


def _bring_in_line(
    owed: Owed,
    incident: Incident,
    *,
    countermeasure: Countermeasure | None = None,
    by: Person | None = None,
    reason: str = "",
    now: datetime | None = None,
) -> Promise | None:
    if not owed.is_open:
        lifecycle.end(owed.subject, kept=owed.kept, now=now)
        return None
    assert owed.person is not None
    return lifecycle.give(
        kind=owed.kind,
        subject=owed.subject,
        what=owed.what,
        person=owed.person,
        incident=incident,
        countermeasure=countermeasure,
        due_on=owed.due_on,
        due_at=owed.due_at,
        by=by,
        reason=reason,
        now=now,
    )


def _fix(found: Countermeasure) -> Owed:
    owed = Owed(PromiseKind.FIX, f"fix:{found.pk}", found.what)
    if found.stage == Stage.IN_WORK:
        return Owed(owed.kind, owed.subject, owed.what, person=found.owner, due_on=found.due_on)
    is_in = found.stage in (Stage.IN_PLACE, Stage.CHECKING, Stage.EFFECTIVE)
    return Owed(owed.kind, owed.subject, owed.what, kept=is_in)


def _bandage(found: Countermeasure) -> Owed:
    subject = f"bandage:{found.pk}"
    is_worn = found.kind == Kind.CONTAINMENT and found.stage in (Stage.IN_PLACE, Stage.CHECKING)
    if not is_worn or found.removed_at is not None:
        return Owed(PromiseKind.BANDAGE, subject, found.what, kept=found.removed_at is not None)
    person = found.owner or found.incident.owner
    return Owed(PromiseKind.BANDAGE, subject, found.what, person=person, due_on=found.expires_on)


def _check(found: Countermeasure) -> Owed:
    subject = f"check:{found.pk}"
    if found.stage == Stage.CHECKING and found.proved_on is not None:
        agreed = Promise.objects.open().filter(subject=subject).values_list("due_on", flat=True).first()
        due_on = max(found.proved_on + timedelta(days=CHECK_DAYS), agreed or date.min)
        return Owed(PromiseKind.CHECK, subject, found.what, person=found.checker, due_on=due_on)
    was_checked = found.stage in (Stage.EFFECTIVE, Stage.NOT_EFFECTIVE) and found.checked_by_id is not None
    return Owed(PromiseKind.CHECK, subject, found.what, kept=was_checked)


def _waiting(incident: Incident) -> Owed:
    subject, what = f"waiting:{incident.pk}", incident.waiting_name or incident.title
    is_open = incident.waiting_until is not None and incident.status != Status.CLOSED
    person = incident.owner if is_open else None
    due_at = incident.waiting_until
    return Owed(PromiseKind.WAITING, subject, what, person=person, due_at=due_at, kept=due_at is None)


def _review(incident: Incident) -> Owed:
    subject = f"review:{incident.pk}"
    if incident.status != Status.CLOSED or incident.review_on is None:
        return Owed(PromiseKind.REVIEW, subject, incident.title)
    return Owed(
        PromiseKind.REVIEW,
        subject,
        incident.title,
        person=incident.no_fix_accepted_by,
        due_on=incident.review_on,
    )
