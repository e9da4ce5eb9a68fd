"""What happened in the demo plant, read from `demo_plant.yaml` into plain values with moments in time.

A story says what people did and when; `play` does it. Times in the file are relative, so that the plant
always looks alive. Where a story and a rule disagree (a bandage for 30 days, a fix proved before its window
is over), the rule wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from escalation.demo.follow_up import FollowUp, read_follow_ups

FILE = Path(__file__).with_name("demo_plant.yaml")

FIRST_NUMBER = 1001
"""INC-001 of the file becomes INC-1001."""

IMPACT_OF = {"S1": "stopped", "S2": "at_risk", "S3": "workaround", "S4": "none"}
"""The tile somebody on the floor taps for each severity. The stories know no harm to people: a missing
tightening record stops the line, so it is `stopped`, not `safety`."""

FLOW_OF = {
    "line_down": "production",
    "line_slow": "production",
    "ship_stopped": "shipping",
    "ship_at_risk": "shipping",
    "rcv_stopped": "receiving",
    "issue_blocked": "material_moves",
    "trace_gap": "records",
}
WEEKDAYS_ONLY = ("ASM-", "PNT-", "SHP-", "RCV-", "QLB-")
"""Lines that do not run on weekends: what the file dates on one happened on the Friday before."""

LEFT_TO_EXPIRE = frozenset({"INC-015"})
"""Its bandage ends today and nobody has extended it: the screens have one to show."""

PASSED = {"INC-018": timedelta(days=2)}
"""How long ago the promised day passed of what has no new one yet: the screens have one to show."""

AFTER_START = re.compile(r"\+(\d+) min")

SHUTTLE = "11:40"
"""The file's shuttle to Dunmore; it leaves when the panels there run out."""

FIRST_WORD = 25
"""Minutes after it was picked up: word about a stopped line is owed after 30."""

EXPOSURE = re.compile(r"(?:in|for) ([\d,]+) (shift starts|shifts|picks)")


@dataclass(frozen=True, slots=True)
class Said:
    """A word from the owner, minutes after it was raised."""

    minutes: int
    conditions: str
    actions: str
    needs: str
    technical: str = ""
    next_minutes: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """A permanent countermeasure: who, what, how strong, and when it went or goes in."""

    what: str
    owner: str
    strength: str
    metric: str
    target: str
    window_days: int
    due_on: date
    planned_at: datetime
    is_promised: bool = True
    passed_on: date | None = None
    """The day it was promised for, where that has passed and no new one is agreed."""
    placed_at: datetime | None = None
    checked_at: datetime | None = None
    is_effective: bool = True
    measured: str = ""

    @property
    def exposure(self) -> tuple[int | None, str]:
        """How often and of what it must hold, when the target says so."""
        found = EXPOSURE.search(self.target)
        return (int(found[1].replace(",", "")), found[2]) if found else (None, "")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A manager lives with it: why, and on which day it is looked at again."""

    at: datetime
    reason: str
    review_on: date


@dataclass(frozen=True, slots=True)
class Story:
    """One incident, from raised to wherever it stands now."""

    key: str
    number: int
    title: str
    category: str
    station: str
    impact: str
    reporter: str
    owner: str
    opened: datetime
    words: str
    system: str = ""
    flow: str | None = None
    technical: str = ""
    ack: int | None = None
    arrive: int | None = None
    said: Sequence[Said] = ()
    lost: tuple[int, int] | None = None
    contain: int | None = None
    bandage: str = ""
    bandage_days: int = 7
    restore: int | None = None
    summary: str = ""
    cover: int | None = None
    waits_on: tuple[str, int, int] | None = None
    root_cause: str = ""
    escape_cause: str = ""
    failed_fix: Fix | None = None
    fix: Fix | None = None
    closes: bool = False
    closed_small: int | None = None
    accepted: Accepted | None = None
    extends: bool = True
    seen_by: Sequence[tuple[str, int]] = field(default_factory=tuple)
    where_else: Sequence[str] = ()
    follow_up: FollowUp = field(default_factory=FollowUp)

    def at(self, minutes: float) -> datetime:
        return self.opened + timedelta(minutes=minutes)


def load() -> dict[str, Any]:
    """The whole file: `plant.seed` reads the places and people from the same dictionary."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def read_stories(data: Mapping[str, Any], *, now: datetime) -> list[Story]:
    """The stories of the file in its order, with moments before `now`."""
    reader = _Reader(data, now)
    return [reader.story(n, raw) for n, raw in enumerate(data["incidents"])]


class _Reader:
    """Turns the relative times of the file into moments."""

    def __init__(self, data: Mapping[str, Any], now: datetime) -> None:
        self.now = now
        self.tz = ZoneInfo(data["meta"]["timezone"])
        self.today = now.astimezone(self.tz).date()
        self.vendors = {v["key"]: v for v in data["vendors"]}
        self.updates = data["updates"]
        self.follow_ups = read_follow_ups()

    def story(self, n: int, raw: Mapping[str, Any]) -> Story:
        opened = self._opened(raw)
        first, rest = _split(raw["plain_summary"])
        is_over = raw["restore_min"] is not None
        restore = raw["restore_min"] or raw["contain_min"]
        fix = self._fix(raw, opened, restore)
        failed_fix = self._failed_fix(raw, opened, fix)
        if failed_fix and failed_fix.checked_at and fix:
            fix = replace(fix, planned_at=failed_fix.checked_at + timedelta(minutes=70))
        return Story(
            key=raw["key"],
            number=FIRST_NUMBER + n,
            title=raw["title"],
            category=raw["category"],
            station=raw["location"],
            system=raw["system"],
            impact=IMPACT_OF[raw["severity"]],
            flow=FLOW_OF.get(raw["impacts"][0]),
            reporter=raw["reported_by"],
            owner=raw["owner"] or "",
            opened=opened,
            words=first if raw["ack_min"] is not None else f"{first} {rest}",
            ack=raw["ack_min"],
            arrive=_between(raw["ack_min"], raw["contain_min"] or 24, 0.3),
            said=self._said(raw, first, rest),
            lost=self._lost(raw),
            contain=raw["contain_min"],
            bandage=(raw["containment"] or {}).get("text", ""),
            bandage_days=(raw["containment"] or {}).get("expires_days") or 7,
            restore=restore,
            summary=raw["plain_summary"] if is_over else "",
            cover=self._cover(raw),
            waits_on=self._waits_on(raw),
            root_cause=raw["root_cause"] or "",
            escape_cause=raw.get("escape_cause") or "",
            failed_fix=failed_fix,
            fix=fix,
            closes=raw["state"] == "closed",
            extends=raw["key"] not in LEFT_TO_EXPIRE,
            seen_by=(("hutchins", 31), ("prewitt", 32)) if self._is_live_stop(raw) else (),
            where_else=raw.get("where_else") or (),
            follow_up=self.follow_ups.get(raw["key"], FollowUp()),
        )

    def _is_live_stop(self, raw: Mapping[str, Any]) -> bool:
        return "opened_minutes_ago" in raw and raw["severity"] == "S1"

    def _opened(self, raw: Mapping[str, Any]) -> datetime:
        if "opened_minutes_ago" in raw:
            return self.now - timedelta(minutes=raw["opened_minutes_ago"])
        day = self.today - timedelta(days=raw["opened"]["days_ago"])
        if raw["location"].startswith(WEEKDAYS_ONLY):
            day -= timedelta(days=max(0, day.weekday() - 4))
        return self._local(day, time.fromisoformat(raw["opened"]["time"]))

    def _local(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.tz)

    def _said(self, raw: Mapping[str, Any], first: str, rest: str) -> list[Said]:
        """The file's own updates; else one while product is not moving, in the words of the summary."""
        own = [u for u in self.updates if u["incident"] == raw["key"]]
        if own:
            return [self._own_update(u, raw) for u in own]
        if raw["ack_min"] is None:
            return []
        technical = raw["technical_detail"]
        if raw["restore_min"] is None:
            conditions, actions = _last_apart(raw["plain_summary"])
            minutes = (raw["contain_min"] or 60) + 1
            return [Said(minutes, conditions, actions, "No needs", technical)]
        minutes = _between(raw["ack_min"], raw["contain_min"], 0.6) or raw["ack_min"]
        minutes = min(minutes, raw["ack_min"] + FIRST_WORD)
        return [Said(minutes, first, raw["containment"]["text"], "No needs", technical)]

    def _own_update(self, update: Mapping[str, Any], raw: Mapping[str, Any]) -> Said:
        """An update of the file. Where nothing was said since, it is of today: its next word is to come."""
        minutes, following = update["minutes_after_open"], update["next_update_min"]
        if raw["restore_min"] is None:
            since = (self.now - self._opened(raw)) // timedelta(minutes=1)
            minutes = max(minutes, since - following // 2)
        opened = self._opened(raw)
        return Said(
            minutes=minutes,
            conditions=update["conditions"],
            actions=self._with_times(update["actions"], opened),
            needs=self._with_times(update["needs"], opened),
            technical=update["technical"],
            next_minutes=following,
            by=update["by"],
        )

    def _with_times(self, text: str, opened: datetime) -> str:
        """The file counts minutes from the start ("at +45 min"); people say the time on the clock."""

        def on_the_clock(found: re.Match[str]) -> str:
            return f"{opened.astimezone(self.tz) + timedelta(minutes=int(found[1])):%H:%M}"

        return AFTER_START.sub(on_the_clock, text.replace(SHUTTLE, "+75 min"))

    def _lost(self, raw: Mapping[str, Any]) -> tuple[int, int] | None:
        """From minute to minute the line stood still, where that is not "raised until product moves"."""
        lost, contain = raw["minutes_lost"], raw["contain_min"]
        if not lost or contain is None:
            return None
        if raw["severity"] == "S1":
            return (0, lost) if lost < contain else None
        start = raw["ack_min"] + 1
        return (start, start + lost)

    def _cover(self, raw: Mapping[str, Any]) -> int | None:
        """Minutes from raised until it hurts; the file counts them from now."""
        left = raw.get("minutes_of_cover")
        return None if left is None else left + raw["opened_minutes_ago"]

    def _waits_on(self, raw: Mapping[str, Any]) -> tuple[str, int, int] | None:
        """The vendor of the live stop was called in minute 12 and answers within their promise."""
        if not self._is_live_stop(raw):
            return None
        vendor = self.vendors[raw["vendor"]]
        return vendor["name"], 12, 12 + vendor["response_min"]

    def _fix(self, raw: Mapping[str, Any], opened: datetime, restore: int | None) -> Fix | None:
        told, check = raw["countermeasure"], raw["effectiveness"]
        if told is None:
            return None
        placed = checked = None
        if told["status"] == "done":
            closes = raw["state"] == "closed"
            placed, checked = self._proof(told["due_days"], check["window_days"], closes)
        return Fix(
            what=told["text"],
            owner=told["owner"],
            strength=told["strength"],
            metric=check["metric"],
            target=check["target"],
            window_days=check["window_days"],
            due_on=self.today + timedelta(days=told["due_days"]),
            planned_at=self._planned_at(opened, restore or 60, placed),
            is_promised=told["status"] != "planned",
            passed_on=self.today - PASSED[raw["key"]] if raw["key"] in PASSED else None,
            placed_at=placed,
            checked_at=checked,
            measured=f"Target met: {check['target']}",
        )

    def _proof(self, due_days: int, window: int, closes: bool) -> tuple[datetime, datetime | None]:
        """When the fix went in and when it was checked: after its whole window, and before now."""
        placed = self._local(self.today + timedelta(days=due_days), time(10, 0))
        if not closes:
            return placed, None
        checked = placed + timedelta(days=window, minutes=30)
        while checked + timedelta(hours=3) > self.now:
            placed, checked = placed - timedelta(days=1), checked - timedelta(days=1)
        return placed, checked

    def _planned_at(self, opened: datetime, restore: int, placed: datetime | None) -> datetime:
        """The next morning, unless that is still to come or the fix was in by then."""
        done = opened + timedelta(minutes=restore + 30)
        morning = self._local(done.astimezone(self.tz).date() + timedelta(days=1), time(10, 30))
        latest = min(self.now, placed or self.now) - timedelta(hours=1)
        return morning if morning < latest else done

    def _failed_fix(self, raw: Mapping[str, Any], opened: datetime, fix: Fix | None) -> Fix | None:
        """A countermeasure that did not hold before the one that stands now."""
        before = raw.get("previous_countermeasures")
        if not before or fix is None:
            return None
        told = before[0]
        placed = max(
            self._local(self.today + timedelta(days=told["done_days"]), time(9, 0)),
            opened + timedelta(days=1),
        )
        failed = self.now - timedelta(minutes=95)  # it came back just now, unless a better fix is in already
        if fix.placed_at:
            failed = fix.placed_at - timedelta(days=3)
        return Fix(
            what=told["text"],
            owner=raw["owner"],
            strength=told["strength"],
            metric=fix.metric,
            target=fix.target,
            window_days=fix.window_days,
            due_on=placed.astimezone(self.tz).date(),
            planned_at=placed - timedelta(hours=2),
            placed_at=placed,
            checked_at=failed,
            is_effective=False,
            measured=told["measured"],
        )


def _split(text: str) -> tuple[str, str]:
    """The first sentence, which is what somebody says while raising, and the rest."""
    first, stop, rest = text.partition(". ")
    return (f"{first}.", rest) if stop else (text, "")


def _last_apart(text: str) -> tuple[str, str]:
    before, stop, last = text.rstrip(".").rpartition(". ")
    return (f"{before}.", f"{last}.") if stop else (text, text)


def _between(start: int | None, end: int | None, share: float) -> int | None:
    """A minute part of the way from one to the other."""
    if start is None or end is None:
        return None
    return start + max(1, round((end - start) * share))
