"""About 250 small things of the last half year: what an IT team does on ordinary days.

Made up from `small_things.yaml` with a fixed seed, so that every demo plant has the same past. Most are small
and were closed the same shift; a few were not, and have a countermeasure that was proved.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from escalation.demo.story import FIRST_NUMBER, IMPACT_OF, Accepted, Fix, Story

HOW_MANY = 250
DAYS = 180
BIG_ONES = 22
"""Of these, six stopped a line: with the told stories, S1 stays well under a tenth of all."""

ACCEPTED = 3
"""Which of the bigger ones a manager lives with until something else is changed."""

REVIEW_IN = timedelta(days=6)
WHY_ACCEPTED = "The old reader goes in the spring, with the rest of the line. Until then people read by hand."

SEED = 1042

SHIFT_STARTS = (6, 14, 22)
SHARE_OF_SHIFT = (50, 32, 18)
"""First shift has most people on the floor, third the fewest."""

AT_SHIFT_START = 0.28
"""Part of all that shows in the first 40 minutes: that is when everything is switched on."""

TECH_OF_SHIFT = ("vela", "ishida", "sorensen")
WEEKEND_TECH = "haddad"
REPORTERS = {
    "MBK-ASM": (("petty", "cruz", "jimenez"), ("fontaine", "boone"), ("kowalczyk",)),
    "MBK-PNT": (("jimenez",), ("boone",), ("kowalczyk",)),
    "MBK-SHP": (("pruitt", "salas"), ("moreau",), ("moreau",)),
    "MBK-RCV": (("ellis",), ("moreau",), ("kowalczyk",)),
    "MBK-MLD": (("baptiste",), ("baptiste", "ferrante"), ("ferrante",)),
    "MBK-QLB": (("rahimi", "lindqvist"), ("rahimi",), ("rahimi",)),
    "MBK-INF": (("ross", "kowal"), ("ishida",), ("sorensen",)),
    "DSC": (("adair",), ("adair",), ("adair",)),
}


def small_things(data: Mapping[str, Any], *, now: datetime) -> list[Story]:
    """Stories of the past in order of time, numbered so that the last one is right before INC-1001."""
    maker = _Maker(data, now)
    stories = sorted((maker.story(n) for n in range(HOW_MANY)), key=lambda story: story.opened)
    first = FIRST_NUMBER - len(stories)
    return [replace(story, number=first + n) for n, story in enumerate(stories)]


class _Maker:
    def __init__(self, data: Mapping[str, Any], now: datetime) -> None:
        self.random = random.Random(SEED)  # noqa: S311 - not a secret: the same past for everybody
        self.now = now
        self.tz = ZoneInfo(data["meta"]["timezone"])
        self.today = now.astimezone(self.tz).date()
        kinds = yaml.safe_load(Path(__file__).with_name("small_things.yaml").read_text(encoding="utf-8"))
        self.big = [kind for kind in kinds if "fix" in kind]
        self.small = [kind for kind in kinds if "fix" not in kind]
        self.stations = list(_stations(data))

    def story(self, n: int) -> Story:
        is_big = n < BIG_ONES
        kinds = self.big if is_big else self.small
        kind = kinds[n % len(kinds)]
        area, station = self.random.choice([s for s in self.stations if _fits(kind, s[1])])
        opened, shift = self._moment(is_big=is_big, weekdays=area[:7] != "MBK-MLD")
        done = self.random.randint(*kind["minutes"])
        ack = max(1, min(int(self.random.lognormvariate(2.1, 0.7)), done - 2))
        story = Story(
            key=f"small-{n}",
            number=0,
            title=kind["title"],
            category=kind["category"],
            station=station["key"],
            impact=IMPACT_OF[kind["how"]],
            reporter=self.random.choice(_reporters(area)[shift]),
            owner=WEEKEND_TECH if opened.weekday() > 4 else TECH_OF_SHIFT[shift],
            opened=opened,
            words=kind["words"],
            ack=ack,
            root_cause=kind["cause"],
        )
        if not is_big:
            return replace(story, closed_small=max(done, ack + 2))
        proved = self._proved(story, kind, done)
        return self._accepted(proved) if n == ACCEPTED else proved

    def _moment(self, *, is_big: bool, weekdays: bool) -> tuple[datetime, int]:
        """When, and in which shift: more when one starts, fewer at night and on weekends."""
        newest = 45 if is_big else 1
        day = self.today - timedelta(days=self.random.randint(newest, DAYS))
        while day.weekday() > 4 and (weekdays or self.random.random() < 0.5):
            day = self.today - timedelta(days=self.random.randint(newest, DAYS))
        shift = self.random.choices(range(3), weights=SHARE_OF_SHIFT)[0]
        early = self.random.random() < AT_SHIFT_START
        minute = self.random.randint(0, 40) if early else self.random.randint(0, 450)
        start = datetime.combine(day, time(SHIFT_STARTS[shift]), tzinfo=self.tz)
        return start + timedelta(minutes=minute), shift

    def _proved(self, story: Story, kind: Mapping[str, Any], done: int) -> Story:
        """One of the bigger ones: contained, its cause removed, the fix proved over two weeks, closed."""
        day = story.opened.date()
        placed = self._at(day + timedelta(days=self.random.randint(3, 9)))
        fix = Fix(
            what=kind["fix"],
            owner="brandt",
            strength=kind["strength"],
            metric="The same again at this station",
            target="0 in 14 days",
            window_days=14,
            due_on=placed.date(),
            planned_at=self._at(day + timedelta(days=1)),
            placed_at=placed,
            checked_at=placed + timedelta(days=14, minutes=30),
            measured="Target met: 0 in 14 days",
        )
        return replace(
            story,
            contain=(story.ack or 1) + done,
            restore=(story.ack or 1) + 2 * done,
            bandage=kind["bandage"],
            escape_cause="Nobody looked at it until it failed.",
            fix=fix,
            closes=True,
        )

    def _accepted(self, story: Story) -> Story:
        """Two days later a manager says that there will be no fix, and when that is looked at again."""
        day = story.opened.date() + timedelta(days=2)
        accepted = Accepted(self._at(day), WHY_ACCEPTED, self.today + REVIEW_IN)
        return replace(story, fix=None, closes=False, accepted=accepted)

    def _at(self, day: date) -> datetime:
        return datetime.combine(day, time(10, self.random.randint(0, 59)), tzinfo=self.tz)


def _stations(data: Mapping[str, Any]) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """(area code, station) pairs."""
    return [
        (area["key"], station)
        for site in data["sites"]
        for area in site["areas"]
        for line in area["work_centers"]
        for station in line["stations"]
    ]


def _fits(kind: Mapping[str, Any], station: Mapping[str, Any]) -> bool:
    return not kind["fits"] or bool(set(kind["fits"]) & set(station["it"]))


def _reporters(area: str) -> Sequence[Sequence[str]]:
    return REPORTERS.get(area) or REPORTERS[area[:3]]
