"""Cover: somebody is away and somebody stands in. The verbs of the roster, and what they refuse.

Rows of the people concerned are locked first, always in the order of their ids, so that two planners can
neither send one person away twice nor stand somebody in who has just been sent away.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from opsdesk.errors import Invalid, Missing, Refused
from plant.models import Cover, CoverKind, Person
from plant.permissions import refuse_roster_change
from plant.wording import moment

LONGEST = timedelta(days=366)
"""Longer than any leave: a wrong year is found before it empties the roster."""


class ShiftTime(NamedTuple):
    """From when until when somebody works."""

    starts_at: datetime
    ends_at: datetime


@transaction.atomic
def add_cover(
    *,
    by: Person,
    absent: Person,
    stand_in: Person | None,
    starts_at: datetime,
    ends_at: datetime,
    kind: CoverKind | str = CoverKind.SWAP,
    note: str = "",
    uid: str = "",
    now: datetime | None = None,
) -> Cover:
    """Somebody is away from–until. Raises Refused when they are away already, or the stand-in is."""
    refuse_roster_change(by, of=absent)
    cover = Cover(
        absent=absent,
        stand_in=stand_in,
        starts_at=starts_at,
        ends_at=ends_at,
        kind=kind,
        note=note,
        uid=uid,
    )
    _lock(absent, stand_in)
    refuse_wrong_cover(cover, now=now)
    cover.save(force_insert=True)
    _record(by, cover, ADDITION)
    return cover


@transaction.atomic
def change_cover(
    pk: int,
    *,
    by: Person,
    stand_in: Person | None,
    starts_at: datetime,
    ends_at: datetime,
    kind: CoverKind | str,
    note: str = "",
    now: datetime | None = None,
) -> Cover:
    """Other times, another stand-in. What has begun keeps its start; what is over is not changed.

    An end that has passed means that they are back now, and nothing else changes.
    """
    now = now or timezone.now()
    cover = _locked(pk)
    refuse_roster_change(by, of=cover.absent)
    _refuse_past(cover, now)
    if cover.starts_at <= now and starts_at != cover.starts_at:
        raise Refused(
            "cover_has_begun",
            _("This has begun. Its start stays; only its end can move."),
            fields={"starts_at": [_("This has begun.")]},
        )
    if is_back(cover, ends_at, now):
        return _end(cover, by, now)
    _lock(cover.absent, stand_in)
    cover.stand_in, cover.starts_at, cover.ends_at = stand_in, starts_at, ends_at
    cover.kind, cover.note = CoverKind(kind), note
    refuse_wrong_cover(cover, now=now)
    cover.save(update_fields=["stand_in", "starts_at", "ends_at", "kind", "note"])
    _record(by, cover, CHANGE)
    return cover


@transaction.atomic
def end_cover(pk: int, *, by: Person, now: datetime | None = None) -> Cover:
    """Whoever is away is back now. What was until then stays on record."""
    now = now or timezone.now()
    cover = _locked(pk)
    refuse_roster_change(by, of=cover.absent)
    _refuse_past(cover, now)
    if cover.starts_at >= now:
        raise Refused("cover_has_not_begun", _("This has not begun. Take it off the roster instead."))
    return _end(cover, by, now)


def is_back(cover: Cover, ends_at: datetime, now: datetime) -> bool:
    """Whether that end means that who is away is back; an end before the start is a slip."""
    return cover.starts_at < now and cover.starts_at <= ends_at <= now


def _end(cover: Cover, by: Person, now: datetime) -> Cover:
    """Asks nothing about the stand-in: who is back needs none."""
    cover.ends_at = now
    cover.save(update_fields=["ends_at"])
    _record(by, cover, CHANGE)
    return cover


@transaction.atomic
def remove_cover(pk: int, *, by: Person, now: datetime | None = None) -> Cover:
    """It does not happen after all; returns what was removed. What has begun is ended, not removed."""
    now = now or timezone.now()
    cover = _locked(pk)
    refuse_roster_change(by, of=cover.absent)
    _refuse_past(cover, now)
    if cover.starts_at <= now:
        raise Refused(
            "cover_has_begun", _("This has begun, so it stays on record. Say that they are back instead.")
        )
    _record(by, cover, DELETION)
    cover.delete()
    return cover


@transaction.atomic
def swap_shifts(
    *,
    by: Person,
    first: Person,
    first_shift: ShiftTime,
    second: Person,
    second_shift: ShiftTime,
    note: str = "",
    now: datetime | None = None,
) -> tuple[Cover, Cover]:
    """Each works the shift of the other. Refused as a whole when one of the two halves is."""
    if first_shift.starts_at < second_shift.ends_at and second_shift.starts_at < first_shift.ends_at:
        raise Refused("same_time", _("These two shifts are at the same time, so there is nothing to swap."))
    _lock(first, second)
    halves = ((first, second, first_shift), (second, first, second_shift))
    given, taken = (
        add_cover(
            by=by,
            absent=absent,
            stand_in=stand_in,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            kind=CoverKind.SWAP,
            note=note,
            now=now,
        )
        for absent, stand_in, shift in halves
    )
    return given, taken


def _locked(pk: int) -> Cover:
    cover = Cover.objects.select_related("absent", "stand_in").filter(pk=pk).first()
    if cover is None:
        raise Missing("unknown_cover", _("It is no longer on the roster. Somebody has removed it."))
    _lock(cover.absent)
    cover.refresh_from_db(fields=["starts_at", "ends_at", "stand_in", "kind", "note"])
    return cover


def _lock(*people: Person | None) -> None:
    ids = sorted({person.pk for person in people if person})
    list(Person.objects.order_by("pk").filter(pk__in=ids).select_for_update(no_key=True).values_list("pk"))


def _refuse_past(cover: Cover, now: datetime) -> None:
    if cover.ends_at <= now:
        raise Refused("cover_is_over", _("This is over, so it stays as it was."))


def refuse_wrong_cover(cover: Cover, *, now: datetime | None = None) -> None:
    """Raise Invalid or Refused, with the field it is about, unless the cover can be."""
    _refuse_wrong_times(cover, now or timezone.now())
    _refuse_wrong_people(cover)
    if other := _overlapping(cover, absent=cover.absent):
        raise Refused(
            "away_already",
            _("%(name)s is away then already, from %(from)s to %(until)s. Change that instead.")
            % {"name": cover.absent, "from": moment(other.starts_at), "until": moment(other.ends_at)},
            fields={"starts_at": [_("Overlaps with another absence.")]},
        )
    if cover.stand_in and (other := _overlapping(cover, absent=cover.stand_in)):
        sentence = _("%(name)s is away then too, from %(from)s to %(until)s. Choose somebody else.")
        said = {"name": cover.stand_in, "from": moment(other.starts_at), "until": moment(other.ends_at)}
        raise Refused("stand_in_away", sentence % said, fields={"stand_in": [_("Away then too.")]})


def _refuse_wrong_times(cover: Cover, now: datetime) -> None:
    if cover.ends_at <= cover.starts_at:
        sentence = _("It must end after it starts.")
        raise Invalid("ends_before_it_starts", sentence, fields={"ends_at": [sentence]})
    if cover.ends_at <= now:
        sentence = _("That time is over. The roster only changes what is still to come.")
        raise Refused("in_the_past", sentence, fields={"ends_at": [sentence]})
    if cover.ends_at - cover.starts_at > LONGEST or cover.starts_at > now + LONGEST:
        sentence = _("That is more than a year. Check the year, or switch the person off under Setup.")
        raise Invalid("too_long", sentence, fields={"ends_at": [sentence]})


def _refuse_wrong_people(cover: Cover) -> None:
    if not cover.absent.is_active:
        sentence = _("%(name)s has left.") % {"name": cover.absent}
        raise Refused("has_left", sentence, fields={"absent": [sentence]})
    if cover.stand_in is None:
        return
    if cover.stand_in == cover.absent:
        sentence = _("Nobody can stand in for themselves.")
        raise Invalid("same_person", sentence, fields={"stand_in": [sentence]})
    if not cover.stand_in.is_active:
        sentence = _("%(name)s has left.") % {"name": cover.stand_in}
        raise Refused("has_left", sentence, fields={"stand_in": [sentence]})


def _overlapping(cover: Cover, *, absent: Person) -> Cover | None:
    found = Cover.objects.filter(absent=absent, starts_at__lt=cover.ends_at, ends_at__gt=cover.starts_at)
    return found.exclude(pk=cover.pk).order_by("starts_at").first()


def _record(by: Person, cover: Cover, action: int) -> None:
    """Who did it stays in the history of the setup pages."""
    rows: Iterable[Cover] = [cover]
    LogEntry.objects.log_actions(by.pk, rows, action, change_message="", single_object=True)
