"""The measurement log as it is shown: a small chart with its target, the same in words, and the lines below.

Lengths are SVG attributes, so that the strict content policy holds. What was measured before the fix went in
is grey, what was measured since is ink (design language §1: history is grey).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from countermeasures.models import Countermeasure, Kind, Measurement
from countermeasures.wording import held_for, unit_words
from plant.wording import day_words

WIDTH, HEIGHT = 568, 168
LEFT, RIGHT, TOP, BOTTOM = 44, 500, 20, 124
MOST = 60
"""Dots drawn; older ones are in the list only."""

NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)?(?![\w.,]*\d)")
NONE = frozenset({"none", "no", "zero", "ninguno", "ninguna", "cero"})


@dataclass(frozen=True, slots=True)
class Dot:
    """One measurement on the chart. `is_before`: the fix was not in yet."""

    x: float
    y: float
    is_before: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """`goal` is where the target line is drawn (None: the target names no single number)."""

    width: int
    height: int
    left: int
    right: int
    top: int
    base: int
    dots: list[Dot]
    before: str
    since: str
    goal: float | None
    placed: float | None
    highest: str
    lowest: str
    first_day: str
    last_day: str
    last_value: str
    in_words: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What the partial `countermeasures/_measurements.html` shows; None where nothing is to be measured."""

    one: Countermeasure
    held: str
    unit: str
    counts_by_hand: bool
    log: list[Measurement]
    chart: Chart | None


def measured(found: Countermeasure, now: datetime) -> Measured | None:
    """The log of one countermeasure, newest first; one query. The incident must be loaded with its site."""
    if found.kind == Kind.CONTAINMENT or not found.metric:
        return None
    log = list(found.measurements.select_related("by"))
    return Measured(
        one=found,
        held=held_for(found, now) if found.checking_from else "",
        unit=unit_words(found.exposure_unit),
        counts_by_hand=found.window_exposure is not None and not found.is_counted_from_shifts,
        log=log[::-1],
        chart=chart_of(found, log),
    )


def chart_of(found: Countermeasure, log: Sequence[Measurement]) -> Chart | None:
    """None until two numbers were measured: one dot shows nothing that the line below does not say."""
    shown = [one for one in log if one.value is not None][-MOST:]
    if len(shown) < 2:
        return None
    goal = number_in(found.target)
    values = [one.value for one in shown if one.value is not None]
    scale = Scale.around([*values, *([goal] if goal is not None else [])], [one.at for one in shown])
    dots = [
        Dot(scale.x(one.at), scale.y(one.value or Decimal(0)), _is_before(found, one.at)) for one in shown
    ]
    return Chart(
        WIDTH,
        HEIGHT,
        LEFT,
        RIGHT,
        TOP,
        BOTTOM,
        dots=dots,
        before=_line(dot for dot in dots if dot.is_before),
        since=_line(dot for dot in dots if not dot.is_before),
        goal=None if goal is None else scale.y(goal),
        placed=_placed(found, shown, scale),
        highest=plain(scale.highest),
        lowest=plain(scale.lowest),
        first_day=_day(shown[0].at),
        last_day=_day(shown[-1].at),
        last_value=plain(values[-1]),
        in_words=_in_words(found, shown, values),
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """From values and moments to places on the chart; zero is always on it, so that a drop looks its size."""

    lowest: Decimal
    highest: Decimal
    first: datetime
    last: datetime

    @classmethod
    def around(cls, values: Sequence[Decimal], moments: Sequence[datetime]) -> Scale:
        lowest, highest = min(Decimal(0), *values), max(Decimal(0), *values)
        return cls(lowest, highest if highest > lowest else lowest + 1, min(moments), max(moments))

    def y(self, value: Decimal) -> float:
        share = float((value - self.lowest) / (self.highest - self.lowest))
        return round(BOTTOM - share * (BOTTOM - TOP), 1)

    def x(self, at: datetime) -> float:
        length = (self.last - self.first).total_seconds()
        share = (at - self.first).total_seconds() / length if length else 1.0
        return round(LEFT + 8 + share * (RIGHT - LEFT - 16), 1)


def number_in(words: str) -> Decimal | None:
    """The one number in a target: "≤ 2 per shift" is 2, "None" is 0; None where there is no one number.

    Numbers that say how long or how often ("0 in 60 shift starts") come after the first and are left out.
    """
    if words.strip(" .").casefold() in NONE:
        return Decimal(0)
    found = NUMBER.search(words)
    return Decimal(found[0].replace(",", ".")) if found else None


def plain(value: Decimal) -> str:
    """Without needless zeros, in the reader's way of writing numbers."""
    return str(number_format(f"{value.normalize():f}", use_l10n=True))


def _is_before(found: Countermeasure, at: datetime) -> bool:
    return found.checking_from is None or at < found.checking_from


def _line(dots: Iterable[Dot]) -> str:
    return " ".join(f"{dot.x},{dot.y}" for dot in dots)


def _placed(found: Countermeasure, shown: Sequence[Measurement], scale: Scale) -> float | None:
    """Where the fix went in, when that lies between the first and the last measurement."""
    at = found.checking_from
    return scale.x(at) if at is not None and shown[0].at < at <= shown[-1].at else None


def _day(at: datetime) -> str:
    return day_words(timezone.localtime(at), weekday=False)


def _in_words(found: Countermeasure, shown: Sequence[Measurement], values: Sequence[Decimal]) -> str:
    """The chart for who does not see it."""
    times = ngettext("%(n)s measurement", "%(n)s measurements", len(shown)) % {"n": len(shown)}
    said = {
        "metric": found.metric,
        "times": times,
        "first": plain(values[0]),
        "first_day": _day(shown[0].at),
        "last": plain(values[-1]),
        "last_day": _day(shown[-1].at),
        "target": found.target,
    }
    return (
        _(
            "%(metric)s: %(times)s, from %(first)s on %(first_day)s to %(last)s on %(last_day)s. "
            "Wanted: %(target)s."
        )
        % said
    )
