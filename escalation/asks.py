"""Who was asked to answer: how often, when again, and until when (domain §4: each answers for themselves).

The newest ask of a person about an incident is the one that counts: it knows how often they were asked
(`times_asked`) and when they are asked again (`ask_again_at`; None when nothing more comes). Those before it
wait for nothing, so that nobody is asked twice at one moment, whichever clock it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from escalation.models import Notification
from escalation.telling import Telling

ASK_AGAIN_AFTER = {
    "S1": timedelta(minutes=5),
    "S2": timedelta(minutes=10),
    "S3": timedelta(hours=1),
    "S4": timedelta(hours=1),
}
"""Product stands still: as long as the default ladder waits between its first steps. What may leave late
bears twice that. The rest an hour: whoever is in a meeting has come out of it."""

AGAIN = 3
"""Times somebody is asked again. After that asking does not help: the next level hears of it instead."""

SINCE, NOT_ANSWERED = "asked_since", "not_answered"
"""Keys of `Notification.data`: when they were first asked; when it was said that they did not answer."""


def again_at(severity: str, now: datetime) -> datetime:
    """When whoever is asked now is asked again."""
    return now + ASK_AGAIN_AFTER[severity]


def is_last(times_asked: int) -> bool:
    """Whether they were asked again as often as anybody is."""
    return times_asked > AGAIN


def begin(tellings: Iterable[Telling], epochs: Mapping[int, datetime]) -> None:
    """Let these asks go on from the earlier ones. `epochs` are those of the timers that ask, by their id.

    The caller holds the incidents' locks and writes the tellings.

    Being told again by the ladder counts as being asked again. Who was said not to have answered is not asked
    again about the same clock: it goes on telling them, without more in between.
    """
    asking = [telling for telling in tellings if telling.ask_again_at is not None]
    if not asking:
        return
    newest = _newest(asking)
    ended = []
    for telling in asking:
        before = newest.get((telling.incident_id, telling.person.pk))
        if before is None:
            continue
        if before.ask_again_at is not None:
            ended.append(before.pk)
        elif not (before.data.get(NOT_ANSWERED) and _is_same_clock(before, telling, epochs)):
            continue
        _go_on(telling, before)
    Notification.objects.filter(pk__in=ended).update(ask_again_at=None)


def _newest(asking: Sequence[Telling]) -> dict[tuple[int | None, int], Notification]:
    """The last unanswered ask of each of these people about their incident."""
    found = (
        Notification.objects.filter(
            incident__in={telling.incident_id for telling in asking},
            person__in={telling.person.pk for telling in asking},
            wants_answer=True,
            answered_at=None,
        )
        .select_related("timer")
        .order_by("incident_id", "person_id", "-created_at", "-id")
        .distinct("incident_id", "person_id")
    )
    return {(one.incident_id, one.person_id): one for one in found}


def _is_same_clock(before: Notification, telling: Telling, epochs: Mapping[int, datetime]) -> bool:
    epoch = before.timer.epoch if before.timer is not None else None
    return before.clock == telling.clock and epoch == epochs.get(telling.timer_id or 0)


def _go_on(telling: Telling, before: Notification) -> None:
    telling.times_asked = before.times_asked + 1
    telling.data[SINCE] = since(before)
    if said := before.data.get(NOT_ANSWERED):
        telling.data[NOT_ANSWERED] = said
        telling.ask_again_at = None


def since(notification: Notification) -> str:
    """When they were first asked, as it is kept in `data`."""
    known: dict[str, Any] = notification.data
    return str(known.get(SINCE) or notification.created_at.isoformat())
