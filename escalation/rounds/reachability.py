"""Each night, per site: who cannot be reached, before somebody has to be.

The IT managers hear of it when anything changed since they last heard, and every night while an alert would
miss somebody (an error); a mere doubt (a number nobody verified) is said once and then shown on the page.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction

from escalation import watch
from escalation.models import Notification, Rank, Reason
from escalation.reach import Reach, reach_of
from escalation.rounds.gap_ahead import it_managers
from escalation.rounds.once import tell_once
from escalation.telling import Telling
from plant.duty import DutyBook
from plant.models import Channel, Role, Site
from plant.rotation import instant

AT = time(3)
"""By the site's clock: the night shift is long on, the morning's is not up yet, and what is found can be
mended before it comes on. Not the hour that the clock skips or repeats."""

UNTIL = time(12)
"""After an outage it is made up for until noon; later, the coming night is near enough."""

EVERY = timedelta(hours=12)
"""One a night: more than the hours from `AT` to `UNTIL`, less than from a late one to the next night."""

REMEMBERS = timedelta(days=60)
"""What was said longer ago may be said again: two months of a number that nobody verified."""


def check(site: Site, book: DutyBook, now: datetime) -> tuple[int, set[str]]:
    """Look at everybody of the site when it is time. The mark and the report are one transaction: a process
    that dies in between leaves neither, and another that looks at the same time waits and finds the mark."""
    if not is_time(site, now):
        return 0, set()
    with transaction.atomic():
        if not watch.is_time_for(f"reachability:{site.code}", now, every=EVERY):
            return 0, set()
        return tell_once(who_is_told(reach_of(site, now, only_home=True), book, now), now)


def is_time(site: Site, now: datetime) -> bool:
    today = now.astimezone(site.tz).date()
    return instant(today, AT, site.tz) <= now < instant(today, UNTIL, site.tz)


def who_is_told(reach: Reach, book: DutyBook, now: datetime) -> list[Telling]:
    """The report for each IT manager of the site who has not read the same before."""
    site, found = reach.site, _as_data(reach)
    day = now.astimezone(site.tz).date()
    people = it_managers(book, site, now)
    before = _told_before(site, [person.pk for person in people], now)
    return [
        Telling(
            incident_id=None,
            site_id=site.pk,
            person=person,
            reason=Reason.REACHABILITY.value,
            key=f"reach:{site.pk}:{day.isoformat()}:{person.pk}",
            due_at=instant(day, AT, site.tz),
            channels=[Channel.EMAIL.value],
            role=Role.IT_MANAGER.value,
            rank=Rank.QUIET,
            data={**found, "mended": _mended(before.get(person.pk), found)},
            by_one_way=True,
        )
        for person in people
        if _is_worth_saying(reach, before.get(person.pk), found)
    ]


def _is_worth_saying(reach: Reach, before: dict[str, Any] | None, found: dict[str, Any]) -> bool:
    if reach.errors or reach.ways_down:
        return True
    if before is None:
        return bool(found["people"])
    return _pairs(before) != _pairs(found) or before["ways"] != found["ways"]


def _as_data(reach: Reach) -> dict[str, Any]:
    return {
        "site": reach.site.code,
        "people": [
            {
                "username": one.person.username,
                "name": str(one.person),
                "level": one.level,
                "faults": [fault.value for fault in one.faults],
            }
            for one in reach.wrong
        ],
        "ways": [way.channel.value for way in reach.ways_down],
    }


def _pairs(data: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["username"], fault) for one in data["people"] for fault in one["faults"]}


def _mended(before: dict[str, Any] | None, found: dict[str, Any]) -> list[str]:
    """Names of who stood in the last report and is fine now."""
    if before is None:
        return []
    wrong = {one["username"] for one in found["people"]}
    return [one["name"] for one in before["people"] if one["username"] not in wrong]


def _told_before(site: Site, people: list[int], now: datetime) -> dict[int, dict[str, Any]]:
    """The last report that each person got about the site."""
    rows = (
        # incident=None: by the index of incident and time, which few of all messages are in without one
        Notification.objects.filter(incident=None, created_at__gt=now - REMEMBERS)
        .filter(site=site, person__in=people, reason=Reason.REACHABILITY)
        .exclude(data__has_key="only")  # said of one person in the moment it happened: no report
        .order_by("person_id", "-id")
        .distinct("person_id")
    )
    return dict(rows.values_list("person_id", "data"))
