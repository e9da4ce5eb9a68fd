"""The board: which countermeasure stands in which column, in which order, and how many there are.

The number of queries is the same with ten countermeasures and with a hundred thousand: the columns are read
with a limit from partial indexes, and everything that is counted is counted in one query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OrderBy,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.functions import Cast

from countermeasures.models import Countermeasure, CountermeasureQuerySet, Kind, Stage
from incidents.models import Status
from plant.models import Person, Site

SHOWN = 8
EXPANDED = 100
"""Cards of a column at first, and when somebody asks for more of it."""

PROVEN_FOR = timedelta(days=14)
"""What was proven stays on the board for so long."""

ENDS_SOON = timedelta(days=3)
WEEK = timedelta(days=7)

SHOWS = ("open", "late", "back", "week", "ending")

AT_WORK = (Stage.PLANNED, Stage.IN_WORK)
ON_BOARD = (*AT_WORK, Stage.NOT_EFFECTIVE, Stage.IN_PLACE, Stage.CHECKING)

COLUMNS: dict[str, tuple[Stage, ...]] = {
    "agree": (Stage.PLANNED,),
    "promised": (Stage.IN_WORK, Stage.NOT_EFFECTIVE),
    "proving": (Stage.IN_PLACE, Stage.CHECKING),
    "proven": (Stage.EFFECTIVE,),
}
"""From left to right. What did not hold is promised again (language.md §3)."""

_ENDS = Case(
    When(kind=Kind.CONTAINMENT, then=Cast("expires_on", DateTimeField())),
    default=ExpressionWrapper(
        F("checking_from")
        + ExpressionWrapper(F("window_days") * Value(timedelta(days=1)), output_field=DurationField()),
        output_field=DateTimeField(),
    ),
)

ORDER: dict[str, tuple[OrderBy | str, ...]] = {
    "agree": (F("due_on").asc(nulls_last=True), "-created_at", "pk"),
    "promised": (F("due_on").asc(nulls_last=True), "pk"),
    "proving": (OrderBy(_ENDS, nulls_last=True), "pk"),
    "proven": ("-checked_at", "pk"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Filters of the board. What is unknown in an address is left out, so that old links keep working."""

    show: str = "open"
    mine: bool = False
    kind: str = ""
    area: str = ""
    column: str = ""
    site: str = ""

    @classmethod
    def from_address(cls, given: Mapping[str, str]) -> Asked:
        return cls(
            show=given["show"] if given.get("show") in SHOWS else "open",
            mine=given.get("who") == "me",
            kind=given["kind"] if given.get("kind") in Kind.values else "",
            area=given.get("area", "")[:24],
            column=given["column"] if given.get("column") in COLUMNS else "",
            site=given.get("site", "")[:24],
        )

    def address(self, **changes: object) -> str:
        """The query string of this board with some filters changed."""
        asked = replace(self, **changes)  # type: ignore[arg-type]
        given = {
            "show": asked.show if asked.show != "open" else "",
            "who": "me" if asked.mine else "",
            "kind": asked.kind,
            "area": asked.area,
            "column": asked.column,
            "site": asked.site,
        }
        query = urlencode({name: value for name, value in given.items() if value})
        return f"?{query}" if query else ""

    @property
    def is_filtered(self) -> bool:
        return self.mine or bool(self.kind or self.area) or self.show != "open"


@dataclass(frozen=True, slots=True)
class Column:
    """Its cards, and how many there are that are not shown."""

    name: str
    found: list[Countermeasure]
    count: int

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.found))


@dataclass(frozen=True, slots=True)
class Board:
    """`counts` has one for each of SHOWS, whatever is shown now. `came_back` counts incidents."""

    columns: list[Column]
    counts: dict[str, int]
    came_back: int


def board(asked: Asked, *, site: Site, person: Person, now: datetime) -> Board:
    """The columns of one site. Eight queries at most, whatever there is."""
    today = now.astimezone(site.tz).date()
    live = _asked_for(asked, person, _live(site))
    proven = _asked_for(asked, person, _proven(site, now))
    shown = shows(today)[asked.show]
    proven = proven.filter(shown) if asked.show in ("open", "back") else proven.none()
    needed = _without_superseded(live)
    counts = _counts(needed, shown, today)
    counts["proven"] = proven.count()
    chosen: dict[str, list[int]] = {}
    for name, stages in COLUMNS.items():
        # Asked only where one can be: to be spared the question, the planner reads every bandage ever worn
        rows = (needed if Stage.NOT_EFFECTIVE in stages else live).filter(shown, stage__in=stages)
        rows = proven if name == "proven" else rows
        limit = EXPANDED if asked.column == name else SHOWN
        chosen[name] = list(rows.order_by(*ORDER[name]).values_list("pk", flat=True)[:limit])
    # Sorted by their keys alone first: with everything a card shows, thousands of wide rows would be sorted
    known = Countermeasure.objects.for_cards().in_bulk([pk for pks in chosen.values() for pk in pks])
    columns = [
        Column(name, [known[pk] for pk in pks if pk in known], counts[name]) for name, pks in chosen.items()
    ]
    return Board(columns, {name: counts[f"show_{name}"] for name in SHOWS}, counts["came_back"])


def shows(today: date) -> dict[str, Q]:
    """What each filter of the board lets through, on this day at the plant."""
    worn = Q(kind=Kind.CONTAINMENT, removed_at=None, stage__in=(Stage.IN_PLACE, Stage.CHECKING))
    return {
        "open": Q(),
        "late": Q(stage__in=AT_WORK, due_on__lt=today) | (worn & Q(expires_on__lt=today)),
        "back": Q(stage=Stage.NOT_EFFECTIVE) | Q(incident__reopen_count__gt=0),
        "week": Q(stage__in=AT_WORK, due_on__range=(today, today + WEEK)),
        "ending": worn & Q(expires_on__range=(today, today + ENDS_SOON)),
    }


_NEXT_TRY = Countermeasure.objects.counting().filter(
    incident=OuterRef("incident"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
)
"""What was agreed on after the one that did not hold: then that one needs nothing any more."""


def _live(site: Site) -> CountermeasureQuerySet:
    """Everything at the site that is neither given up, taken off nor over with its incident."""
    here = Countermeasure.objects.filter(incident__site=site, incident__is_drill=False)
    return here.filter(stage__in=ON_BOARD, removed_at=None).exclude(incident__status=Status.CLOSED)


def _without_superseded(live: CountermeasureQuerySet) -> CountermeasureQuerySet:
    """Without what did not hold and has a next try."""
    return live.exclude(Q(stage=Stage.NOT_EFFECTIVE) & Exists(_NEXT_TRY))


def _proven(site: Site, now: datetime) -> CountermeasureQuerySet:
    here = Countermeasure.objects.filter(incident__site=site, incident__is_drill=False)
    return here.filter(stage=Stage.EFFECTIVE, checked_at__gt=now - PROVEN_FOR)


def _asked_for(asked: Asked, person: Person, found: CountermeasureQuerySet) -> CountermeasureQuerySet:
    if asked.mine:
        found = found.filter(Q(owner=person) | Q(checker=person))
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.area:
        found = found.filter(incident__area__code=asked.area)
    return found


def _counts(live: CountermeasureQuerySet, shown: Q, today: date) -> dict[str, int]:
    """How many in each column as it is shown, and how many each filter would show; in one query."""
    columns = {
        name: Count("pk", filter=Q(stage__in=stages) & shown)
        for name, stages in COLUMNS.items()
        if name != "proven"
    }
    through = {name: let_through for name, let_through in shows(today).items() if name != "open"}
    filters = {f"show_{name}": Count("pk", filter=let_through) for name, let_through in through.items()}
    counted: dict[str, int] = live.aggregate(
        **columns,
        **filters,
        show_open=Count("pk"),
        came_back=Count("incident", filter=through["back"], distinct=True),
    )
    return counted
