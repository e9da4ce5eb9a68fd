"""Who comes on at a shift start gets one message with what is open in their place; nothing open, no message.

It is counted as it was at the shift start: what is raised after it comes by its own clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import override

from escalation.models import Rank, Reason
from escalation.rounds.once import LATE, not_yet_told
from escalation.telling import Telling
from incidents import readings
from incidents.models import Impact, Incident, Status
from plant.coming_on import ComingOn, Held, coming_on
from plant.models import Channel, Role, Site
from plant.working_time import WorkingTime

WORST = 3
"""Incidents that are named; the page has all of them."""

IT = frozenset({Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD})

MOVING = "moving"
"""The word of what runs again, on a bandage."""

ORDER = (*Impact.values, MOVING)


def who_is_told(hours: WorkingTime, sites: Mapping[int, Site], now: datetime) -> list[Telling]:
    """One telling for each who came on within the last hour and has something open. Two queries at most."""
    came = coming_on(hours, sites, since=now - LATE, until=now)
    new = not_yet_told(_key(one) for one in came)
    came = [one for one in came if _key(one) in new]
    if not came:
        return []
    found = _open()
    return [telling for one in came if (telling := _telling(one, found, sites))]


def _key(one: ComingOn) -> str:
    return f"shift:{one.at:%Y%m%dT%H%M%SZ}:{one.person.pk}"


def _open() -> list[Incident]:
    """Everything that somebody may still have to do something about, what hurts first on top."""
    found = Incident.objects.open().exclude(status=Status.RESOLVED).filter(is_drill=False)
    return list(found.with_place().by_cover_left())


def _telling(one: ComingOn, found: Sequence[Incident], sites: Mapping[int, Site]) -> Telling | None:
    theirs = [incident for incident in found if _was_open(incident, one.at) and _concerns(incident, one.held)]
    site_id = one.person.site_id or next((held.site_id for held in one.held if held.site_id), None)
    if not theirs or (site_id is None and not sites):
        return None
    role = min(one.held, key=lambda held: list(Role).index(held.role)).role
    return Telling(
        incident_id=None,
        site_id=site_id or min(sites),
        person=one.person,
        reason=Reason.SHIFT_START.value,
        key=_key(one),
        due_at=one.at,
        channels=[Channel.SMS.value],
        role=role.value,
        rank=Rank.QUIET,
        data=data(
            theirs,
            at=one.at,
            language=one.person.language,
            instead_of=[str(person) for person in one.instead_of],
            is_it=any(held.role in IT for held in one.held),
        ),
        by_one_way=True,
    )


def _was_open(incident: Incident, at: datetime) -> bool:
    return incident.raised_at <= at and (incident.reopened_at is None or incident.reopened_at <= at)


def _concerns(incident: Incident, held: Iterable[Held]) -> bool:
    return any(_is_theirs(incident, one) for one in held)


def _is_theirs(incident: Incident, held: Held) -> bool:
    """IT sees to everything at its places; the floor is not bothered with what stops nothing."""
    if held.role not in IT and incident.level == Impact.NONE:
        return False
    return held.covers(site_id=incident.site_id, area_id=incident.area_id)


def data(
    theirs: Sequence[Incident],
    *,
    at: datetime,
    language: str,
    instead_of: Sequence[str] = (),
    is_it: bool = True,
) -> dict[str, Any]:
    """What the message keeps of what is open: how many of each kind, and the worst by name."""
    counted = Counter(_word(incident) for incident in theirs)
    with override(language):
        return {
            "at": at.isoformat(),
            "counts": [[word, counted[word]] for word in ORDER if counted[word]],
            "worst": [_named(incident) for incident in theirs[:WORST]],
            "instead_of": list(instead_of),
            "is_it": is_it,
        }


def _word(incident: Incident) -> str:
    return MOVING if incident.is_moving else str(incident.level)


def _named(incident: Incident) -> dict[str, str]:
    place = incident.line or incident.place
    return {
        "code": incident.code,
        "word": _word(incident),
        "where": incident.where,
        "place": str(place),
        "short": place.code,
        "what": readings.what(incident),
        "owner": incident.owner.name if incident.owner else "",
    }
