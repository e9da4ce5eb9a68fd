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
from countermeasures.promises.ledger import TEAMS, USUAL, Asked, Ledger, Marked, Numbers, Row, ledger
from countermeasures.promises.models import InTheWay, Outcome, Promise, PromiseKind
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

SLOTS = 6
"""Bars for what a person carries; filled ones beyond what is usual look different."""

LOOKS = {
    Outcome.OPEN: "open",
    Outcome.KEPT: "kept",
    Outcome.KEPT_BY_AGREEMENT: "moved",
    Outcome.LATE: "fin",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Which shape, and what it stands for."""

    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row as it is drawn."""

    row: Row
    marks: list[Mark]
    label: str
    kept: str
    late: str
    bars: list[str]
    soon: str


@dataclass(frozen=True, slots=True)
class Line:
    """A promise as it is drawn."""

    promise: Promise
    marks: list[Mark]
    kind: str
    why: str
    to: str
    day: str
    late: str
    moved: str


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
        return render(
            request, "escalation/promises.html", context | _context(found, asked, site, person, now)
        )


def _context(found: Ledger, asked: Asked, site: Site, person: Person, now: datetime) -> dict[str, Any]:
    numbers, titles = found.numbers, _titles()
    return {
        "numbers": numbers,
        "headline": _headline(numbers),
        "chips": [
            (name, label, numbers.shown(name), asked.address(show=name)) for name, label in CHIPS.items()
        ],
        "areas": list(site.areas.all()),
        "teams": [(name, label) for name, (label, _roles) in TEAMS.items()],
        "kinds": PromiseKind.choices,
        "lines": [_line(one, titles, now) for one in found.found],
        "more": found.more,
        "bars": found.bars,
        "people": [_person(row, titles, now) for row in found.rows],
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


def _titles() -> dict[str, str]:
    """What each shape stands for, looked up once: a page has hundreds of marks."""
    return {look: str(outcome.label) for outcome, look in LOOKS.items()} | {"late": _("Date passed")}


def _mark(promise: Promise | Marked, titles: dict[str, str], now: datetime) -> Mark:
    look = "late" if promise.has_passed(now) else LOOKS[Outcome(promise.outcome)]
    return Mark(look, f"{promise.what}: {titles[look]}")


def _line(promise: Promise, titles: dict[str, str], now: datetime) -> Line:
    """Worded here and not in the template, which would take three times as long for a page of them."""
    is_late, is_to_another = promise.has_passed(now), promise.given_to_id not in (None, promise.person_id)
    moved = ngettext("moved once", "moved %(n)s times", promise.moved) % {"n": promise.moved}
    return Line(
        promise=promise,
        marks=[_mark(promise, titles, now)],
        kind=str(PromiseKind(promise.kind).label),
        why=promise.in_the_way_words or str(InTheWay(promise.in_the_way).label) if promise.in_the_way else "",
        to=_("to %(name)s") % {"name": promise.given_to} if is_to_another else "",
        day=day_of(promise, now),
        late=_("%(span)s ago") % {"span": span(now - promise.due_at)} if is_late else "",
        moved=moved if promise.moved else "",
    )


def _person(row: Row, titles: dict[str, str], now: datetime) -> Drawn:
    counts = {"kept": row.kept, "all": row.ended}
    soon = _("%(n)s in two weeks") % {"n": row.carried.two_weeks}
    return Drawn(
        row=row,
        marks=[_mark(one, titles, now) for one in row.last],
        label=_("%(kept)s of %(all)s kept") % counts,
        kept=_("%(kept)s of %(all)s") % counts if row.ended else "–",
        late=span(now - row.late_since) if row.late_since else "",
        bars=_bars(row.carried.open),
        soon=soon if row.carried.two_weeks else "",
    )


def _bars(carried: int) -> list[str]:
    """Classes of the bars: what is carried, then empty slots."""
    filled = ["y" if nth < USUAL else "y over" for nth in range(min(carried, SLOTS))]
    return filled + [""] * (SLOTS - len(filled))
