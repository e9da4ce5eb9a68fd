"""Raising an incident, and adding to what was raised."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents import families, readings
from incidents.lifecycle.moves import announce, locked, record, touch
from incidents.models import (
    Category,
    Downtime,
    EventKind,
    Flow,
    Impact,
    Incident,
    Photo,
    Status,
    UnweighedRepeat,
)
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import Invalid
from plant.models import Area, Line, Person, Site, Station, System

CLOCK_SKEW = timedelta(minutes=2)
"""How far a tablet's clock may run ahead before its time is called wrong."""


def raise_incident(
    *,
    by: Person | None,
    category: Category,
    impact: Impact | str,
    station: Station | None = None,
    line: Line | None = None,
    area: Area | None = None,
    system: System | None = None,
    site: Site | None = None,
    title: str = "",
    words: str = "",
    technical: str = "",
    flow: Flow | str | None = None,
    noticed_at: datetime | None = None,
    cover_until: datetime | None = None,
    client_id: uuid.UUID | None = None,
    is_drill: bool = False,
    now: datetime | None = None,
) -> tuple[Incident, bool]:
    """Somebody says that something is wrong. Returns the incident and whether it is new.

    `by` is None when it is raised from a station's tablet without signing in. The same `client_id` again
    returns the incident of the first time, however often and however concurrently.
    """
    known = _already_raised(client_id, by=by)
    if known is not None:
        return known, False
    now = now or timezone.now()
    place = _place(station=station, line=line, area=area, system=system, site=site, by=by)
    incident = Incident(
        **place,
        category=category,
        impact=impact,
        severity=Impact(impact).severity,
        flow=flow or (place["line"].flow if place["line"] else Flow.PRODUCTION),
        words=words.strip(),
        technical=technical.strip(),
        raised_by=by,
        noticed_at=_checked_noticed_at(noticed_at, now),
        raised_at=now,
        clocks_from=now,
        cover_until=cover_until,
        client_id=client_id,
        is_drill=is_drill,
    )
    incident.title = title.strip() or readings.default_title(incident)
    if by is not None:
        refuse_unless(by, Action.RAISE, incident)
    try:
        _write(incident, now=now)
    except IntegrityError:
        known = _already_raised(client_id, by=by)
        if known is None:
            raise
        return known, False
    return incident, True


@transaction.atomic
def _write(incident: Incident, *, now: datetime) -> None:
    _look_back(incident, now=now)
    incident.save(force_insert=True)
    old = incident.repeat_of
    record(
        incident,
        kind=EventKind.RAISED,
        by=incident.raised_by,
        now=now,
        words=incident.words,
        data={"repeat_of": old.number} if old else None,
    )
    if old is not None:
        UnweighedRepeat.objects.create(incident=incident)
    if incident.impact == Impact.STOPPED and incident.line is not None and not incident.is_drill:
        Downtime.objects.create(incident=incident, line=incident.line, started_at=incident.noticed_at)
    announce(incident)


def _look_back(incident: Incident, *, now: datetime) -> None:
    """Whether it is the same again, and how often that was; practice is no part of any history."""
    family = None if incident.is_drill else families.of(incident)
    if family is None:
        return
    incident.repeat_of = family.thought_over(now)
    before = family.how_often(now)
    incident.times_in_30_days = before.days_30 + 1
    incident.times_in_90_days = before.days_90 + 1


def _already_raised(client_id: uuid.UUID | None, *, by: Person | None) -> Incident | None:
    if client_id is None:
        return None
    number = Incident.objects.filter(client_id=client_id).values_list("number", flat=True).first()
    if number is None:  # nearly always: nothing else about it is read
        return None
    known = Incident.objects.numbered(number)
    if by is not None:
        refuse_unless(by, Action.RAISE, known)
    return known


def _checked_noticed_at(noticed_at: datetime | None, now: datetime) -> datetime:
    if noticed_at is None:
        return now
    if noticed_at > now + CLOCK_SKEW:
        raise Invalid(
            "noticed_in_future",
            _("The time it was noticed is in the future."),
            fields={"noticed_at": [_("The time it was noticed is in the future.")]},
        )
    return min(noticed_at, now)


def _place(
    *,
    station: Station | None,
    line: Line | None,
    area: Area | None,
    system: System | None,
    site: Site | None,
    by: Person | None,
) -> dict[str, Any]:
    """All levels of the place, from the most exact one that was given upward."""
    line = station.line if station else line
    area = line.area if line else area
    site = area.site if area else (site or _site_of(system, by))
    if site is None:
        raise Invalid("no_place", _("Say where it is: a station, a line, an area or a system."))
    return {
        "site": site,
        "area": area,
        "line": line,
        "station": station,
        "system": system,
    }


def _site_of(system: System | None, by: Person | None) -> Site | None:
    """A system without a place of its own is taken to fail where the person works."""
    if system is None:
        return None
    return system.site or (by.site if by else None)


@transaction.atomic
def add_words(
    number: int | str,
    *,
    by: Person,
    words: str,
    technical: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Anybody adds what they know; nothing anybody wrote before is lost."""
    incident = locked(number, by=by, action=Action.ADD_WORDS, seen_version=seen_version)
    words, technical = words.strip(), technical.strip()
    if not words and not technical:
        raise Invalid(
            "empty",
            _("Write a few words first."),
            fields={"words": [_("Write a few words first.")]},
        )
    changes: dict[str, Any] = {}
    if words and not incident.words and incident.status == Status.RAISED:
        incident.words = words
        incident.save(update_fields=["words"])  # `words` of touch() are the event's
    if technical:
        changes["technical"] = "\n".join(filter(None, [incident.technical, technical]))
    return touch(incident, kind=EventKind.WORDS_ADDED, by=by, now=now, words=words, **changes)


@transaction.atomic
def add_photo(
    number: int | str,
    *,
    by: Person,
    image: UploadedFile,
    caption: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Anybody adds a picture from the floor. The form has checked that it is one."""
    incident = locked(number, by=by, action=Action.ADD_WORDS, seen_version=seen_version)
    photo = Photo.objects.create(
        incident=incident,
        by=by,
        at=now or timezone.now(),
        image=image,
        caption=caption.strip(),
    )
    return touch(
        incident,
        kind=EventKind.PHOTO_ADDED,
        by=by,
        now=now,
        words=photo.caption,
        data={"photo": photo.pk},
    )
