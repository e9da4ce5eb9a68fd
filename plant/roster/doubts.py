"""What speaks against a cover without forbidding it: asked before it is saved, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from plant.coverage import PLANNED_ROLES, gap_spells, places_of
from plant.duty import DutyBook
from plant.duty_answer import role_in_a_sentence
from plant.models import Area, Cover, Role
from plant.rotation import ONE_DAY, ShiftSpan
from plant.wording import moment, names

LOOKS_AHEAD = timedelta(days=14)
"""Of a long absence the first two weeks are looked at."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """``code`` names it, so that the same doubt is asked about once."""

    code: str
    sentence: str


def doubts_about(cover: Cover) -> list[Doubt]:
    """What a planner should know before this cover is saved. The cover is not saved here.

    Ten queries: one book for the time of the cover, and the areas of the site.
    """
    until = min(cover.ends_at, cover.starts_at + LOOKS_AHEAD)
    book = DutyBook.load(cover.starts_at - ONE_DAY, until=until + ONE_DAY)
    book.known.suppose(cover)
    shifts = book.shifts_of(cover.absent, cover.starts_at, until)
    found = list(_about_the_stand_in(cover, book, shifts, until)) if cover.stand_in else []
    return found + list(_about_the_gap(cover, book, shifts))


def _about_the_stand_in(
    cover: Cover, book: DutyBook, shifts: list[ShiftSpan], until: datetime
) -> Iterator[Doubt]:
    person = cover.stand_in
    assert person is not None
    own = [
        span
        for span in book.shifts_of(person, cover.starts_at, until)
        if not book.is_away(person, span.starts_at)
    ]
    needed = [(span.starts_at, span.ends_at) for span in shifts] or [(cover.starts_at, until)]
    if clash := next((span for span in own if any(span.overlaps(*time) for time in needed)), None):
        said = {"name": person, "from": moment(clash.starts_at), "until": moment(clash.ends_at)}
        sentence = _("%(name)s works then already: from %(from)s to %(until)s.") % said
        yield Doubt(f"works-{person.pk}-{clash.starts_at:%Y%m%d%H%M}", sentence)
    missing = [role for role in Role if role in cover.absent.roles - person.roles]
    if missing:
        said = {"name": person, "roles": names(role_in_a_sentence(role) for role in missing)}
        sentence = (
            _("%(name)s does not hold the role %(roles)s, and would answer for it all the same.") % said
        )
        yield Doubt(f"role-{person.pk}", sentence)
    if not person.mobile:
        sentence = _("%(name)s has no mobile number, so no text message reaches them.") % {"name": person}
        yield Doubt(f"mobile-{person.pk}", sentence)


def _about_the_gap(cover: Cover, book: DutyBook, shifts: list[ShiftSpan]) -> Iterator[Doubt]:
    """The first time in which nobody on shift is left for a role of who is away."""
    site = cover.absent.site
    if site is None:
        return
    areas = list(Area.objects.filter(site=site).order_by("name"))
    for role in (role for role in PLANNED_ROLES if role in cover.absent.roles):
        for place in places_of(book, role, site, areas):
            if isinstance(place, Area) and not cover.absent.holds(role, site=site, area=place):
                continue
            spells = (
                spell
                for span in shifts
                for spell in gap_spells(
                    book,
                    role,
                    place,
                    max(span.starts_at, cover.starts_at),
                    min(span.ends_at, cover.ends_at),
                )
            )
            if spell := next(spells, None):
                sentence = _("From %(from)s: %(gap)s") % {
                    "from": moment(spell.starts_at),
                    "gap": spell.answer.note,
                }
                yield Doubt(f"gap-{role}-{spell.starts_at:%Y%m%d%H%M}", sentence)
                break
