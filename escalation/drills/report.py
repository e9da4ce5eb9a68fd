"""What a practice found: who was reached, who was not and why, and which levels had nobody. Pure.

Somebody counts as reached when they said so: sent and delivered are less than that. Who had no time to
answer, because the practice ended early, is listed and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from escalation.models import DeliveryState
from plant.models import Channel

TIME_TO_ANSWER = timedelta(minutes=2)
"""Who was told this short before the end cannot be blamed for saying nothing."""

WENT_OUT = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.BUNDLED)


class Ended(models.TextChoices):
    """How a practice ended."""

    PLAYED = "played", _("Every level was tried.")
    STOPPED = "stopped", _("It was stopped.")
    REAL = "real", _("It was stopped because something real happened.")
    UNFINISHED = "unfinished", _("It did not run to its end, because alerts were not going out.")


class Why(models.TextChoices):
    """Why somebody was not reached."""

    NO_NUMBER = "no_number", _("has no mobile number here")
    NO_ADDRESS = "no_address", _("has neither a mobile number nor an email address here")
    FAILED = "failed", _("every message to them failed")
    NOT_SENT = "not_sent", _("no message to them went out")
    UNVERIFIED = "unverified", _("did not answer, and nobody ever checked the number")
    NO_ANSWER = "no_answer", _("did not answer")
    NO_TIME = "no_time", _("had no time to answer")


@dataclass(frozen=True, slots=True)
class Way:
    """One message by one channel, and how far it got."""

    channel: str
    state: str
    address: str = ""
    is_verified: bool = True
    arrived_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One person told at one level. `instead_of`: who could not be reached before them."""

    person_id: int
    name: str
    role: str
    clock: str
    step: int
    told_at: datetime
    answered_at: datetime | None = None
    answer: str = ""
    has_mobile: bool = True
    instead_of: str = ""
    ways: Sequence[Way] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the policy: after so many of its minutes, these roles. Nobody on shift holds `missing`."""

    clock: str
    step: int
    minutes: int
    roles: Sequence[str]
    told_at: datetime | None = None
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was gathered of a practice."""

    severity: str
    policy_version: int
    levels: Sequence[Level] = ()
    asked: Sequence[Asked] = field(default_factory=tuple)


def build(
    facts: Facts, *, why: Ended, started_at: datetime, ended_at: datetime, by: str = "", real: str = ""
) -> dict[str, Any]:
    """The report as it is kept: plain values, so that it reads the same in ten years.

    `people` has one row for each person, in the order in which they were told; `levels` name them by id.
    """
    people = [_person(rows, started_at, ended_at) for rows in _by_person(facts.asked).values()]
    judged = [one for one in people if one["why"] != Why.NO_TIME]
    return {
        "why": why.value,
        "by": by,
        "real": real,
        "severity": facts.severity,
        "policy_version": facts.policy_version,
        "asked": len(judged),
        "missed": sum(not one["reached"] for one in judged),
        "people": people,
        "levels": [_level(level, facts.asked, started_at) for level in facts.levels],
    }


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the message to the IT manager says of it: the counts, who was missed, and empty levels."""
    missed = [one for one in report["people"] if not one["reached"] and one["why"] != Why.NO_TIME]
    return {
        "why": report["why"],
        "real": report["real"],
        "asked": report["asked"],
        "missed": report["missed"],
        "people": [{name: one[name] for name in ("name", "role", "why")} for one in missed],
        "empty": list(dict.fromkeys(role for level in report["levels"] for role in level["missing"])),
    }


def _by_person(asked: Iterable[Asked]) -> dict[int, list[Asked]]:
    found: dict[int, list[Asked]] = {}
    for one in sorted(asked, key=lambda row: row.told_at):
        found.setdefault(one.person_id, []).append(one)
    return found


def _person(rows: Sequence[Asked], started_at: datetime, ended_at: datetime) -> dict[str, Any]:
    first = rows[0]
    answered = min((row for row in rows if row.answered_at), key=_answered_at, default=None)
    why = "" if answered else verdict(rows, ended_at).value
    return {
        "id": first.person_id,
        "name": first.name,
        "role": first.role,
        "told_s": _seconds(first.told_at, started_at),
        "times": len(rows),
        "reached": answered is not None,
        "why": why,
        "answered_s": _seconds(answered.answered_at, answered.told_at) if answered else None,
        "answer": answered.answer if answered else "",
        "ways": _ways(rows),
    }


def _answered_at(row: Asked) -> datetime:
    assert row.answered_at is not None
    return row.answered_at


def verdict(rows: Sequence[Asked], ended_at: datetime) -> Why:
    """Why somebody who said nothing counts as not reached."""
    ways = [way for row in rows for way in row.ways]
    if not any(way.address for way in ways):
        return Why.NO_ADDRESS
    went_out = [way for way in ways if way.state in WENT_OUT]
    if not went_out and any(way.state == DeliveryState.FAILED for way in ways):
        return Why.FAILED
    if ended_at - rows[0].told_at < TIME_TO_ANSWER:
        return Why.NO_TIME
    if not went_out:
        return Why.NOT_SENT
    if not rows[0].has_mobile:
        return Why.NO_NUMBER
    by_sms = [way for way in went_out if way.channel == Channel.SMS]
    if by_sms and not any(way.is_verified for way in by_sms):
        return Why.UNVERIFIED
    return Why.NO_ANSWER


def _ways(rows: Sequence[Asked]) -> list[dict[str, Any]]:
    """How far the best message by each channel got, and how soon after it was recorded."""
    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        for way in row.ways:
            said = {
                "channel": way.channel,
                "state": way.state,
                "seconds": _seconds(way.arrived_at, row.told_at),
                "error": way.error,
            }
            if way.channel not in best or _how_far(said) > _how_far(best[way.channel]):
                best[way.channel] = said
    return list(best.values())


_FURTHEST = [str(state) for state in (DeliveryState.DELIVERED, DeliveryState.SENT, DeliveryState.FAILED)]


def _how_far(way: Mapping[str, Any]) -> int:
    return -_FURTHEST.index(way["state"]) if way["state"] in _FURTHEST else -len(_FURTHEST)


def _level(level: Level, asked: Sequence[Asked], started_at: datetime) -> dict[str, Any]:
    here = [one for one in asked if (one.clock, one.step) == (level.clock, level.step)]
    return {
        "clock": level.clock,
        "step": level.step,
        "minutes": level.minutes,
        "roles": list(level.roles),
        "told_s": _seconds(level.told_at, started_at),
        "missing": list(level.missing),
        "people": list(dict.fromkeys(one.person_id for one in here)),
        "instead": [[one.name, one.instead_of] for one in here if one.instead_of],
    }


def _seconds(at: datetime | None, since: datetime) -> int | None:
    return None if at is None else max(0, int((at - since).total_seconds()))
