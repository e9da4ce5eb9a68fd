"""Each manager answers for themselves (domain §4): who has not is asked again, and said not to have answered.

One person's answer is no other's, so everybody is looked at alone. Exactly once, however many tickers: the
incident is locked as for a firing, and every time has a key of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import override

from escalation import asks, rules, wording
from escalation.answering import SEEN, TOOK_IT
from escalation.engine import subjects
from escalation.engine.contained import batch
from escalation.engine.fire import Outcome, rank_of
from escalation.engine.subjects import Subject, locking
from escalation.hours import Hours
from escalation.models import DeliveryState, Notification, Reason
from escalation.outbox.needed import FIELDS, Now, is_unmet
from escalation.recipients import WAYS
from escalation.rows import copy_in
from escalation.situation import ON_TIME
from escalation.telling import Telling, tell
from escalation.timers import bring_next_forward
from incidents.models import Event, EventKind
from plant.models import Site

BATCH = 200
"""Incidents per transaction."""

LOCK_ASKED = locking("""
    SELECT n.incident_id FROM escalation_notification n
    WHERE n.ask_again_at <= %s
      AND NOT EXISTS (SELECT 1 FROM escalation_unread u WHERE u.incident_id = n.incident_id)
    ORDER BY n.ask_again_at
""")

REACHED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.BUNDLED)
ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING)


def is_anybody_due(now: datetime) -> bool:
    return Notification.objects.filter(ask_again_at__lte=now).exists()


def ask_again_batch(now: datetime, *, limit: int = BATCH) -> Outcome:
    """Ask one batch of people again. A bad row is set aside, the others are asked."""
    return batch(LOCK_ASKED, now, limit, lambda ids: ask_again(ids, now), Outcome())


@dataclass(slots=True)
class _Plan:
    """What becomes of the asks that are due. `plant`: what may wait is not asked about while it is closed."""

    plant: Hours
    again: list[Notification] = field(default_factory=list)
    given_up: list[Notification] = field(default_factory=list)


def ask_again(ids: Sequence[int], now: datetime) -> Outcome:
    """Ask those who are due to be asked about these incidents, which the caller has locked."""
    known = {subject.pk: subject for subject in subjects.read(ids)}
    due = list(_waiting(ids).filter(ask_again_at__lte=now).prefetch_related("deliveries"))
    plan = _Plan(Hours.at(now))
    for one in due:
        _decide(plan, one, known[one.about_id], now)
    notes = _Notes(plan.again, known)
    channels = tell((_telling(one, known[one.about_id], notes, plan, now) for one in plan.again), now=now)
    copy_in(Event, _EVENT, [*_asked_again(plan.again, known, now), *_gave_up(plan.given_up, known, now)])
    Notification.objects.bulk_update(due, ["ask_again_at", "data"])
    return Outcome(seen=len(due), told=len(plan.again), channels=frozenset(channels))


def _waiting(ids: Iterable[int]) -> Any:
    """Those who are asked again if nothing changes."""
    found = Notification.objects.filter(incident__in=list(ids), ask_again_at__isnull=False)
    return found.select_related("person", "timer").order_by("ask_again_at", "id")


def _decide(plan: _Plan, one: Notification, subject: Subject, now: datetime) -> None:
    planned = one.ask_again_at
    one.ask_again_at = _still_at(one, subject, plan.plant, now)
    if one.ask_again_at is None or one.ask_again_at > now:
        return
    if _is_on_its_way(one):
        # Nobody can answer what has not gone out: a gateway that comes back does not ask four times at once.
        one.ask_again_at = _again_at(subject, plan.plant, now)
        return
    one.ask_again_at = None
    if asks.is_last(one.times_asked):
        plan.given_up.append(one)
    else:
        one.due_at = planned or now
        plan.again.append(one)


def _again_at(subject: Subject, plant: Hours, at: datetime) -> datetime:
    return asks.again_at(subject.state(), at, plant.stretch(subject.place))


def _still_at(one: Notification, subject: Subject, plant: Hours, now: datetime) -> datetime | None:
    """When they are asked again as things stand; None when nobody asks any more."""
    is_over = one.answered_at is not None or not one.person.is_active
    if one.ask_again_at is None or is_over or not is_unmet(one, _as_now(subject)):
        return None
    state = subject.state()
    pause = rules.waits_until(one.clock, state)
    at = pause if pause is not None and pause > now else one.ask_again_at
    works_from, _why = rules.works_from(max(at, now), state, plant.stretch(subject.place))
    return works_from if works_from > max(at, now) else at


def _as_now(subject: Subject) -> Now:
    return Now(*(getattr(subject, name) for name in FIELDS))


def _is_on_its_way(one: Notification) -> bool:
    states = {delivery.state for delivery in one.deliveries.all()}
    return not states & set(REACHED) and bool(states & set(ON_ITS_WAY))


def _telling(one: Notification, subject: Subject, notes: _Notes, plan: _Plan, now: datetime) -> Telling:
    """The same again, by the same way. Late, the next time is counted from now: no burst after an outage."""
    is_late = now - one.due_at > ON_TIME
    original = one.data.get("original", one.pk)
    times = one.times_asked + 1
    ways = dict.fromkeys(delivery.channel for delivery in one.deliveries.all())
    return Telling(
        incident_id=subject.pk,
        person=one.person,
        reason=Reason.ASKED_AGAIN.value,
        key=f"{subject.pk}:again:{original}:{times}",
        due_at=one.due_at,
        channels=list(ways or WAYS),
        timer_id=one.timer_id,
        clock=one.clock,
        role=one.role,
        rank=rank_of(subject, one.clock),
        wants_answer=True,
        note=notes.of(one, now if is_late else None),
        ask_again_at=_again_at(subject, plan.plant, now if is_late else one.due_at),
        times_asked=times,
        data={"original": original, asks.SINCE: asks.since(one)},
    )


class _Notes:
    """What a re-ask says beside the incident: that it asks again, and how late, in the reader's words."""

    def __init__(self, again: Sequence[Notification], known: Mapping[int, Subject]) -> None:
        wanted = {known[one.about_id].site_id for one in again}
        self._sites = {site.pk: site for site in Site.objects.filter(pk__in=wanted)} if wanted else {}
        self._known = known

    def of(self, one: Notification, late_at: datetime | None) -> str:
        zone = self._sites[self._known[one.about_id].site_id].tz
        with override(one.person.language), timezone.override(zone):
            return wording.asked_again(one.times_asked + 1, one.due_at, late_at)


# --- the timeline ---

_EVENT = ("incident_id", "at", "kind", "version", "words", "data")


def _asked_again(
    again: Sequence[Notification], known: Mapping[int, Subject], now: datetime
) -> Iterable[tuple[Any, ...]]:
    """One line for all who are asked again about one clock at one moment."""
    groups: dict[tuple[int, str], list[Notification]] = defaultdict(list)
    for one in again:
        groups[one.about_id, one.clock].append(one)
    for (incident_id, clock), asked in groups.items():
        data: dict[str, Any] = {
            "clock": clock,
            "asked_again": True,
            "people": [{"id": one.person.pk, "name": one.person.name, "role": one.role} for one in asked],
        }
        late = now - min(one.due_at for one in asked)
        if late > ON_TIME:
            data["late_s"] = int(late.total_seconds())
        yield (incident_id, now, EventKind.TOLD.value, known[incident_id].version, "", data)


def _gave_up(
    given_up: Sequence[Notification], known: Mapping[int, Subject], now: datetime
) -> Iterable[tuple[Any, ...]]:
    """Asked often enough: the timeline says who did not answer, and the next level is told now (rule 5).

    Of whom nothing ever reached, the timeline has said so already: they have not kept silent.
    """
    for one in given_up:
        one.data[asks.NOT_ANSWERED] = now.isoformat()
        if not _was_reached(one):
            continue
        why = wording.not_answered(one.person.name)
        goes_up = one.timer is not None and bring_next_forward(one.timer, why=why, at=now)
        data = {
            "id": one.person.pk,
            "name": one.person.name,
            "role": one.role,
            "clock": one.clock,
            "since": asks.since(one),
            "times": one.times_asked,
            "instead": "level" if goes_up else "",
        }
        subject = known[one.about_id]
        yield (subject.pk, now, EventKind.NOT_ANSWERED.value, subject.version, "", data)


def _was_reached(one: Notification) -> bool:
    """Whether any of the messages that asked them went out."""
    asked = Notification.objects.filter(incident=one.about_id, person=one.person_id, wants_answer=True)
    return asked.filter(deliveries__state__in=REACHED, created_at__gte=asks.since(one)).exists()


# --- when the incident changes ---


def follow(known: Sequence[Subject], plant: Hours, now: datetime) -> None:
    """The incidents changed: whoever did something has seen it, and only who is still needed is asked.

    The caller holds the locks. What was never read before has asked nobody.
    """
    read_before = {subject.pk: subject for subject in known if subject.read_version is not None}
    if not read_before:
        return
    _whoever_acts_has_seen_it(read_before)
    changed = []
    for one in _waiting(read_before):
        subject = read_before[one.about_id]
        at = _still_at(one, subject, plant, now)
        if at is not None and at == one.ask_again_at:
            # Made worse, or a pause that was lifted: not later than if they were asked for the first time.
            at = min(at, _again_at(subject, plant, now))
        if at != one.ask_again_at:
            one.ask_again_at = at
            changed.append(one)
    Notification.objects.bulk_update(changed, ["ask_again_at"])


def _whoever_acts_has_seen_it(known: Mapping[int, Subject]) -> None:
    """Taking it, or anything else done on a screen, answers what that person was asked before."""
    acts = _acts(known.values())
    if not acts:
        return
    asked = Notification.objects.filter(
        incident__in={incident_id for incident_id, _person_id in acts},
        person__in={person_id for _incident_id, person_id in acts},
        wants_answer=True,
        answered_at=None,
    )
    answered = []
    for one in asked:
        at, took_it = acts.get((one.about_id, one.person_id), (None, False))
        if at is None or at < one.created_at:
            continue
        one.answered_at, one.answered_by_channel, one.ask_again_at = at, "screen", None
        one.answer = TOOK_IT if took_it else SEEN
        answered.append(one)
    Notification.objects.bulk_update(
        answered, ["answered_at", "answered_by_channel", "answer", "ask_again_at"]
    )


def _acts(known: Collection[Subject]) -> dict[tuple[int, int], tuple[datetime, bool]]:
    """(Incident, person): when they last did something since it was read, and whether they took it."""
    news = Q()
    for subject in known:
        news |= Q(incident_id=subject.pk, version__gt=subject.read_version)
    events = Event.objects.filter(news, by__isnull=False).exclude(kind=EventKind.RAISED)
    found: dict[tuple[int, int], tuple[datetime, bool]] = {}
    for event in events.order_by("at", "id"):
        _before, took_it = found.get((event.incident_id, event.by_id or 0), (None, False))
        took_it = took_it or event.kind == EventKind.ACKNOWLEDGED
        found[event.incident_id, event.by_id or 0] = (event.at, took_it)
    return found
