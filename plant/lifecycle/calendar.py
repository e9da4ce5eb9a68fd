"""What is planned for the plant: shutdowns, days off, planned downtime, and work on days usually off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from opsdesk.errors import Invalid, Missing, Refused
from plant.models import Area, CalendarEntry, EntryKind, Person, Site, SiteCalendar
from plant.permissions import refuse_calendar_change

LONGEST = timedelta(days=366)
FARTHEST = 2 * LONGEST
"""How far ahead something is planned: in autumn a plant knows its whole next year. The rest are slips."""


@transaction.atomic
def set_calendar(
    site: Site, *, by: Person, country: str, subdivision: str, works_on: Sequence[str], weekend: Sequence[int]
) -> SiteCalendar:
    """Which public holidays and weekend days the site keeps. Raises Invalid for a place nobody knows."""
    refuse_calendar_change(by, site)
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)  # two who save the first one at once
    calendar = SiteCalendar.objects.filter(site=site).first() or SiteCalendar(site=site)
    is_new = calendar.pk is None
    calendar.country, calendar.subdivision = country, subdivision
    calendar.works_on, calendar.weekend = list(works_on), sorted(weekend)
    try:
        calendar.full_clean()
    except ValidationError as error:
        raise Invalid("bad_calendar", _("Check the country and the region."), error.message_dict) from None
    calendar.save()
    _record(by, calendar, ADDITION if is_new else CHANGE)
    return calendar


@transaction.atomic
def add_entry(
    site: Site,
    *,
    by: Person,
    kind: EntryKind | str,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    areas: Sequence[Area] = (),
    now: datetime | None = None,
) -> CalendarEntry:
    """Plan a stop, or work on a day off, for the site or for some of its areas. Refused once it is over."""
    refuse_calendar_change(by, site)
    now = now or timezone.now()
    entry = CalendarEntry(site=site, kind=kind, name=name, starts_at=starts_at, ends_at=ends_at)
    _refuse_over(entry, now)
    _refuse_wrong(entry, areas, now)
    entry.save(force_insert=True)
    entry.areas.set(areas)
    _record(by, entry, ADDITION)
    return entry


@transaction.atomic
def change_entry(
    pk: int,
    *,
    by: Person,
    kind: EntryKind | str,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    areas: Sequence[Area] = (),
    now: datetime | None = None,
) -> CalendarEntry:
    """What is over stays as it was, and nothing is moved into the past; what has begun may have ended."""
    now = now or timezone.now()
    entry = _locked(pk, by, now)
    has_begun = entry.starts_at <= now and entry.starts_at == starts_at
    entry.kind, entry.name, entry.starts_at, entry.ends_at = EntryKind(kind), name, starts_at, ends_at
    if not has_begun:
        _refuse_over(entry, now)
    _refuse_wrong(entry, areas, now)
    entry.save(update_fields=["kind", "name", "starts_at", "ends_at"])
    entry.areas.set(areas)
    _record(by, entry, CHANGE)
    return entry


@transaction.atomic
def remove_entry(pk: int, *, by: Person, now: datetime | None = None) -> CalendarEntry:
    """It does not happen after all; returns what was removed."""
    entry = _locked(pk, by, now or timezone.now())
    _record(by, entry, DELETION)
    entry.delete()
    return entry


def _locked(pk: int, by: Person, now: datetime) -> CalendarEntry:
    found = CalendarEntry.objects.select_for_update(of=("self",)).select_related("site").filter(pk=pk)
    entry = found.first()
    if entry is None:
        raise Missing("unknown_entry", _("It is no longer in the calendar. Somebody has removed it."))
    refuse_calendar_change(by, entry.site)
    if entry.ends_at <= now:
        raise Refused("entry_is_over", _("This is over, so it stays as it was."))
    return entry


def _refuse_over(entry: CalendarEntry, now: datetime) -> None:
    if entry.starts_at < entry.ends_at <= now:
        sentence = _("That time is over. Check the day and the year.")
        raise Refused("in_the_past", sentence, fields={"ends_at": [sentence]})


def _refuse_wrong(entry: CalendarEntry, areas: Sequence[Area], now: datetime) -> None:
    if entry.ends_at <= entry.starts_at:
        sentence = _("It must end after it starts.")
        raise Invalid("ends_before_it_starts", sentence, fields={"ends_at": [sentence]})
    if entry.ends_at - entry.starts_at > LONGEST:
        sentence = _("That is more than a year. Check the year.")
        raise Invalid("too_long", sentence, fields={"ends_at": [sentence]})
    if entry.starts_at > now + FARTHEST:
        sentence = _("That is more than two years ahead. Check the year.")
        raise Invalid("too_far", sentence, fields={"starts_at": [sentence]})
    if any(area.site_id != entry.site_id for area in areas):
        sentence = _("Choose areas of this site.")
        raise Invalid("area_elsewhere", sentence, fields={"areas": [sentence]})


def _record(by: Person, row: SiteCalendar | CalendarEntry, action: int) -> None:
    LogEntry.objects.log_actions(by.pk, [row], action, change_message="", single_object=True)
