"""What the incident list shows: filters from the address, and pages that cost the same at 100,000 rows.

Open incidents come by cover left (what stops product next is on top); everything else newest first. Nothing
is counted: a page is read with one row more than it shows, and that row says whether there is a next page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from incidents.models import Incident, IncidentQuerySet, Severity, Status
from incidents.search import with_words
from plant.models import Person

PAGE = 30
SHOWS = ("open", "mine", "closed", "all")


@dataclass(frozen=True, slots=True)
class Asked:
    """Filters of the list. What is unknown in an address is left out, so that old links keep working."""

    show: str = "open"
    severity: str = ""
    line: str = ""
    status: str = ""
    words: str = ""
    start: int = 0
    before: int = 0

    @classmethod
    def from_address(cls, given: Mapping[str, str]) -> Asked:
        return cls(
            show=_one_of(given.get("show", ""), SHOWS) or "open",
            severity=_one_of(given.get("severity", ""), Severity.values),
            line=given.get("line", "")[:24],
            status=_one_of(given.get("status", ""), Status.values),
            words=" ".join(given.get("q", "").replace("\0", "").split())[:80],
            start=min(_number(given.get("start", "")), 100_000),
            before=_number(given.get("before", "")),
        )

    @property
    def is_by_cover(self) -> bool:
        """Open lists are short and sorted by what hurts next; they page by position."""
        return self.show in ("open", "mine") and not self.words

    def address(self, **changes: object) -> str:
        """The query string of this list with some filters changed; pages start again unless one is given."""
        asked = replace(self, **{"start": 0, "before": 0, **changes})  # type: ignore[arg-type]
        given = {
            "show": asked.show if asked.show != "open" else "",
            "severity": asked.severity,
            "line": asked.line,
            "status": asked.status,
            "q": asked.words,
            "start": asked.start,
            "before": asked.before,
        }
        query = urlencode({name: value for name, value in given.items() if value})
        return f"?{query}" if query else ""


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, and the address of the next one when there is more."""

    rows: list[Incident]
    next: str


def page(asked: Asked, person: Person) -> Page:
    """One query, whatever the number of rows; PAGE rows at most."""
    found = _found(asked, person)
    if asked.is_by_cover:
        rows = list(found.by_cover_left()[asked.start : asked.start + PAGE + 1])
        more = asked.address(start=asked.start + PAGE)
    else:
        if asked.before:
            found = found.filter(number__lt=asked.before)
        rows = list(found.order_by("-number")[: PAGE + 1])
        more = asked.address(before=rows[PAGE - 1].number) if len(rows) > PAGE else ""
    return Page(rows[:PAGE], more if len(rows) > PAGE else "")


def _found(asked: Asked, person: Person) -> IncidentQuerySet:
    found = Incident.objects.visible_to(person).with_place()
    if asked.show in ("open", "mine"):
        found = found.open()
    if asked.show == "mine":
        found = found.owned_by(person)
    if asked.show == "closed":
        found = found.filter(status=Status.CLOSED)
    if asked.severity:
        found = found.filter(severity=asked.severity)
    if asked.line:
        found = found.filter(line__code=asked.line)
    if asked.status:
        found = found.filter(status=asked.status)
    return with_words(found, asked.words) if asked.words else found


def _one_of(value: str, known: tuple[str, ...] | list[str]) -> str:
    return value if value in known else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
