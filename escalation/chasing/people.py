"""Who is asked about a promise: who gave it or stands in, their lead, the managers of the place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from countermeasures.models import Promise
from escalation.chasing.rules import Ask
from plant.duty import DutyBook
from plant.models import Area, Person, Role, Site

IT = (Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD, Role.IT_MANAGER)
MANAGERS = (Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER)
"""A bandage concerns both managers; for other promises the production manager is the last to hear."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One person, as what, and for whom they stand in."""

    person: Person
    ask: Ask
    role: str = ""
    instead_of: str = ""


def who_is_asked(promise: Promise, asks: Sequence[Ask], book: DutyBook, now: datetime) -> list[Asked]:
    """Each person once, never nobody."""
    found: dict[int, Asked] = {}
    for ask in asks:
        for one in _who(promise, ask, book, now):
            found.setdefault(one.person.pk, one)
    return list(found.values())


def _who(promise: Promise, ask: Ask, book: DutyBook, now: datetime) -> Iterator[Asked]:
    if ask == Ask.OWNER:
        yield from _owner(promise, book, now)
        return
    for role in _roles(promise, ask, book):
        for person in book.on_duty(role, place(promise), now).people:
            yield Asked(person, ask, role.value)


def _owner(promise: Promise, book: DutyBook, now: datetime) -> Iterator[Asked]:
    """Who is away is not asked: whoever stands in is, or else the lead."""
    owner = book.known.people.get(promise.person_id)
    if owner is not None and not book.is_away(owner, now):
        yield Asked(owner, Ask.OWNER)
        return
    stand_in = book.stand_in_for(owner, now) if owner is not None else None
    if stand_in is not None:
        yield Asked(stand_in, Ask.OWNER, instead_of=promise.person.name)
        return
    for one in _who(promise, Ask.LEAD, book, now):
        yield Asked(one.person, Ask.LEAD, one.role, instead_of=promise.person.name)


def _roles(promise: Promise, ask: Ask, book: DutyBook) -> Sequence[Role]:
    if ask == Ask.IT_MANAGER:
        return (Role.IT_MANAGER,)
    if ask == Ask.MANAGERS:
        return MANAGERS if promise.kind == "bandage" else MANAGERS[:1]
    owner = book.known.people.get(promise.person_id)
    is_it = owner is None or owner.holds(*IT)
    return (Role.IT_LEAD,) if is_it else (Role.SUPERVISOR,)


def place(promise: Promise) -> Area | Site:
    """Whose duty and whose hours count; only the ids are filled in."""
    if promise.area_id:
        return Area(pk=promise.area_id, site_id=promise.site_id)
    return Site(pk=promise.site_id)
