"""The ledger of promises: accountable without drama. No scores, no ranking, no red names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe
from django_stubs_ext import StrPromise

from countermeasures.promises.access import sees_all
from countermeasures.promises.ledger import USUAL, Asked, Ledger, Numbers, Row, ledger
from countermeasures.promises.models import Outcome, Promise
from escalation.messages.notices.promise import day_of
from escalation.views.dashboard import site_of
from plant.models import Person, Site
from plant.wording import span

CHIPS: dict[str, StrPromise] = {
    "open": gettext_lazy("Open"),
    "week": gettext_lazy("Due this week"),
    "passed": gettext_lazy("Date passed"),
    "kept": gettext_lazy("Kept"),
}

STEP = 15
"""Units from one mark to the next in the row of a person."""

MARKS = {Outcome.KEPT: "kept", Outcome.KEPT_BY_AGREEMENT: "moved", Outcome.LATE: "fin"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape in a row: which, where its middle and its left edge are, and what it stands for."""

    look: str
    x: int
    title: str

    @property
    def left(self) -> int:
        return self.x - 5


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row as it is drawn."""

    row: Row
    marks: list[Mark]
    width: int
    late: str
    bars: list[str]


@dataclass(frozen=True, slots=True)
class Line:
    """A promise as it is drawn."""

    promise: Promise
    mark: Mark
    day: str
    late: str


@login_required
@require_safe
def promises(request: HttpRequest) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    site, sites = site_of(request, person)
    asked, now = Asked.from_address(request.GET.dict()), timezone.now()
    with timezone.override(site.tz):
        found = ledger(asked, site=site, reader=person, now=now)
        context = {"sites": sites, "site": site, "asked": asked, "now": now, "person": person}
        return render(request, "escalation/promises.html", context | _context(found, site, person, now))


def _context(found: Ledger, site: Site, person: Person, now: datetime) -> dict[str, Any]:
    numbers = found.numbers
    counts = {
        "open": numbers.open,
        "week": numbers.week,
        "passed": numbers.passed,
        "kept": numbers.kept_in_all,
    }
    return {
        "numbers": numbers,
        "headline": _headline(numbers),
        "chips": [(name, label, counts[name]) for name, label in CHIPS.items()],
        "areas": list(site.areas.all()),
        "lines": [_line(one, now) for one in found.found],
        "more": found.more,
        "bars": found.bars,
        "people": [_person(row, now) for row in found.rows],
        "sees_all": sees_all(person, site),
    }


def _headline(numbers: Numbers) -> str:
    if not numbers.ended and not numbers.open:
        return _("Nothing is promised yet.")
    kept = ngettext(
        "%(kept)s of %(all)s promise kept.", "%(kept)s of %(all)s promises kept.", numbers.ended
    ) % {"kept": numbers.kept_in_all, "all": numbers.ended}
    if not numbers.passed:
        return _("%(kept)s Every open date holds.") % {"kept": kept}
    passed = ngettext(
        "The date of one has passed.", "The dates of %(count)s have passed.", numbers.passed
    ) % {"count": numbers.passed}
    return f"{kept} {passed}"


def _mark(promise: Promise, x: int, now: datetime) -> Mark:
    if promise.is_open:
        look = "late" if promise.has_passed(now) else "open"
        title = _("Date passed") if look == "late" else str(Outcome.OPEN.label)
    else:
        look, title = MARKS[Outcome(promise.outcome)], promise.get_outcome_display()
    return Mark(look, x, f"{promise.what}: {title}")


def _line(promise: Promise, now: datetime) -> Line:
    late = span(now - promise.due_at) if promise.has_passed(now) else ""
    return Line(promise, _mark(promise, 6, now), day_of(promise, now), late)


def _person(row: Row, now: datetime) -> Drawn:
    return Drawn(
        row=row,
        marks=[_mark(one, 6 + STEP * nth, now) for nth, one in enumerate(row.last)],
        width=max(12, STEP * len(row.last) - 3),
        late=span(now - row.late_since) if row.late_since else "",
        bars=["y over" if nth >= USUAL else "y" for nth in range(min(row.carried.open, 8))],
    )
