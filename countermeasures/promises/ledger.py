"""The ledger: the team's numbers, what is open, what was in the way, and the rows that one may see.

A fixed number of queries, whatever the size: lists are cut, and what is counted is open or ended lately,
which one index finds among years of promises.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from countermeasures.promises.access import people_seen
from countermeasures.promises.models import InTheWay, Outcome, Promise, PromiseKind, PromiseQuerySet
from plant.models import Person, Role, RoleAssignment, Site

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
IN_TIME = (Outcome.KEPT, Outcome.KEPT_BY_AGREEMENT)

TEAMS: dict[str, tuple[StrPromise, tuple[Role, ...]]] = {
    "it": (_("IT"), (Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD, Role.IT_MANAGER)),
    "production": (_("Production"), (Role.TEAM_LEADER, Role.SUPERVISOR, Role.PRODUCTION_MANAGER)),
    "materials": (_("Materials"), (Role.MATERIALS_MANAGER,)),
}
"""Whose promises: by what people are at the site."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; anything else counts as nothing."""

    show: str = "open"
    team: str = ""
    area: str = ""
    kind: str = ""
    site: str = ""

    @classmethod
    def from_address(cls, given: Mapping[str, str]) -> Asked:
        return cls(
            show=given["show"] if given.get("show") in SHOWS else "open",
            team=given["team"] if given.get("team") in TEAMS else "",
            area=given.get("area", "")[:24],
            kind=given["kind"] if given.get("kind") in PromiseKind.values else "",
            site=given.get("site", "")[:24],
        )

    def address(self, **changes: str) -> str:
        """The query string of this ledger with some filters changed."""
        asked = replace(self, **changes)
        given = {"show": asked.show if asked.show != "open" else ""}
        given |= {name: getattr(asked, name) for name in ("team", "area", "kind", "site")}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"?{query}" if query else ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.team or self.area or self.kind)


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

    def shown(self, show: str) -> int:
        """How many promises one of SHOWS lets through."""
        return {"week": self.week, "passed": self.passed, "kept": self.kept_in_all}.get(show, self.open)


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


class Marked(NamedTuple):
    """What a mark says of a promise, and a row of its marks: a page has hundreds."""

    id: int
    what: str
    outcome: str
    due_at: datetime
    moved: int
    in_the_way: str
    in_the_way_words: str

    @property
    def is_open(self) -> bool:
        return self.outcome == Outcome.OPEN

    def has_passed(self, now: datetime) -> bool:
        return self.is_open and self.due_at <= now


@dataclass(frozen=True, slots=True)
class Row:
    """A person: the last promises as marks, what is kept, late and carried, and what is in the way."""

    person: Person
    last: list[Marked]
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
    """Seven queries."""
    team = _team(asked.team, site)
    here = _filtered(Promise.objects.filter(site=site), asked, team)
    numbers, said = _tally(here, now)
    seen = people_seen(reader, site)
    return Ledger(
        numbers=numbers,
        found=list(_asked(here, asked, now).for_ledger()[:SHOWN]),
        more=max(0, numbers.shown(asked.show) - SHOWN),
        bars=_bars(said),
        rows=rows_of(seen.filter(pk__in=team) if asked.team else seen, here, now, site=site),
    )


def _team(name: str, site: Site) -> QuerySet[RoleAssignment, int]:
    """The ids of a team's people at the site; nobody's without a name."""
    roles = TEAMS[name][1] if name else ()
    held = RoleAssignment.objects.filter(Q(site=site) | Q(site=None), role__in=roles)
    return held.values_list("person_id", flat=True)


def _filtered(here: PromiseQuerySet, asked: Asked, team: QuerySet[RoleAssignment, int]) -> PromiseQuerySet:
    if asked.team:
        here = here.filter(person__in=team)
    if asked.area:
        here = here.filter(area__code=asked.area)
    if asked.kind:
        here = here.filter(kind=asked.kind)
    return here


def _asked(here: PromiseQuerySet, asked: Asked, now: datetime) -> PromiseQuerySet:
    if asked.show == "week":
        return here.due_within(WEEK, now).order_by("due_at", "id")
    if asked.show == "passed":
        return here.passed(now).order_by("due_at", "id")
    if asked.show == "kept":
        kept = here.filter(outcome__in=IN_TIME, ended_at__gt=now - LOOKS_BACK)
        return kept.order_by("-ended_at", "-id")
    return here.open().order_by("due_at", "id")


def _tally(here: PromiseQuerySet, now: datetime) -> tuple[Numbers, Counter[str]]:
    """The numbers, and how often each reason was given for what is open or ended lately; one query."""
    counted = (
        here.lately(now - LOOKS_BACK)
        .order_by()
        .values_list("outcome", "in_the_way")
        .annotate(
            count=Count("pk"),
            passed=Count("pk", filter=Q(outcome=Outcome.OPEN, due_at__lte=now)),
            week=Count("pk", filter=Q(outcome=Outcome.OPEN, due_at__gt=now, due_at__lte=now + WEEK)),
        )
    )
    by_outcome, said = Counter[str](), Counter[str]()
    passed = week = 0
    for outcome, why, count, of_passed, of_week in counted:
        by_outcome[outcome] += count
        said[why] += count
        passed, week = passed + of_passed, week + of_week
    numbers = Numbers(
        kept=by_outcome[Outcome.KEPT],
        by_agreement=by_outcome[Outcome.KEPT_BY_AGREEMENT],
        finished_late=by_outcome[Outcome.LATE],
        open=by_outcome[Outcome.OPEN],
        passed=passed,
        week=week,
    )
    return numbers, said


def _bars(said: Counter[str]) -> list[Bar]:
    """What was in the way, the most first."""
    counts = sorted(((code, n) for code, n in said.items() if code), key=lambda pair: (-pair[1], pair[0]))
    most = counts[0][1] if counts else 1
    return [Bar(str(InTheWay(code).label), count, 1000 * count // most) for code, count in counts]


# --- persons ---


def rows_of(people: QuerySet[Person], here: PromiseQuerySet, now: datetime, *, site: Site) -> list[Row]:
    """Of those who have something lately in `here`: their last promises at the site, of whatever kind.

    Late work first, then by name: nobody is ranked.
    """
    lately = here.lately(now - LOOKS_BACK).exclude(outcome=Outcome.WITHDRAWN)
    newest = (
        Promise.objects.filter(site=site, person=OuterRef("pk"))
        .exclude(outcome=Outcome.WITHDRAWN)
        .order_by("-due_at", "-id")
    )
    known = list(
        Person.objects.filter(Q(pk__in=people.values("pk")) & Q(pk__in=lately.order_by().values("person")))
        .order_by("name", "pk")
        .only("name", "title", "username")
        .annotate(last_ids=ArraySubquery(newest.values("pk")[:LAST]))
    )
    carried = carried_by([person.pk for person in known], now)
    ids = [pk for person in known for pk in person.last_ids]
    marked = Promise.objects.filter(pk__in=ids).order_by().values_list(*Marked._fields)
    last = {row[0]: Marked(*row) for row in marked}
    rows = [
        _row(person, [last[pk] for pk in reversed(person.last_ids)], carried[person.pk], now)
        for person in known
    ]
    late_first = sorted(rows, key=lambda row: (row.late_since is None, row.late_since or now))
    return late_first[:PEOPLE_SHOWN]


def _row(person: Person, last: list[Marked], carried: Carried, now: datetime) -> Row:
    ended = [one for one in last if not one.is_open]
    late = [one for one in last if one.has_passed(now)]
    said = [one for one in last if one.is_open and one.in_the_way]
    words = said[0].in_the_way_words or str(InTheWay(said[0].in_the_way).label) if said else ""
    return Row(
        person=person,
        last=last,
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
