"""Nobody on shift ahead: the IT managers of the site hear of it 12 h before, or as soon as it opens.

Gaps that follow each other at one place are one hole; the holes of one shift are one message. A hole that
changed since it was told is told again with the others of its shift; what was mended is not, unless it opens
again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from escalation.models import Notification, Rank, Reason
from escalation.rounds.once import LATE
from escalation.telling import Telling
from plant.coverage import Gap, Scope, gaps_ahead
from plant.duty import DutyBook
from plant.models import Area, Channel, Person, Role, Site
from plant.rotation import ONE_DAY
from plant.working_time import WorkingTime

AHEAD = timedelta(hours=12)
"""How long before a gap its message comes: a shift and a half to find somebody (issue 3)."""

LOOKS_ON = timedelta(hours=48)
"""How far beyond that the end of a gap is looked for; one that lasts longer has no end in its message."""

KNOWS = AHEAD + LOOKS_ON

SOON = timedelta(hours=4)
"""What begins sooner comes as a text message: it opened late, somebody is ill. Half a day ahead is read at a
desk; many a plant has no team leader on nights, and nobody should be rung for it each day."""

Named = tuple[str, str, str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Hole:
    """A role without anybody on shift at a place; ``ends_at`` is None when that is farther than is looked."""

    role: Role
    place: Scope
    starts_at: datetime
    ends_at: datetime | None
    told: tuple[Person, ...]

    @property
    def is_long(self) -> bool:
        """A day or more, so that a time alone does not say when it ends."""
        return self.ends_at is not None and self.ends_at - self.starts_at >= ONE_DAY

    def as_data(self) -> dict[str, Any]:
        return {
            "role": self.role.value,
            "where": str(self.place),
            "from": self.starts_at.isoformat(),
            "to": self.ends_at.isoformat() if self.ends_at else "",
            "told": [str(person) for person in self.told],
        }


def who_is_told(hours: WorkingTime, site: Site, areas: Sequence[Area], now: datetime) -> list[Telling]:
    """What the IT managers of the site have not heard yet. One query.

    What they heard of and is mended is noted on the message that said it: one query more when there is any.
    """
    found_now = holes(hours, site, areas, now)
    before = _told_before(site, now)
    _note_what_is_mended(before.values(), found_now, now)
    shifts = _shifts_to_tell(found_now, hours.book, areas, now)
    managers = it_managers(hours.book, site, now) if shifts else []
    return [
        telling
        for start, found in shifts.items()
        for person in managers
        if (telling := _telling(site, person, start, found, before.get((person.pk, start), []), now))
    ]


# --- holes --------------------------------------------------------------------------------------------------


def holes(hours: WorkingTime, site: Site, areas: Sequence[Area], now: datetime) -> list[Hole]:
    """Holes that began within the last hour or are ahead, earliest first; the book knows ``KNOWS`` ahead."""
    since, until = now - LATE, now + KNOWS
    found: dict[tuple[Role, Scope], list[Hole]] = defaultdict(list)
    for gap in gaps_ahead(site, since, until, hours=hours, areas=areas):
        _add(found[gap.role, gap.area or gap.site], gap)
    every = (_open_ended(hole, until) for one in found.values() for hole in one)
    ahead = (hole for hole in every if hole.starts_at > since and (hole.ends_at or until) > now)
    return sorted(ahead, key=lambda hole: hole.starts_at)


def _add(known: list[Hole], gap: Gap) -> None:
    """Gaps that touch are one hole: that others would be told in its second part mends nothing."""
    if known and known[-1].ends_at == gap.starts_at:
        known[-1] = replace(known[-1], ends_at=gap.ends_at)
    else:
        known.append(Hole(gap.role, gap.area or gap.site, gap.starts_at, gap.ends_at, gap.told))


def _open_ended(hole: Hole, until: datetime) -> Hole:
    return replace(hole, ends_at=None) if hole.ends_at and hole.ends_at >= until else hole


def _shifts_to_tell(
    found: Sequence[Hole], book: DutyBook, areas: Sequence[Area], now: datetime
) -> dict[datetime, list[Hole]]:
    """Holes by the start of the shift they begin in; all of a shift as soon as its first is near."""
    shifts: dict[datetime, list[Hole]] = defaultdict(list)
    for hole in found:
        shifts[_shift_start(hole, book, areas)].append(hole)
    return {start: one for start, one in shifts.items() if one[0].starts_at <= now + AHEAD}


def _shift_start(hole: Hole, book: DutyBook, areas: Sequence[Area]) -> datetime:
    """When the shift on then began; of several, the one that began last. Without a shift, the hole itself."""
    here = [hole.place] if isinstance(hole.place, Area) else areas
    spans = (
        span
        for area in here
        for crew in book.known.crews_of(area)
        if (span := crew.span_at(hole.starts_at)) is not None
    )
    return max((span.starts_at for span in spans), default=hole.starts_at)


# --- who hears of it ----------------------------------------------------------------------------------------


def it_managers(book: DutyBook, site: Site, now: datetime) -> list[Person]:
    """Everybody who holds the role for the site, at work or not; for who is away, whoever stands in.

    Never nobody: without an IT manager it is whoever answers instead.
    """
    held = (person for person, one in book.known.held[Role.IT_MANAGER] if one.site_id in (None, site.pk))
    here = (book.stand_in_for(person, now) if book.is_away(person, now) else person for person in held)
    found = {person.pk: person for person in here if person is not None}
    return list(found.values()) or list(book.on_duty(Role.IT_MANAGER, site, now).people)


def _told_before(site: Site, now: datetime) -> Mapping[tuple[int, datetime], list[Notification]]:
    """What each person was told about each shift that may still matter, oldest first."""
    # incident=None: by the index of incident and time, which few of all messages are in without one
    recent = Notification.objects.filter(incident=None, created_at__gt=now - AHEAD - KNOWS)
    rows = recent.filter(site=site, reason=Reason.GAP_AHEAD).order_by("id")
    found: dict[tuple[int, datetime], list[Notification]] = defaultdict(list)
    for message in rows.only("person_id", "data"):
        found[message.person_id, datetime.fromisoformat(message.data["shift"])].append(message)
    return found


def _note_what_is_mended(
    before: Iterable[Sequence[Notification]], found: Sequence[Hole], now: datetime
) -> None:
    """On the last message about each shift, once: which of its holes are no longer there."""
    noted = []
    for *_earlier, last in before:
        looked_until = last.data["looked_until"]
        here = {_named(hole.as_data(), looked_until) for hole in found}
        mended = last.data.get("mended", [])
        ahead = (hole for hole in last.data["holes"] if hole not in mended and _is_ahead(hole, now))
        if gone := [hole for hole in ahead if _named(hole, looked_until) not in here]:
            last.data["mended"] = [*mended, *gone]
            noted.append(last)
    if noted:
        Notification.objects.bulk_update(noted, ["data"])


def _is_ahead(hole: Mapping[str, Any], now: datetime) -> bool:
    """Whether `holes` would still find it: what only went by was not mended."""
    begins, ends = hole["from"], hole["to"]
    return datetime.fromisoformat(begins) > now - LATE and (not ends or datetime.fromisoformat(ends) > now)


def _telling(
    site: Site,
    person: Person,
    start: datetime,
    found: Sequence[Hole],
    before: Sequence[Notification],
    now: datetime,
) -> Telling | None:
    """None when the last message about the shift already said all of it."""
    if before and _is_said(found, before[-1].data):
        return None
    return Telling(
        incident_id=None,
        site_id=site.pk,
        person=person,
        reason=Reason.GAP_AHEAD.value,
        key=f"gap:{site.pk}:{start:%Y%m%dT%H%M%SZ}:{len(before)}:{person.pk}",
        due_at=found[0].starts_at - AHEAD,
        channels=_channels(found[0], now),
        role=Role.IT_MANAGER.value,
        rank=Rank.QUIET,
        data={
            "shift": start.isoformat(),
            "holes": [hole.as_data() for hole in found],
            "looked_until": (now + KNOWS).isoformat(),
            "is_change": bool(before),
            "site": "" if person.site_id == site.pk else site.code,
            "day": found[0].starts_at.astimezone(site.tz).date().isoformat(),
        },
        by_one_way=True,
    )


def _channels(first: Hole, now: datetime) -> list[str]:
    ways = [Channel.SMS.value, Channel.EMAIL.value]
    return ways if first.starts_at - now < SOON else ways[1:]


def _is_said(found: Iterable[Hole], said: Mapping[str, Any]) -> bool:
    """Whether each hole stands in that message as it is now, as far as was seen then, and stayed open."""
    looked_until, mended = said["looked_until"], said.get("mended", [])
    known = [_named(hole, looked_until) for hole in said["holes"] if hole not in mended]
    return all(_named(hole.as_data(), looked_until) in known for hole in found)


def _named(hole: Mapping[str, Any], looked_until: str) -> Named:
    ends = hole["to"]
    is_far = not ends or datetime.fromisoformat(ends) >= datetime.fromisoformat(looked_until)
    return hole["role"], hole["where"], hole["from"], "" if is_far else ends, tuple(hole["told"])
