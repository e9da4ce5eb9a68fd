"""Who was asked to answer: how often, when again, and until when (domain §4: each answers for themselves).

The newest ask of a person about an incident is the one that counts: it knows how often they were asked
(`times_asked`) and when they are asked again (`ask_again_at`; None when nothing more comes). Those before it
wait for nothing, so that nobody is asked twice at one moment, whichever clock it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from escalation.models import Notification
from escalation.rules import Stretch, works_from
from escalation.situation import IncidentState
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


def again_at(state: IncidentState, now: datetime, hours: Stretch | None) -> datetime:
    """When whoever is asked now is asked again: of what may wait, not before the place works again."""
    at, _why = works_from(now + ASK_AGAIN_AFTER[state.severity], state, hours)
    return at


def is_last(times_asked: int) -> bool:
    """Whether they were asked again as often as anybody is."""
    return times_asked > AGAIN


def begin(tellings: Iterable[Telling], epochs: Mapping[int, datetime]) -> None:
    """Let these asks go on from the earlier ones. `epochs` are those of the timers that ask, by their id.

    The caller holds the incidents' locks and writes the tellings, in their order.

    Being told again by the ladder counts as being asked again. Who was said not to have answered is not asked
    again about the same clock: it goes on telling them, without more in between.
    """
    asking = [telling for telling in tellings if telling.ask_again_at is not None]
    if not asking:
        return
    earlier = _earlier(asking)
    for telling in asking:
        before = _before(telling, earlier[_of(telling)], epochs)
        if before is not None:
            _go_on(telling, before)
    armed = [one.pk for found in earlier.values() for one in found if one.ask_again_at is not None]
    Notification.objects.filter(pk__in=armed).update(ask_again_at=None)
    _only_the_last(asking)


def _of(telling: Telling) -> tuple[int | None, int]:
    return telling.incident_id, telling.person.pk


def _earlier(asking: Sequence[Telling]) -> dict[tuple[int | None, int], list[Notification]]:
    """What asks each of these people again about an incident, or did until it gave up; the newest first."""
    wanted: dict[tuple[int | None, int], list[Notification]] = {_of(telling): [] for telling in asking}
    found = Notification.objects.filter(
        Q(ask_again_at__isnull=False) | Q(data__has_key=NOT_ANSWERED),
        incident__in={incident_id for incident_id, _person_id in wanted},
        person__in={person_id for _incident_id, person_id in wanted},
        wants_answer=True,
        answered_at=None,
    )
    for one in found.select_related("timer").order_by("-created_at", "-id"):
        if (one.incident_id, one.person_id) in wanted:
            wanted[one.incident_id, one.person_id].append(one)
    return wanted


def _before(
    telling: Telling, earlier: Sequence[Notification], epochs: Mapping[int, datetime]
) -> Notification | None:
    """The ask that this one goes on from: one that is armed, else one given up about the same clock."""
    armed = (one for one in earlier if one.ask_again_at is not None)
    return next(armed, None) or next((one for one in earlier if _is_same_clock(one, telling, epochs)), None)


def _only_the_last(asking: Sequence[Telling]) -> None:
    """Two clocks may ask somebody at one moment: the later telling is the newest ask, and goes on alone."""
    last = {_of(telling): telling for telling in asking if telling.ask_again_at is not None}
    for telling in asking:
        if last.get(_of(telling)) is not telling:
            telling.ask_again_at = None


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
