"""The ledger: the team's numbers, what is open, what was in the way, and the rows that one may see.

A fixed number of queries, whatever the size: the lists are cut, the counts come from indexes of the site.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from countermeasures.promises.access import people_seen
from countermeasures.promises.models import InTheWay, Outcome, Promise, PromiseQuerySet
from plant.models import Person, Site

LOOKS_BACK = timedelta(days=30)
WEEK = timedelta(days=7)
TWO_WEEKS = timedelta(days=14)

SHOWN = 50
"""Promises on one page; the filters find the others."""

PEOPLE_SHOWN = 40
LAST = 12
"""Promises in the row of a person, the newest on the right."""

USUAL = 4
"""Open promises that one carries as a rule; more is shown as more than usual, never as a fault."""

SHOWS = ("open", "week", "passed", "kept")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; anything else counts as nothing."""

    show: str = "open"
    area: str = ""
    site: str = ""

    @classmethod
    def from_address(cls, given: Mapping[str, str]) -> Asked:
        show = given.get("show", "open")
        return cls(show if show in SHOWS else "open", given.get("area", "")[:24], given.get("site", "")[:24])


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of the team, in the last 30 days: what ended and how; and what is open now."""

    kept: int
    by_agreement: int
    finished_late: int
    open: int
    passed: int
    week: int

    @property
    def ended(self) -> int:
        return self.kept + self.by_agreement + self.finished_late

    @property
    def kept_in_all(self) -> int:
        return self.kept + self.by_agreement


@dataclass(frozen=True, slots=True)
class Bar:
    """One reason, how often it was given, and its share of the most frequent one in thousandths."""

    label: str
    count: int
    width: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What a person has promised already: shown beside what they are asked to promise."""

    open: int
    two_weeks: int
    passed: int


@dataclass(frozen=True, slots=True)
class Row:
    """A person: the last promises as marks, what is kept, late and carried, and what is in the way."""

    person: Person
    last: list[Promise]
    carried: Carried
    kept: int
    ended: int
    moved: int
    late_since: datetime | None
    in_the_way: str


@dataclass(frozen=True, slots=True)
class Ledger:
    numbers: Numbers
    found: list[Promise]
    more: int
    bars: list[Bar]
    rows: list[Row]


def ledger(asked: Asked, *, site: Site, reader: Person, now: datetime) -> Ledger:
    """Eight queries."""
    here = Promise.objects.filter(site=site)
    if asked.area:
        here = here.filter(area__code=asked.area)
    numbers = _numbers(here, now)
    found = list(_asked(here, asked, now).with_people()[:SHOWN])
    count = {
        "open": numbers.open,
        "week": numbers.week,
        "passed": numbers.passed,
        "kept": numbers.kept_in_all,
    }
    return Ledger(
        numbers=numbers,
        found=found,
        more=max(0, count[asked.show] - SHOWN),
        bars=_bars(here, now),
        rows=rows_of(people_seen(reader, site), here, now),
    )


def _asked(here: PromiseQuerySet, asked: Asked, now: datetime) -> PromiseQuerySet:
    if asked.show == "week":
        return here.due_within(WEEK, now).order_by("due_at", "id")
    if asked.show == "passed":
        return here.passed(now).order_by("due_at", "id")
    if asked.show == "kept":
        kept = here.filter(outcome__in=(Outcome.KEPT, Outcome.KEPT_BY_AGREEMENT))
        return kept.filter(ended_at__gt=now - LOOKS_BACK).order_by("-ended_at", "-id")
    return here.open().order_by("due_at", "id")


def _numbers(here: PromiseQuerySet, now: datetime) -> Numbers:
    ended = here.ended().filter(ended_at__gt=now - LOOKS_BACK).order_by().values_list("outcome")
    by_outcome = dict(ended.annotate(count=Count("pk")))
    still = here.open().aggregate(
        open=Count("pk"),
        passed=Count("pk", filter=Q(due_at__lte=now)),
        week=Count("pk", filter=Q(due_at__gt=now, due_at__lte=now + WEEK)),
    )
    return Numbers(
        kept=by_outcome.get(Outcome.KEPT, 0),
        by_agreement=by_outcome.get(Outcome.KEPT_BY_AGREEMENT, 0),
        finished_late=by_outcome.get(Outcome.LATE, 0),
        **still,
    )


def _bars(here: PromiseQuerySet, now: datetime) -> list[Bar]:
    """What was in the way of open promises and of those that ended in the last 30 days, the most first."""
    lately = Q(outcome=Outcome.OPEN) | Q(ended_at__gt=now - LOOKS_BACK)
    said = here.filter(lately).exclude(in_the_way="").order_by().values_list("in_the_way")
    counts = sorted(said.annotate(count=Count("pk")), key=lambda pair: (-pair[1], pair[0]))
    most = counts[0][1] if counts else 1
    return [Bar(str(InTheWay(code).label), count, 1000 * count // most) for code, count in counts]


# --- persons ---


def rows_of(people: QuerySet[Person], here: PromiseQuerySet, now: datetime) -> list[Row]:
    """Late work first, then by name: nobody is ranked."""
    lately = Q(outcome=Outcome.OPEN) | Q(ended_at__gt=now - LOOKS_BACK)
    mine = here.filter(lately, person__in=people).exclude(outcome=Outcome.WITHDRAWN)
    ids = list(mine.order_by().values_list("person", flat=True).distinct())
    known = Person.objects.filter(pk__in=ids).order_by("name", "pk")
    carried = carried_by(ids, now)
    last = _last(here, ids)
    rows = [_row(person, last[person.pk], carried[person.pk], now) for person in known]
    late_first = sorted(rows, key=lambda row: (row.late_since is None, row.late_since or now))
    return late_first[:PEOPLE_SHOWN]


def _last(here: PromiseQuerySet, ids: Iterable[int]) -> dict[int, list[Promise]]:
    numbered = here.filter(person__in=list(ids)).exclude(outcome=Outcome.WITHDRAWN)
    newest = Window(RowNumber(), partition_by=F("person"), order_by=[F("due_at").desc(), F("pk").desc()])
    found: dict[int, list[Promise]] = defaultdict(list)
    for one in numbered.annotate(nth=newest).filter(nth__lte=LAST).order_by("due_at", "pk"):
        found[one.person_id].append(one)
    return found


def _row(person: Person, last: Sequence[Promise], carried: Carried, now: datetime) -> Row:
    ended = [one for one in last if not one.is_open]
    late = [one for one in last if one.has_passed(now)]
    said = [one for one in last if one.is_open and one.in_the_way]
    words = said[0].in_the_way_words or str(said[0].get_in_the_way_display()) if said else ""
    return Row(
        person=person,
        last=list(last),
        carried=carried,
        kept=sum(one.outcome != Outcome.LATE for one in ended),
        ended=len(ended),
        moved=sum(one.moved for one in last),
        late_since=min((one.due_at for one in late), default=None),
        in_the_way=words,
    )


def carried_by(ids: Iterable[int], now: datetime) -> dict[int, Carried]:
    """What each of these people has promised at any site. One query."""
    found: dict[int, Carried] = defaultdict(lambda: Carried(0, 0, 0))
    rows = (
        Promise.objects.open()
        .filter(person__in=list(ids))
        .order_by()
        .values_list("person")
        .annotate(
            open=Count("pk"),
            two_weeks=Count("pk", filter=Q(due_at__lte=now + TWO_WEEKS)),
            passed=Count("pk", filter=Q(due_at__lte=now)),
        )
    )
    found.update({pk: Carried(*counts) for pk, *counts in rows})
    return found
