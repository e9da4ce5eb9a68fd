"""What people add to a story later: pictures, whys, measurements, and where else it could be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from django.core.files.uploadedfile import SimpleUploadedFile

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure
from countermeasures.where_else import stations, systems_of
from escalation.demo.cast import Cast
from incidents import lifecycle
from plant.models import Person, System

HERE = Path(__file__).parent

ELSEWHERE_IN = timedelta(days=35)
"""Later than any fix of the stories that is still being proved went in."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of a measurement log, so many days after the fix went in."""

    days: int
    value: str
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Nothing of it for most stories."""

    five_whys: Sequence[str] = ()
    photos: Sequence[Mapping[str, str]] = ()
    log: Sequence[Measured] = ()


def read_follow_ups() -> dict[str, FollowUp]:
    """By the key of the story."""
    raw = yaml.safe_load((HERE / "follow_up.yaml").read_text(encoding="utf-8"))
    return {key: _follow_up(told) for key, told in raw.items()}


def _follow_up(told: Mapping[str, Any]) -> FollowUp:
    return FollowUp(
        five_whys=told.get("five_whys", ()),
        photos=told.get("photos", ()),
        log=[Measured(**one) for one in told.get("log", ())],
    )


def add_photos(number: int, photos: Sequence[Mapping[str, str]], *, by: Person, now: datetime) -> None:
    for photo in photos:
        image = (HERE / "photos" / photo["file"]).read_bytes()
        lifecycle.add_photo(
            number,
            by=by,
            image=SimpleUploadedFile(photo["file"], image, "image/jpeg"),
            caption=photo["caption"],
            now=now,
        )


def measure(found: Countermeasure, one: Measured, *, by: Person, now: datetime) -> None:
    fixes.log_measurement(found.pk, by=by, value=Decimal(one.value), unit=one.unit, note=one.note, now=now)


def look_elsewhere(
    found: Countermeasure,
    named: System | None,
    codes: Sequence[str],
    cast: Cast,
    *,
    is_over: bool,
    now: datetime,
) -> None:
    """The named stations with the same system: all are done of what is over, else the first.

    Stations that the system is not at are left out, as the page would.
    """
    by, choices = cast.people["hutchins"], systems_of(found.incident)
    if named not in choices:
        return
    if len(choices) > 1:
        fixes.choose_system(found.pk, by=by, system=named, now=now)
    to_do = False
    for station in stations(found, named).filter(code__in=codes):
        if not by.sees_site(station.line.area.site_id):
            continue
        if to_do:
            due_on = (now + ELSEWHERE_IN).date()
            fixes.applies_elsewhere(
                found.pk, by=by, station=station, owner=found.owner, due_on=due_on, now=now
            )
        else:
            evidence = "Looked at it there, and put in place the same way."
            fixes.done_elsewhere(found.pk, by=by, station=station, evidence=evidence, now=now)
        to_do = not is_over
