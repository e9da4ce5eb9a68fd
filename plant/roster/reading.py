"""Reads rosters and cover from files of other programs: CSV, or a calendar (RFC 5545) of absences.

Reading only finds out what each line says; nothing is written here, and one bad line spoils no other.

CSV for cover has the columns ``away, stands_in, from, until, why, note``; CSV for rosters ``person, pattern,
crew, first_day, last_day``. Columns may stand in any order, be separated by comma, semicolon or tab, and be
named in Spanish, with accents or without; lines may end as on any computer. In a calendar each event is an
absence: whose, says the address of its organizer or first attendee, else its title as in "Marcus Vela:
vacation"; who stands in, a second attendee.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from icalendar import Calendar

from opsdesk.errors import Invalid
from plant.models import CoverKind
from plant.rotation import ONE_DAY, instant

MOST_LINES = 500
COLUMNS = {
    "ausente": "away",
    "suple": "stands_in",
    "stand_in": "stands_in",
    "desde": "from",
    "hasta": "until",
    "motivo": "why",
    "kind": "why",
    "nota": "note",
    "persona": "person",
    "patron": "pattern",
    "equipo": "crew",
    "primer_dia": "first_day",
    "ultimo_dia": "last_day",
}
KINDS = {
    "swap": CoverKind.SWAP,
    "cambio": CoverKind.SWAP,
    "holiday": CoverKind.HOLIDAY,
    "vacation": CoverKind.HOLIDAY,
    "vacaciones": CoverKind.HOLIDAY,
    "sick": CoverKind.SICK,
    "enfermedad": CoverKind.SICK,
}


class Wrong(Exception):
    """Why a line cannot be understood: one sentence."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody is away; people by what the file calls them, times in UTC."""

    away: str
    stands_in: str
    starts_at: datetime
    ends_at: datetime
    kind: CoverKind
    note: str = ""
    uid: str = ""
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Somebody works with a crew from a day on."""

    person: str
    pattern: str
    crew: str
    first_day: date
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, or an event of the calendar: as written, and as understood, or why it is not."""

    number: int
    text: str
    said: Absence | Placement | None
    wrong: str = ""


def decoded(raw: bytes) -> str:
    """The text of a file from anywhere: UTF-8, else what spreadsheets on Windows write. Raises Invalid."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("no_text", _("This is not a text file. Choose a CSV or an iCal (.ics) file."))


def lines_of(text: str, *, tz: tzinfo) -> list[Line]:
    """Every line of a file. Raises Invalid when the file as a whole is not one we know."""
    if not text.strip():
        raise Invalid("empty", _("The file is empty."))
    found = list(_events(text, tz) if "BEGIN:VCALENDAR" in text[:2000].upper() else _rows(text, tz))
    if len(found) > MOST_LINES:
        raise Invalid("too_many", _("More than %(count)d lines. Take them in parts.") % {"count": MOST_LINES})
    return found


# --- CSV ----------------------------------------------------------------------------------------------------


class Row(dict[str, str]):
    """The cells of a line by our names of the columns, and what the file itself calls these."""

    def __init__(self, headings: Sequence[str], cells: Sequence[str]) -> None:
        names = [_column(heading) for heading in headings]
        super().__init__(zip(names, (cell.strip() for cell in cells), strict=False))
        self.headings = dict(zip(names, headings, strict=True))


def _rows(text: str, tz: tzinfo) -> Iterator[Line]:
    head = text.lstrip().splitlines()[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text.lstrip(), newline=None), delimiter=separator)
    try:
        headings = [heading.strip() for heading in next(reader)]
        read = _reader_for({_column(heading) for heading in headings})
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _line(reader.line_num, separator.join(cells), read, Row(headings, cells), tz)
    except csv.Error as error:
        number = max(reader.line_num, 1)
        raise Invalid("bad_csv", _("Line %(line)d cannot be read as CSV.") % {"line": number}) from error


def _column(name: str) -> str:
    known = re.sub(r"\s+", "_", _plain(name.strip()))
    return COLUMNS.get(known, known)


def _plain(word: str) -> str:
    """In small letters and without accents, as people type in a hurry."""
    parts = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _reader_for(names: set[str]) -> Any:
    if {"away", "from", "until"} <= names:
        return _absence_of_row
    if {"person", "crew", "first_day"} <= names:
        return _placement_of_row
    raise Invalid(
        "unknown_columns",
        _("The first line must name the columns: %(cover)s, or %(roster)s.")
        % {
            "cover": _("away, stands_in, from, until, why, note"),
            "roster": _("person, pattern, crew, first_day, last_day"),
        },
    )


def _line(number: int, text: str, read: Any, source: Any, tz: tzinfo) -> Line:
    try:
        return Line(number, text[:200], read(source, tz))
    except Wrong as wrong:
        return Line(number, text[:200], None, str(wrong))
    except (AttributeError, OverflowError, TypeError, ValueError):  # whatever other programs write
        return Line(number, text[:200], None, _("It cannot be understood."))


def _absence_of_row(row: Row, tz: tzinfo) -> Absence:
    return Absence(
        away=_needed(row, "away"),
        stands_in=row.get("stands_in", ""),
        starts_at=_moment(_needed(row, "from"), tz),
        ends_at=_moment(_needed(row, "until"), tz, is_end=True),
        kind=_kind(row.get("why", "")),
        note=row.get("note", "")[:200],
    )


def _placement_of_row(row: Row, tz: tzinfo) -> Placement:
    last = row.get("last_day", "")
    return Placement(
        person=_needed(row, "person"),
        pattern=row.get("pattern", ""),
        crew=_needed(row, "crew"),
        first_day=_day(_needed(row, "first_day")),
        last_day=_day(last) if last else None,
    )


def _needed(row: Row, name: str) -> str:
    if value := row.get(name, ""):
        return value
    raise Wrong(_("The column %(name)s is empty.") % {"name": row.headings[name]})


def _day(text: str) -> date:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2200:
        raise Wrong(_("“%(text)s” is not a day. Write it as 2026-06-03.") % {"text": text[:40]})
    return day


def _moment(text: str, tz: tzinfo, *, is_end: bool = False) -> datetime:
    """A time on the wall, or with its own offset; a day alone means its beginning, or its end."""
    try:
        at = parse_datetime(text) if re.search(r"\d:\d", text) else None
    except ValueError:
        at = None
    if at is None:
        if re.search(r"\d:\d", text):
            raise Wrong(_("“%(text)s” is not a time. Write it as 2026-06-03 22:00.") % {"text": text[:40]})
        day = _day(text)
        return instant(day + ONE_DAY if is_end else day, time(), tz)
    return _in_utc(at, tz)


def _near(year: int) -> int:
    if not 2000 <= year <= 2200:
        raise Wrong(_("The year %(year)d is too far away.") % {"year": year})
    return year


def _in_utc(at: datetime, tz: tzinfo) -> datetime:
    _near(at.year)
    if at.tzinfo is None:
        return instant(at.date(), at.time(), tz)
    return instant(at.date(), at.time(), at.tzinfo)


def _kind(text: str) -> CoverKind:
    if not text:
        return CoverKind.HOLIDAY
    if kind := KINDS.get(_plain(text.strip())):
        return kind
    raise Wrong(_("“%(text)s” is not a reason. Use swap, holiday or sick.") % {"text": text[:40]})


# --- calendars ----------------------------------------------------------------------------------------------


def _events(text: str, tz: tzinfo) -> Iterator[Line]:
    try:
        calendars = Calendar.from_ical(text, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise Invalid("bad_ical", _("This calendar file cannot be read.")) from error
    if not events:
        raise Invalid("bad_ical", _("This calendar file cannot be read."))
    for number, event in enumerate(events, start=1):
        yield _line(number, str(event.get("summary", "")), _absence_of_event, event, tz)


def _absence_of_event(event: Any, tz: tzinfo) -> Absence:
    if event.get("rrule") or event.get("rdate"):
        raise Wrong(_("It repeats. Give each time as an event of its own."))
    people = _people(event)
    title = str(event.get("summary", ""))
    starts_at, ends_at = _times(event, tz)
    return Absence(
        away=people[0] if people else re.split(r"\s*(?::|\s[-–—]\s)", title)[0].strip(),
        stands_in=people[1] if len(people) > 1 else "",
        starts_at=starts_at,
        ends_at=ends_at,
        kind=_kind_of_event(event, title),
        uid=str(event.get("uid", ""))[:255],
        is_cancelled=str(event.get("status", "")).upper() == "CANCELLED",
    )


def _people(event: Any) -> list[str]:
    """Addresses of organizer and attendees, each once, in order."""
    found: list[str] = []
    for name in ("organizer", "attendee"):
        values = event.get(name) or []
        several = values if isinstance(values, list) else [values]
        found += [re.sub(r"^mailto:", "", str(value), flags=re.I).strip() for value in several]
    return list(dict.fromkeys(found))


def _times(event: Any, tz: tzinfo) -> tuple[datetime, datetime]:
    start, end, lasts = (event.get(name) for name in ("dtstart", "dtend", "duration"))
    if start is None or isinstance(start, list) or isinstance(end, list):
        raise Wrong(_("It has no beginning."))
    first = _point(start.dt, tz)
    if end is not None:
        return first, _point(end.dt, tz)
    if lasts is not None:
        return first, _in_utc(first + lasts.dt, tz)
    if not isinstance(start.dt, datetime):
        return first, _point(start.dt + ONE_DAY, tz)
    raise Wrong(_("It has no end."))


def _point(value: Any, tz: tzinfo) -> datetime:
    if isinstance(value, datetime):
        return _in_utc(value, tz)
    _near(value.year)
    return instant(value, time(), tz)


def _kind_of_event(event: Any, title: str) -> CoverKind:
    """From its categories, else from a word of its title; a holiday when neither says."""
    categories = event.get("categories")
    groups = categories if isinstance(categories, list) else [categories] if categories else []
    words = [str(one) for group in groups for one in getattr(group, "cats", [group])]
    words += re.findall(r"\w+", title)
    return next((KINDS[word] for word in map(_plain, words) if word in KINDS), CoverKind.HOLIDAY)
