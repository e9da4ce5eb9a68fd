"""The history of one countermeasure: what the timeline of its incident says about it (ADR 0014)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from countermeasures.models import Countermeasure
from countermeasures.wording import unit_words
from incidents.models import Event, EventKind
from plant.wording import day_words, moment

DID: dict[str, StrPromise] = {
    "contained": _("put the bandage on"),
    "added": _("added it"),
    "promised": _("agreed who does it and by when"),
    "in_the_way": _("said what is in the way"),
    "check_planned": _("planned the check"),
    "checker_named": _("named another checker"),
    "owner_named": _("named somebody else to look after it"),
    "strength_said": _("said how strong it is"),
    "in_place": _("put it in place"),
    "checking": _("started to prove it"),
    "effective": _("signed off that it holds"),
    "not_effective": _("found that it did not hold"),
    "restored": _("found that it holds after all: the repeat was a mistake"),
    "measured": _("measured"),
    "extended": _("let it stay longer"),
    "waived": _("accepts that a weaker one is enough"),
    "taken_off": _("took it off"),
    "withdrawn": _("gave it up"),
    "system_chosen": _("said which system it is about"),
    "elsewhere_applies": _("found that it is needed at another place"),
    "elsewhere_does_not_apply": _("found that it is not needed at another place"),
    "elsewhere_done": _("put it in place at another place"),
}
"""What somebody did, after their name."""

SAID_BESIDE = frozenset(
    {
        "evidence",
        "measured",
        "waived_reason",
        "in_place_at",
        "placed_by",
        "checking_from",
        "checked_at",
        "checked_by",
        "waived_by",
        "removed_at",
        "removed_by",
    }
)
"""Fields that only repeat the words, the person or the time of their entry."""


ENDED_IS_NEWS = frozenset({"waived_by"})
"""Of these, those that are said when they end: a waiver ends by itself when the fix does not hold."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field: its name on the screen, what it was (empty for nothing) and what it is now."""

    label: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what and when, in which words, and which fields became what by it."""

    at: datetime
    who: str
    did: str
    words: str
    changes: list[Change]


def events_of(found: Countermeasure) -> QuerySet[Event]:
    """The events about it, oldest first."""
    return Event.objects.filter(incident_id=found.incident_id, data__countermeasure=found.pk).select_related(
        "by"
    )


def history(found: Countermeasure) -> list[Entry]:
    """Everything that ever happened to it, newest first, in the reader's language."""
    return [_entry(event) for event in events_of(found).order_by("-at", "-pk")]


def _entry(event: Event) -> Entry:
    is_bandage = event.kind == EventKind.CONTAINED
    did = "contained" if is_bandage else str(event.data.get("did", ""))
    return Entry(
        at=event.at,
        who=event.by.name if event.by else "OpsDesk",
        did=str(DID.get(did, _("changed it"))),
        words="" if did == "added" else event.words,
        changes=list(_changes(event.data.get("changed", {}))),
    )


def _changes(changed: dict[str, list[Any]]) -> Iterable[Change]:
    for name, (was, now) in changed.items():
        if name in SAID_BESIDE and not (name in ENDED_IS_NEWS and was and not now):
            continue
        try:
            field = Countermeasure._meta.get_field(name)
        except FieldDoesNotExist:
            continue  # a field that a later version took away
        assert isinstance(field, models.Field)
        yield Change(capfirst(str(field.verbose_name)), _said(field, was), _said(field, now))


def _said(field: models.Field[Any, Any], value: Any) -> str:
    """A kept value in the words of the screen."""
    if value is None or value == "":
        return ""
    words = dict(field.flatchoices).get(value) if field.choices else None
    if words is not None:
        return str(words)
    if field.name == "exposure_unit":
        return unit_words(str(value))
    if isinstance(field, models.DateTimeField):
        at = parse_datetime(str(value))
        return moment(at) if at else str(value)
    if isinstance(field, models.DateField):
        day = parse_date(str(value))
        return day_words(day, year=True) if day else str(value)
    return str(value)
