"""Asking for help: a named person, whoever is on duty in a role, or a vendor is asked to come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.lifecycle.moves import touch
from incidents.models import EventKind, Incident
from incidents.permissions import Action, can, refuse_unless
from opsdesk.errors import Invalid, Refused
from plant.duty import DutyAnswer, DutyBook
from plant.models import Person, Role, Vendor

HELPERS = (Role.IT_SPECIALIST, Role.IT_LEAD)
"""Roles that can be asked to help: whoever is on duty for the place answers for them."""

ONCE_IN = timedelta(minutes=10)
"""Asking the same again within this is a double tap; after it, it is asking again."""

LONGEST_WORDS = 200


@transaction.atomic
def ask_help(
    number: int | str,
    *,
    by: Person,
    who: Person | Role | Vendor,
    words: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Ask somebody to help. The owner stays the owner, and no clock stops.

    A role stands for the people who are on duty in it for the place, now. Who is named is told urgently; a
    vendor is not written to: that they are needed is recorded, and screens show the number to call. Repeating
    it within ten minutes is harmless. Refused: `closed`, `cannot_help`, `nobody_to_help`; Invalid for another
    role, or words that are too long.
    """
    incident = Incident.objects.locked(number)
    refuse_unless(by, Action.ASK_HELP, incident)
    if not incident.is_open:
        raise Refused("closed", _("%(code)s is closed.") % {"code": incident.code})
    now, words = now or timezone.now(), words.strip()
    if len(words) > LONGEST_WORDS:
        sentence = _("Say it in 200 characters.")
        raise Invalid("too_long", sentence, fields={"words": [sentence]})
    asked = _asked(incident, who, by, now)
    if _was_asked(incident, asked, now):
        return incident  # a double tap: before the stale check, on purpose
    incident.refuse_if_stale(seen_version)
    return touch(incident, kind=EventKind.HELP_ASKED, by=by, now=now, words=words, data=asked)


def _asked(incident: Incident, who: Person | Role | Vendor, by: Person, now: datetime) -> dict[str, Any]:
    """What the event keeps: `who` is the key of what was asked for, `to` its name, `people` who is told."""
    if isinstance(who, Vendor):
        return {"who": f"vendor:{who.code}", "to": who.name, "vendor": who.code, "people": []}
    if isinstance(who, Person):
        _refuse_unhelpful(incident, who, by)
        return {"who": f"person:{who.username}", "to": who.name, "people": [_named(who, "")]}
    return _role(incident, who, by, now)


def _refuse_unhelpful(incident: Incident, who: Person, by: Person) -> None:
    """Somebody who has it already, asks, or does not work for this site."""
    if who == incident.owner:
        raise Refused("cannot_help", _("%(name)s has it already. Ask somebody else.") % {"name": who})
    if who == by:
        raise Refused("cannot_help", _("You cannot ask yourself. Ask somebody else."))
    if not can(who, Action.ADD_WORDS, incident):
        raise Refused("cannot_help", _("%(name)s does not work for this site.") % {"name": who})


def _role(incident: Incident, role: Role, by: Person, now: datetime) -> dict[str, Any]:
    if role not in HELPERS:
        sentence = _("Ask a specialist, a lead, somebody by name, or a vendor.")
        raise Invalid("unknown_helper", sentence, fields={"who": [sentence]})
    answer = on_duty(DutyBook.load(now, until=now + timedelta(hours=1)), incident, role, now)
    people = others(answer, incident, by)
    if not people:
        raise Refused(
            "nobody_to_help",
            _("There is nobody but you as %(role)s. Ask somebody else.") % {"role": role.label},
        )
    asked: dict[str, Any] = {
        "who": f"role:{role.value}",
        "to": "",
        "role": role.value,
        "people": [_named(person, role.value) for person in people],
    }
    if answer.is_gap:
        asked["gap"] = {"level": answer.level.value, "where": answer.where}
    return asked


def on_duty(book: DutyBook, incident: Incident, role: Role, now: datetime) -> DutyAnswer:
    """Whoever answers for a role where the incident is."""
    return book.on_duty(role, incident.area or incident.site, now)


def others(answer: DutyAnswer, incident: Incident, by: Person) -> list[Person]:
    """The people of an answer without whoever asks and whoever has it."""
    return [person for person in answer.people if person.pk not in (by.pk, incident.owner_id)]


def _named(person: Person, role: str) -> dict[str, Any]:
    return {"id": person.pk, "name": person.name, "role": role}


def _was_asked(incident: Incident, asked: dict[str, Any], now: datetime) -> bool:
    """The same was asked a moment ago, since somebody has it or nobody has."""
    since = max(filter(None, [now - ONCE_IN, incident.acknowledged_at, incident.clocks_from]))
    before = incident.events.filter(kind=EventKind.HELP_ASKED, at__gte=since, at__lte=now)
    return before.filter(data__who=asked["who"]).exists()
