"""Countermeasures as rows of a screen: icon, what, who, by when, how far it is proved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from countermeasures.models import LIVE, Countermeasure, Kind, Stage
from countermeasures.offers import Offer, offers
from countermeasures.wording import held_for
from plant.models import Person
from plant.wording import day_words

ICONS = {Kind.CONTAINMENT: "moving", Kind.PERMANENT: "shield", Kind.PREVENTIVE: "eye"}
BOXES = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One countermeasure. `boxes` has a class for each of the ten; empty when nothing is to be proved."""

    countermeasure: Countermeasure
    icon: str
    who: str
    due: str
    stage: str
    is_late: bool
    boxes: list[str]
    offers: list[Offer]


def rows(found: Iterable[Countermeasure], *, now: datetime, reader: Person | None = None) -> list[Row]:
    """`reader`: whose buttons are offered; nobody's when None. The incident of each must be loaded."""
    every = list(found)
    return [_quieter(row(one, now=now, reader=reader), every) for one in every]


def _quieter(one: Row, every: Sequence[Countermeasure]) -> Row:
    """What did not hold and has a next try needs nothing any more, unless the repeat was a mistake."""
    if not is_superseded(one.countermeasure, every):
        return one
    return replace(one, offers=[offer for offer in one.offers if offer.verb == "restore"])


def is_superseded(one: Countermeasure, every: Iterable[Countermeasure]) -> bool:
    """It did not hold, and another one of its kind was agreed for the same incident afterwards."""
    return one.stage == Stage.NOT_EFFECTIVE and any(
        other.pk > one.pk
        and (other.incident_id, other.kind) == (one.incident_id, one.kind)
        and other.stage != Stage.WITHDRAWN
        for other in every
    )


def row(one: Countermeasure, *, now: datetime, reader: Person | None = None) -> Row:
    today = now.astimezone(one.incident.site.tz).date()
    return Row(
        countermeasure=one,
        icon=ICONS[Kind(one.kind)],
        who=_who(one),
        due=_due(one, today),
        stage=_stage(one, now),
        is_late=is_late(one, today),
        boxes=_boxes(one, now),
        offers=offers(one, reader) if reader else [],
    )


def is_late(one: Countermeasure, today: date) -> bool:
    """A promised day has passed, or a bandage that is still on should be off."""
    if one.kind == Kind.CONTAINMENT and one.removed_at is None and one.expires_on:
        return one.expires_on < today and one.stage != Stage.WITHDRAWN
    return one.stage in (Stage.PLANNED, Stage.IN_WORK) and one.due_on is not None and one.due_on < today


def _who(one: Countermeasure) -> str:
    owner = one.owner.name if one.owner else _("No owner yet")
    if one.kind == Kind.CONTAINMENT or one.checker is None:
        return owner
    if one.checked_by is not None and one.stage == Stage.EFFECTIVE:
        return _("%(owner)s, checked by %(checker)s") % {"owner": owner, "checker": one.checked_by}
    return _("%(owner)s, %(checker)s checks") % {"owner": owner, "checker": one.checker}


def day(on: date | None, today: date) -> str:
    """ "Today", or "Fri 21 Nov"."""
    if on is None:
        return ""
    if on == today:
        return _("Today")
    return day_words(on, year=on.year != today.year)


def _ends(on: date | None, today: date) -> str:
    if on == today:
        return _("Ends today")
    return (_("Ended %(day)s") if on and on < today else _("Ends %(day)s")) % {"day": day(on, today)}


def _due(one: Countermeasure, today: date) -> str:
    if one.kind == Kind.CONTAINMENT and one.stage in (Stage.IN_PLACE, Stage.EFFECTIVE):
        if one.removed_at:
            return ""
        return _ends(one.expires_on, today)
    if one.stage in (Stage.CHECKING, Stage.IN_PLACE):
        return day(one.proved_on, today)
    return day(one.due_on, today) if one.stage in LIVE else ""


def _stage(one: Countermeasure, now: datetime) -> str:
    """The one screen word, with the figure that belongs to it."""
    if one.kind == Kind.CONTAINMENT:
        if one.removed_at:
            return _("Taken off")
        if one.stage == Stage.IN_PLACE:
            return _("On")
    if one.stage == Stage.CHECKING:
        return held_for(one, now)
    if one.stage in (Stage.PLANNED, Stage.IN_WORK) and one.is_planned_check_complete:
        then = ngettext(
            "then proved over %(days)s day", "then proved over %(days)s days", one.window_days or 0
        )
        return f"{one.get_stage_display()}, {then % {'days': one.window_days}}"
    return str(one.get_stage_display())


def _boxes(one: Countermeasure, now: datetime) -> list[str]:
    """Ten classes: y for a tenth that has passed, ok when it is proved."""
    if one.kind == Kind.CONTAINMENT:
        return []
    if one.stage == Stage.EFFECTIVE:
        return ["ok"] * BOXES
    if one.stage == Stage.CHECKING:
        full = one.proof_boxes(now)
        return ["y"] * full + [""] * (BOXES - full)
    return [""] * BOXES if one.is_planned_check_complete and one.stage in LIVE else []
