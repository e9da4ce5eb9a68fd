"""A fix did not hold: both managers are told, also when they never heard of the incident before (§3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import override

from escalation.engine.subjects import Subject
from escalation.models import Rank, Reason
from escalation.telling import Telling
from incidents.models import Event, EventKind, Severity
from plant.duty import DutyAnswer, DutyBook
from plant.models import Role

SAID = Q(kind=EventKind.COUNTERMEASURE, data__did__in=["not_effective", "restored"])
"""How the timeline says it; one event for each countermeasure that failed, or that did not after all."""

MANAGERS = (Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER)
CHANNELS = ["sms", "email"]


def tellings(
    known: Sequence[Subject], happened: Mapping[int, Sequence[Event]], now: datetime
) -> list[Telling]:
    """Once for each incident and manager, of the last of its fixes that failed since it was read."""
    failed = {subject.pk: _last_failure(happened.get(subject.pk, ())) for subject in known}
    if not any(failed.values()):
        return []
    book = DutyBook.load(now, until=now + timedelta(hours=1))
    return [
        telling
        for subject in known
        if (event := failed[subject.pk]) is not None and not subject.is_drill
        for telling in _to_managers(subject, event, book, now)
    ]


def _last_failure(events: Sequence[Event]) -> Event | None:
    """Of those that nobody has put right in the same breath."""
    failed: dict[int, Event] = {}
    for event in events:
        if is_failure(event):
            failed[event.data["countermeasure"]] = event
        elif event.kind == EventKind.COUNTERMEASURE:
            failed.pop(event.data["countermeasure"], None)
    return list(failed.values())[-1] if failed else None


def is_failure(event: Event) -> bool:
    return event.kind == EventKind.COUNTERMEASURE and event.data.get("did") == "not_effective"


def _to_managers(subject: Subject, event: Event, book: DutyBook, now: datetime) -> Iterator[Telling]:
    told: set[int | None] = {event.by_id}  # who found it out knows
    for role in MANAGERS:
        answer = book.on_duty(role, subject.place, now)
        for person in answer.people:
            if person.pk in told:
                continue
            told.add(person.pk)
            yield Telling(
                incident_id=subject.pk,
                person=person,
                reason=Reason.DID_NOT_HOLD.value,
                key=f"{subject.pk}:event:{event.pk}:{Reason.DID_NOT_HOLD}:{person.pk}",
                due_at=event.at,
                channels=list(CHANNELS),
                role=role.value,
                rank=_rank(subject),
                note=_gap(answer, person.language),
                data={"event": event.pk, "fix": event.data.get("what", "")},
            )


def _rank(subject: Subject) -> Rank:
    """A line that stands still again cannot wait for the morning; the rest can."""
    if subject.is_safety:
        return Rank.SAFETY
    return Rank.URGENT if subject.severity == Severity.S1 else Rank.QUIET


def _gap(answer: DutyAnswer, language: str) -> str:
    if not answer.is_gap:
        return ""
    with override(language):
        return answer.note
