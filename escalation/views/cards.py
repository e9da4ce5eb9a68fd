"""A countermeasure as a card of the board: what stands between its title and its owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from countermeasures.models import Countermeasure, Kind, Stage
from countermeasures.offers import Offer
from countermeasures.promises.slips import Slips, slips_of
from countermeasures.wording import held_for
from escalation.views import proofs
from incidents.readings import again
from plant.models import Person
from plant.wording import day_words, moment


@dataclass(frozen=True, slots=True)
class Card:
    """`was`: dates it was promised for before. `again`: it came back. `figure`: how far the proof is."""

    row: proofs.Row
    note: str
    was: list[str]
    why: str
    again: str
    figure: str
    checker: str
    due: str
    offers: list[Offer]


def cards(found: Sequence[Countermeasure], *, now: datetime, reader: Person) -> list[Card]:
    """One query for all of them: the dates they were promised for before."""
    slipped = slips_of(found)
    return [_card(one, slipped, now, reader) for one in found]


def _card(one: Countermeasure, slipped: Mapping[int, Slips], now: datetime, reader: Person) -> Card:
    row = proofs.row(one, now=now, reader=reader)
    today = now.astimezone(one.incident.site.tz).date()
    slips = slipped.get(one.pk, Slips())
    return Card(
        row=row,
        note=_bandage(one, now, today),
        was=[day_words(day, weekday=False) for day in slips.days],
        why=slips.why,
        again=_again(one),
        figure=_figure(one, now),
        checker=_checker(one),
        due=_due(one, row, now),
        offers=_next(one, row.offers),
    )


def _next(one: Countermeasure, offers: Sequence[Offer]) -> list[Offer]:
    """What moves it on: first its check is planned, then it goes in. Its page has all that may be done."""
    can_go_in = one.kind == Kind.CONTAINMENT or one.is_planned_check_complete
    elsewhere = {"withdraw", "checker", "owner", "plan-check" if can_go_in else "in-place"}
    if one.is_strong_enough:
        elsewhere.add("strength")
    return [offer for offer in offers if offer.verb not in elsewhere]


def _bandage(one: Countermeasure, now: datetime, today: date) -> str:
    """ "A bandage, on for 5 days. 3 days left." """
    if one.kind != Kind.CONTAINMENT or one.in_place_at is None or one.removed_at is not None:
        return ""
    worn = max(0, (today - one.in_place_at.astimezone(one.incident.site.tz).date()).days)
    on = (
        ngettext("A bandage, on for %(n)s day.", "A bandage, on for %(n)s days.", worn) % {"n": worn}
        if worn
        else _("A bandage, on since today.")
    )
    left = (one.expires_on - today).days if one.expires_on else 0
    if left > 0:
        rest = ngettext("%(n)s day left.", "%(n)s days left.", left) % {"n": left}
    else:
        rest = _("It ends today.") if left == 0 else _("It should be off.")
    return f"{on} {rest}"


def _again(one: Countermeasure) -> str:
    """ "Did not hold", else how often its problem was there; empty for a problem seen once."""
    if one.stage == Stage.NOT_EFFECTIVE:
        return _("Did not hold")
    often = again(one.incident)
    if often:
        return often[0].upper() + often[1:]
    times = one.incident.reopen_count
    if not times:
        return ""
    return ngettext("Came back once", "Came back %(n)s times", times) % {"n": times}


def _figure(one: Countermeasure, now: datetime) -> str:
    """ "61 of 90 days", or "90 days" once it is proven; empty for what has no window."""
    if one.kind == Kind.CONTAINMENT or not one.window_days:
        return ""
    if one.stage == Stage.EFFECTIVE:
        return ngettext("%(n)s day", "%(n)s days", one.window_days) % {"n": one.window_days}
    if one.stage == Stage.CHECKING:
        return held_for(one, now)
    return ""


def _checker(one: Countermeasure) -> str:
    if one.stage == Stage.EFFECTIVE and one.checked_by:
        return _("%(name)s checked") % {"name": one.checked_by}
    if one.kind != Kind.CONTAINMENT and one.stage in (Stage.IN_PLACE, Stage.CHECKING) and one.checker:
        return _("%(name)s checks") % {"name": one.checker}
    return ""


def _due(one: Countermeasure, row: proofs.Row, now: datetime) -> str:
    if one.stage == Stage.EFFECTIVE and one.checked_at:
        return proofs.day(one.checked_at.astimezone(one.incident.site.tz).date(), _today(one, now))
    if one.stage == Stage.NOT_EFFECTIVE:
        return _("Needs a new date")
    if row.due:
        return row.due
    if one.stage == Stage.PLANNED and one.owner:
        asked = one.created_at.astimezone(one.incident.site.tz).date()
        at = moment(one.created_at, now) if asked == _today(one, now) else proofs.day(asked, _today(one, now))
        return _("Asked %(at)s") % {"at": at}
    return _("No date") if one.stage in (Stage.PLANNED, Stage.IN_WORK) else ""


def _today(one: Countermeasure, now: datetime) -> date:
    return now.astimezone(one.incident.site.tz).date()
