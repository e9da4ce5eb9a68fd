"""How a person is told: their number and address, by which channels, and in which hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from opsdesk.errors import Invalid, Refused
from plant.models import Channel, Language, Person
from plant.numbers import country_of, mobile_of
from plant.permissions import refuse_contact

VERIFIED = {Channel.SMS: "mobile", Channel.EMAIL: "email"}
"""The field that holds the address of each channel that can be verified."""

URGENT = (Channel.SMS, Channel.EMAIL, Channel.PUSH)  # a chat room is nobody's own: rooms hear by themselves
NORMAL = (*URGENT, Channel.DIGEST)
"""What may be chosen. Nothing urgent is collected for the morning."""

WORKWEEK = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chooses. No channels: as the plant's rules say. No hours: at any hour."""

    urgent: Sequence[str] = ()
    normal: Sequence[str] = ()
    works_from: time | None = None
    works_until: time | None = None
    works_days: Sequence[int] = WORKWEEK
    language: str = ""


@transaction.atomic
def choose_ways(person: Person, choices: Choices, *, by: Person) -> Person:
    """Channels by urgency, in order, and working hours. Raises Invalid for what cannot be, NotAllowed."""
    refuse_contact(by, person)
    _refuse_wrong_ways(choices)
    _refuse_wrong_hours(choices)
    locked = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    locked.urgent_channels, locked.normal_channels = list(choices.urgent), list(choices.normal)
    locked.works_from, locked.works_until = choices.works_from, choices.works_until
    locked.works_days = sorted(set(choices.works_days))
    locked.language = choices.language or locked.language
    locked.save(
        update_fields=[
            "urgent_channels",
            "normal_channels",
            "works_from",
            "works_until",
            "works_days",
            "language",
        ]
    )
    return locked


def _refuse_wrong_ways(choices: Choices) -> None:
    for name, given, known in (("urgent", choices.urgent, URGENT), ("normal", choices.normal, NORMAL)):
        if not set(given) <= set(known):
            _refuse(name, "unknown_channel", _("Choose from the ways that are offered."))
        if len(set(given)) < len(given):
            _refuse(name, "channel_twice", _("Name each way once."))
    if choices.language and choices.language not in Language.values:
        _refuse("language", "unknown_language", _("Choose English or Spanish."))


def _refuse_wrong_hours(choices: Choices) -> None:
    if (choices.works_from is None) != (choices.works_until is None):
        _refuse("works_from", "half_hours", _("Say from when and until when, or leave both empty."))
    if choices.works_from is None:
        return
    if choices.works_from == choices.works_until:
        _refuse("works_until", "no_hours", _("The end is the start. Leave both empty for any hour."))
    if not choices.works_days:
        _refuse("works_days", "no_days", _("Choose at least one day, or leave the hours empty."))
    if not set(choices.works_days) <= set(range(7)):
        _refuse("works_days", "unknown_day", _("Choose days of the week."))


def _refuse(field: str, code: str, why: object) -> None:
    raise Invalid(code, str(why), {field: [str(why)]})


@transaction.atomic
def change_addresses(person: Person, *, mobile: str, email: str, by: Person) -> Person:
    """A new number or address has not been verified, whatever the old one was. The same again is harmless.

    `mobile` as people write it. Raises Invalid for what is no number or address, Refused (`email_taken`).
    """
    refuse_contact(by, person)
    given = {"mobile": mobile_of(mobile, country_of(person)), "email": _email(email)}
    locked = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    changed = [name for name, value in given.items() if value != getattr(locked, name)]
    if "email" in changed and _is_taken(given["email"], locked):
        raise Refused("email_taken", _("Somebody else signs in with this address. Ask your IT manager."))
    for name in changed:
        setattr(locked, name, given[name])
        setattr(locked, f"{name}_verified_at", None)
    locked.save(update_fields=[field for name in changed for field in (name, f"{name}_verified_at")])
    return locked


def _email(text: str) -> str:
    given = text.strip()
    try:
        if given:
            validate_email(given)
    except ValidationError:
        _refuse("email", "no_email", _("This is no email address."))
    return given


def _is_taken(email: str, person: Person) -> bool:
    return bool(email) and Person.objects.filter(email__iexact=email).exclude(pk=person.pk).exists()


def mark_verified(person: Person, channel: str, address: str, *, now: datetime) -> bool:
    """The person showed that they read what goes there. False when it is their address no more."""
    name = VERIFIED[Channel(channel)]
    mine = Person.objects.filter(pk=person.pk, **{name: address}).exclude(**{name: ""})
    return bool(mine.update(**{f"{name}_verified_at": now}))
