"""Whose number a text came from. One number may be two people's: then it is asked, never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from escalation.inbound.words import Said, fold, understand
from escalation.models import Notification
from plant.models import Person

_NOT_DIGITS = re.compile(r"[^0-9]")
_WORD = re.compile(r"[^\W\d_]+")


def number_of(sender: str) -> str:
    """A sender in the form in which mobiles are kept: +13135550101. Empty when it is no such number."""
    text = sender.strip().rpartition(":")[2]  # "whatsapp:+1313…"
    digits = _NOT_DIGITS.sub("", text) if text.isascii() else ""
    if text.lstrip(" (").startswith("00"):
        digits = digits[2:]
    return f"+{digits}" if 7 <= len(digits) <= 15 else ""


def people_with(number: str) -> list[Person]:
    """Everybody whose mobile it is, by name."""
    if not number:
        return []
    return list(Person.objects.active().filter(mobile=number).with_roles().order_by("name", "pk"))


@dataclass(frozen=True, slots=True)
class Sender:
    """Who it is, when that is clear; else who it may be. `said` is without the name they signed with."""

    person: Person | None
    said: Said
    may_be: Sequence[Person] = ()


def who_is_it(people: Sequence[Person], said: Said, text: str) -> Sender:
    """The only one with this number, or who signs with a name, or who was told about what they answer."""
    if len(people) == 1:
        return Sender(people[0], said)
    signed = _signed(people, text)
    if signed is not None:
        return Sender(signed[0], understand(signed[1]))
    told = _told(people, said)
    if len(told) == 1:
        return Sender(told[0], said)
    return Sender(None, said, told or people)


def _signed(people: Sequence[Person], text: str) -> tuple[Person, str] | None:
    """ "1042 Dale": the first or the last word, or the first after the number, is the name of one of them."""
    words = list(_WORD.finditer(text))
    for match in [*words[:2], *words[-1:]]:
        named = [person for person in people if fold(match.group()) in _names(person)]
        if len(named) == 1:
            return named[0], text[: match.start()] + text[match.end() :]
    return None


def _names(person: Person) -> set[str]:
    return {fold(part) for part in _WORD.findall(f"{person.name} {person.username}")}


def _told(people: Sequence[Person], said: Said) -> list[Person]:
    """Those of them who were told about what is meant, or for whom anything waits."""
    told = Notification.objects.filter(person__in=people, incident__isnull=False)
    if said.numbers:
        told = told.filter(incident__number__in=said.numbers)
    else:
        told = told.filter(answered_at=None, incident__closed_at=None)
    known = set(told.values_list("person_id", flat=True))
    return [person for person in people if person.pk in known]
