"""A stopped line with the longest names of the demo plant, built in memory: messages need no database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from escalation.messages import Context, Next, Told
from escalation.models import Clock, Delivery, Notification, Reason
from incidents.models import Category, Impact, Incident, Status, Update
from incidents.readings import Lapse
from plant.models import Area, Line, Person, Site, Station

NOW = datetime(2026, 11, 10, 16, 30, tzinfo=UTC)
"""Tuesday 11:30 by the clock in Detroit."""

RAISED = NOW - timedelta(minutes=34)
TOKEN = "K7Q2MX9PRT"
TECHNICAL = "Printer I1-LBL refuses port 9100, spooler event 372, VLAN 140"
ROOT = Path(__file__).resolve().parents[2]


@cache
def demo() -> dict[str, Any]:
    """The demo plant as the project ships it."""
    found = [path for path in ROOT.rglob("demo_plant.yaml") if not {".venv", "var"} & set(path.parts)]
    return yaml.safe_load(found[0].read_text(encoding="utf-8"))


def lines() -> list[dict[str, Any]]:
    return [line for site in demo()["sites"] for area in site["areas"] for line in area["work_centers"]]


def longest(names: Iterable[str]) -> str:
    return max(names, key=len)


def incident(**changes: Any) -> Any:
    """An S1, or as bad as its impact, with the longest names of the demo plant; nothing is saved."""
    site = Site(pk=1, code="MBK", name="Millbrook Plant", timezone="America/Detroit")
    area = Area(pk=1, site=site, code="MBK-ASM", name=longest(_area_names()))
    line = Line(pk=1, area=area, code=longest(_codes()), name=longest(line["name"] for line in lines()))
    station = Station(pk=1, line=line, code=f"{line.code}-060", name=longest(_station_names()))
    category = Category(pk=1, code="other", name=longest(c["name"] for c in demo()["categories"]))
    fields: dict[str, Any] = {
        "number": 104_200,
        "site": site,
        "area": area,
        "line": line,
        "station": station,
        "category": category,
        "impact": Impact.STOPPED,
        "severity": Impact(changes.get("impact", Impact.STOPPED)).severity,
        "status": Status.ACKNOWLEDGED,
        "owner": person(1),
        "title": longest(i["title"] for i in demo()["incidents"]),
        "words": "The line is stopped because rack labels will not print. A spare is on its way.",
        "technical": TECHNICAL,
        "noticed_at": RAISED,
        "raised_at": RAISED,
        "clocks_from": RAISED,
        "acknowledged_at": RAISED + timedelta(minutes=3),
        "next_update_due": NOW + timedelta(minutes=26),
        "cover_until": NOW + timedelta(minutes=41),
    }
    made = Incident(pk=1, **{**fields, **changes})
    vars(made)["latest_update"] = None
    vars(made)["bandages"] = []
    return made


def _area_names() -> Iterable[str]:
    return (area["name"] for site in demo()["sites"] for area in site["areas"])


def _codes() -> Iterable[str]:
    return (line["key"] for line in lines())


def _station_names() -> Iterable[str]:
    return (station["name"] for line in lines() for station in line["stations"])


def person(number: int, name: str = "") -> Person:
    """Somebody with the longest name of the demo plant, unless another is given."""
    name = name or longest(p["name"] for p in demo()["people"])
    return Person(pk=number, username=f"person{number}", name=name)


def said(about: Incident, **changes: Any) -> Update:
    """The longest update of the demo plant as the last word about the incident."""
    words = max(demo()["updates"], key=lambda update: len(update["conditions"] + update["actions"]))
    fields: dict[str, Any] = {
        "by": about.owner or person(1),
        "at": NOW - timedelta(minutes=4),
        "conditions": words["conditions"],
        "actions": words["actions"],
        "needs": words["needs"],
        "technical": TECHNICAL,
    }
    update = Update(incident=about, **{**fields, **changes})
    vars(about)["latest_update"] = update
    return update


class Bandage:
    """What a message needs of the containment that is on."""

    def __init__(self, what: str) -> None:
        self.what = what


def happened(reason: str) -> Any:
    """The incident in the state in which people are told for this reason."""
    later = {"cover_until": None, "next_update_due": None}
    if reason == Reason.TOLD_MOVING:
        moving = incident(status=Status.CONTAINED, contained_at=NOW, **later)
        vars(moving)["bandages"] = [Bandage(longest(_bandages()))]
        return moving
    if reason == Reason.TOLD_CLOSED:
        cause = longest(i["root_cause"] for i in demo()["incidents"] if i["root_cause"])
        return incident(status=Status.CLOSED, closed_at=NOW, contained_at=RAISED, closed_cause=cause, **later)
    if reason in (Reason.TOLD_REOPENED, Reason.DID_NOT_HOLD):
        return incident(status=Status.REOPENED, reopened_at=NOW, clocks_from=NOW)
    if reason == Reason.UPDATE:
        about = incident()
        said(about)
        return about
    if reason == Reason.LAPSED:
        return lapsed()
    return incident()


def lapsed(had: Person | None = None) -> Any:
    """Nobody has it any more: its owner with the longest name said nothing for an hour."""
    made = incident(
        status=Status.RAISED,
        owner=None,
        acknowledged_at=None,
        next_update_due=None,
        missed_updates=2,
        raised_at=NOW - timedelta(minutes=64),
        clocks_from=NOW,
    )
    had = had or person(1)
    vars(made)["lapse"] = Lapse(had.pk, had.name, NOW - timedelta(minutes=60))
    return made


def _bandages() -> Iterable[str]:
    return (i["containment"]["text"] for i in demo()["incidents"] if i["containment"])


def delivery(
    about: Incident,
    reason: str = Reason.STEP,
    clock: str = Clock.CONTAINMENT,
    *,
    channel: str = "sms",
    language: str = "en",
    to: Person | None = None,
    **changes: Any,
) -> Delivery:
    """One message about the incident; `to` is a manager with the longest name unless given."""
    fields: dict[str, Any] = {
        "role": "production_manager",
        "token": TOKEN,
        "due_at": NOW,
        "created_at": NOW,
        "clock": clock if reason == Reason.STEP else "",
    }
    notification = Notification(
        pk=1, incident=about, person=to or person(2), reason=reason, **{**fields, **changes}
    )
    return Delivery(pk=1, notification=notification, channel=channel, language=language)


def ladder() -> Context:
    """Who was told before, who together with the reader, and who is next."""
    return Context(
        told=[
            Told(RAISED, 1, person(1).name, "it_tech"),
            Told(RAISED + timedelta(minutes=5), 4, "Keisha Brandt", "it_lead", RAISED + timedelta(minutes=7)),
            Told(RAISED + timedelta(minutes=5), 5, "Jun Ishida", "it_specialist", failed=True),
            Told(NOW, 2, person(2).name, "production_manager", waits=True),
            Told(NOW, 3, "Yolanda Prewitt", "materials_manager", waits=True),
        ],
        upcoming=[
            Next(NOW + timedelta(minutes=30), Clock.CONTAINMENT, ("Marisol Okafor",), ("plant_manager",))
        ],
    )


EVERY_REASON = [
    *[(Reason.STEP.value, clock.value) for clock in Clock],
    *[(reason.value, "") for reason in Reason if reason != Reason.STEP],
]
"""Each reason once, steps of the clock once for each clock."""
