"""What the calendar screen shows of the year ahead: the public holidays of a site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from plant.models import SiteCalendar
from plant.working_time import KEY_LANGUAGE, LANGUAGES, OBSERVED, public_holidays

LISTED = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Holiday:
    """``key`` tells it apart, ``name`` is what the reader reads."""

    day: date
    key: str
    name: str
    is_worked: bool


def holidays_ahead(calendar: SiteCalendar, today: date, *, language: str) -> list[Holiday]:
    """Each public holiday once, the next one first; none without a country."""
    if not calendar.country:
        return []
    found: dict[str, Holiday] = {}
    for year in (today.year, today.year + 1):
        keys = public_holidays(calendar.country, calendar.subdivision, year)
        said = public_holidays(
            calendar.country, calendar.subdivision, year, LANGUAGES.get(language, KEY_LANGUAGE)
        )
        for day, name in keys.items():
            if today <= day <= today + LISTED:
                key = name.split("; ")[0].removesuffix(OBSERVED)
                found.setdefault(key, Holiday(day, key, said.get(day, name), key in calendar.works_on))
    return list(found.values())
