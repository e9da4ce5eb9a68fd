"""A practice as its page and the list of practices show it, in the language in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import pace, wording
from escalation.drills import gathering, report, words
from escalation.drills.report import Ended, Why
from escalation.models import DeliveryState, Drill
from escalation.policies import clocks_of
from escalation.steps import CONTAINMENT, RESPONSE
from incidents.models import Impact
from incidents.models.terms import IMPACT_OF
from plant.models import Channel
from plant.wording import span

TITLES = {
    RESPONSE: gettext_lazy("If nobody takes it"),
    CONTAINMENT: gettext_lazy("If somebody takes it, and product does not move"),
}

WENT = {
    DeliveryState.QUEUED: gettext_lazy("waiting"),
    DeliveryState.SENDING: gettext_lazy("being sent"),
    DeliveryState.SENT: gettext_lazy("sent"),
    DeliveryState.DELIVERED: gettext_lazy("delivered"),
    DeliveryState.FAILED: gettext_lazy("failed"),
    DeliveryState.DROPPED: gettext_lazy("not needed any more"),
    DeliveryState.BUNDLED: gettext_lazy("in a message with others"),
}


@dataclass(frozen=True, slots=True)
class ShownWay:
    """One channel: "delivered after 3 s"."""

    channel: str
    state: str
    text: str
    error: str


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """Somebody who was asked. `tone` is bad for who was not reached, warn for who had no time."""

    name: str
    role: str
    state: str
    text: str
    tone: str
    ways: Sequence[ShownWay]


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """One step of the policy, and who was asked at it."""

    after: str
    roles: str
    told_at: datetime | None
    missing: str
    people: Sequence[ShownPerson]
    instead: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """The whole practice."""

    sentence: str
    ending: str
    missed: Sequence[ShownPerson]
    parts: Sequence[tuple[str, Sequence[ShownLevel]]]
    level: Impact
    answered: int
    asked: int
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A practice in the list."""

    drill: Drill
    level: Impact
    sentence: str
    ending: str
    tone: str


def level_of(severity: str) -> Impact:
    return IMPACT_OF[severity]  # type: ignore[index]


def row(drill: Drill, now: datetime) -> Row:
    level = level_of(drill.incident.severity)
    if drill.ended_at is None:
        return Row(drill, level, _("Running now"), "", "running")
    found = drill.report
    is_whole = found["why"] == Ended.PLAYED
    tone = "bad" if found["missed"] else ("ok" if is_whole and found["asked"] else "")
    return Row(drill, level, words.in_a_sentence(found), "" if is_whole else words.ending(found), tone)


def of(drill: Drill, now: datetime) -> Shown:
    """What is known by now while it runs, then what was kept."""
    is_live = drill.ended_at is None
    found = drill.report or report.build(
        gathering.of(drill), why=Ended.PLAYED, started_at=drill.started_at, ended_at=drill.ended_at or now
    )
    people = {one["id"]: _person(one, is_live=is_live) for one in found["people"]}
    answered = sum(one["reached"] for one in found["people"])
    return Shown(
        sentence=_so_far(answered, len(people)) if is_live else words.in_a_sentence(found),
        ending="" if is_live else words.ending(found),
        missed=[] if is_live else [people[one["id"]] for one in found["people"] if _is_missed(one)],
        parts=_parts(drill, found, people),
        level=level_of(drill.incident.severity),
        answered=answered,
        asked=len(people),
        ends_at=_ends_at(drill) if is_live else None,
    )


def _so_far(answered: int, asked: int) -> str:
    if not asked:
        return _("Nobody was asked yet.")
    return _("%(answered)d of %(asked)d answered so far.") % {"answered": answered, "asked": asked}


def _is_missed(one: Mapping[str, Any]) -> bool:
    return not one["reached"] and one["why"] != Why.NO_TIME


def _ends_at(drill: Drill) -> datetime | None:
    run = getattr(drill.incident, "run", None)
    return drill.incident.clocks_from + pace.ends_after(clocks_of(run.policy)) if run else None


def _parts(
    drill: Drill, found: Mapping[str, Any], people: Mapping[int, ShownPerson]
) -> list[tuple[str, list[ShownLevel]]]:
    parts = []
    for clock, title in TITLES.items():
        levels = [_level(drill, one, people) for one in found["levels"] if one["clock"] == clock]
        if levels:
            parts.append((str(title), levels))
    return parts


def _level(drill: Drill, one: Mapping[str, Any], people: Mapping[int, ShownPerson]) -> ShownLevel:
    told_at = None
    if one["told_s"] is not None:
        told_at = drill.started_at + timedelta(seconds=one["told_s"])
    return ShownLevel(
        after=_("At once") if not one["minutes"] else span(timedelta(minutes=one["minutes"])),
        roles=wording.roles_in_a_sentence(one["roles"]) or ", ".join(one["roles"]),
        told_at=told_at,
        missing=words.empty_levels(one["missing"]),
        people=[people[pk] for pk in one["people"] if pk in people],
        instead=[
            _("%(name)s was told instead of %(other)s.") % {"name": name, "other": other}
            for name, other in one["instead"]
        ],
    )


def _person(one: Mapping[str, Any], *, is_live: bool) -> ShownPerson:
    ways = [_way(way) for way in one["ways"]]
    role = wording.role_name(one["role"])
    if one["reached"]:
        said = {"time": _seconds(one["answered_s"])}
        text = _("would take it, after %(time)s") if one["answer"] == "took_it" else _("seen after %(time)s")
        return ShownPerson(one["name"], role, "answered", text % said, "", ways)
    if is_live and one["why"] not in (Why.FAILED, Why.NO_ADDRESS):
        return ShownPerson(one["name"], role, _furthest(ways), _("no answer yet"), "", ways)
    tone = "warn" if one["why"] == Why.NO_TIME else "bad"
    return ShownPerson(one["name"], role, "failed", words.why_not(one["why"]), tone, ways)


def _furthest(ways: Sequence[ShownWay]) -> str:
    return next((s for s in ("delivered", "sent") if any(way.state == s for way in ways)), "queued")


def _way(way: Mapping[str, Any]) -> ShownWay:
    state = DeliveryState(way["state"])
    text = str(WENT[state])
    if way["seconds"] and state in (DeliveryState.SENT, DeliveryState.DELIVERED):
        text = _("%(state)s after %(time)s") % {"state": text, "time": _seconds(way["seconds"])}
    return ShownWay(str(Channel(way["channel"]).label), str(state), text, way["error"])


def _seconds(seconds: int) -> str:
    """ "40 s", "3 min"."""
    return f"{seconds} s" if seconds < 60 else span(timedelta(seconds=seconds))
