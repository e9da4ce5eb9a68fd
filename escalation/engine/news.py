"""News for people: whoever was told is told the end, quietly, once, by the same way (domain §4).

What happened is read from the timeline: the events since the engine last read the incident. Of several moves
in that time only the last is told. Managers who were told also get each update that is posted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import override

from escalation.engine import failed_fixes
from escalation.engine.subjects import Subject
from escalation.heard import GOES_OUT, TELLS, in_states
from escalation.models import Delivery, DeliveryState, Rank, Reason
from escalation.telling import Telling
from incidents.models import Event, EventKind
from incidents.readings import sentence
from plant.duty import DutyAnswer, DutyLevel
from plant.models import Person, Role

MOVES = {
    EventKind.ACKNOWLEDGED: Reason.TOLD_PICKED_UP,
    EventKind.CONTAINED: Reason.TOLD_MOVING,
    EventKind.CLOSED: Reason.TOLD_CLOSED,
    EventKind.TAKEN_BACK: Reason.TOLD_CLOSED,
    EventKind.REOPENED: Reason.TOLD_REOPENED,
    EventKind.HOLDS_AFTER_ALL: Reason.TOLD_HOLDS,
}
SPOKEN = (*MOVES, EventKind.UPDATED, EventKind.ASSIGNED, EventKind.LAPSED, EventKind.HELP_ASKED)

READS_UPDATES = frozenset(
    {
        Role.SUPERVISOR,
        Role.IT_MANAGER,
        Role.PRODUCTION_MANAGER,
        Role.MATERIALS_MANAGER,
        Role.DEPT_MANAGER,
        Role.PLANT_MANAGER,
        Role.IT_DIRECTOR,
    }
)
"""Who gets an update when it is posted, once the ladder has reached them: one message per update at most."""


@dataclass(slots=True)
class Told:
    """Somebody who was told about an incident, as what, and by which channels the last time."""

    roles: set[str] = field(default_factory=set)
    last: int = 0
    channels: list[str] = field(default_factory=list)
    is_sure: bool = False
    """Whether a message went out to them; else one is being sent in this moment."""


def events_since_read(known: Sequence[Subject]) -> dict[int, list[Event]]:
    """What happened to each incident since the engine last read it, oldest first."""
    news = Q()
    for subject in known:
        news |= Q(incident_id=subject.pk, version__gt=subject.read_version or 0)
    found: dict[int, list[Event]] = defaultdict(list)
    if known:
        spoken = Q(kind__in=SPOKEN) | failed_fixes.SAID
        for event in Event.objects.filter(news & spoken).order_by("version", "id"):
            found[event.incident_id].append(event)
    return found


def tellings(known: Sequence[Subject], now: datetime) -> list[Telling]:
    """Everybody who is to hear what happened since the incidents were last read.

    Four queries at most; with who is on duty, where a fix did not hold.
    """
    happened = events_since_read(known)
    if not happened:
        return []
    told = _told(happened)
    people = _people(happened, told, known)
    failed = failed_fixes.tellings(known, happened, now)
    for telling in failed:
        told[telling.incident_id or 0].pop(telling.person.pk, None)  # one message, and it says more
    return failed + [
        telling
        for subject in known
        if subject.pk in happened
        for telling in _of(subject, happened[subject.pk], told[subject.pk], people, now)
    ]


def _of(
    subject: Subject,
    events: Sequence[Event],
    told: Mapping[int, Told],
    people: Mapping[int, Person],
    now: datetime,
) -> Iterable[Telling]:
    by_kind = {EventKind(event.kind): event for event in events}  # the last of each kind
    moves = [event for event in events if event.kind in MOVES and not _goes_on(event)]
    if moves and not _was_never_told(events, moves[-1]):
        yield from _move(subject, moves[-1], told, people)
    update = by_kind.get(EventKind.UPDATED)
    if update is not None and subject.status != "closed":
        readers = {pk: one for pk, one in told.items() if one.roles & READS_UPDATES}
        yield from _each(subject, update, Reason.UPDATE, readers, people)
    asked = by_kind.get(EventKind.ASSIGNED)
    if asked is not None and subject.assigned_to_id == asked.data.get("to_id"):
        yield from _assigned(subject, asked, people)
    lapsed = by_kind.get(EventKind.LAPSED)
    if lapsed is not None:
        yield from _lapsed(subject, lapsed, people)
    for event in events:
        if event.kind == EventKind.HELP_ASKED:
            yield from _help(subject, event, people)


def _was_never_told(events: Sequence[Event], last: Event) -> bool:
    """Failed and put right between two turns of the engine: nobody has heard of either."""
    return last.kind == EventKind.HOLDS_AFTER_ALL and any(failed_fixes.is_failure(one) for one in events)


def _goes_on(event: Event) -> bool:
    """A practice that goes on as if somebody had taken it: news for nobody. Its end is told."""
    return event.kind == EventKind.ACKNOWLEDGED and bool(event.data.get("practice"))


def _move(
    subject: Subject, event: Event, told: Mapping[int, Told], people: Mapping[int, Person]
) -> Iterable[Telling]:
    """Who was told, and for what came back also its owner, who has to act: that one is not quiet."""
    reason = MOVES[EventKind(event.kind)]
    owner = subject.owner_id
    if reason == Reason.TOLD_REOPENED and owner is not None and owner in people and owner != event.by_id:
        told = {pk: one for pk, one in told.items() if pk != owner}
        yield _telling(
            subject, event, reason, people[owner], ["sms", "email"], "owner", rank=_pressing(subject)
        )
    if reason == Reason.TOLD_HOLDS and owner is not None:
        told = {owner: Told({"owner"}, channels=["sms", "email"], is_sure=True), **told}
    yield from _each(subject, event, reason, told, people)


def _each(
    subject: Subject,
    event: Event,
    reason: Reason,
    told: Mapping[int, Told],
    people: Mapping[int, Person],
) -> Iterable[Telling]:
    for person_id, one in told.items():
        if person_id != event.by_id and person_id in people:
            role = min(one.roles, default="")
            telling = _telling(subject, event, reason, people[person_id], one.channels, role)
            if not one.is_sure:
                telling.data["if_heard"] = True
            yield telling


def _assigned(subject: Subject, event: Event, people: Mapping[int, Person]) -> Iterable[Telling]:
    person = people.get(subject.assigned_to_id or 0)
    if person is not None:
        yield _telling(subject, event, Reason.ASSIGNED, person, ["sms"], "", rank=_pressing(subject))


def _lapsed(subject: Subject, event: Event, people: Mapping[int, Person]) -> Iterable[Telling]:
    """Whoever had it hears that they have it no more, unless they took it back in the same breath."""
    person = people.get(event.data["had_id"])
    if person is not None and subject.owner_id != person.pk:
        telling = _telling(
            subject, event, Reason.LAPSED, person, ["sms", "email"], "", rank=_pressing(subject)
        )
        telling.data["silent_since"] = event.data["silent_since"]
        yield telling


def _help(subject: Subject, event: Event, people: Mapping[int, Person]) -> Iterable[Telling]:
    """Whoever was asked to help, with the words of who asks; each answers for themselves."""
    for one in event.data["people"]:
        person = people.get(one["id"])
        if person is None:
            continue
        telling = _telling(subject, event, Reason.HELP, person, ["sms"], one["role"], rank=_pressing(subject))
        telling.wants_answer = True
        telling.note = " ".join(filter(None, [sentence(event.words), _gap(event, people, person)]))
        yield telling


def _gap(event: Event, people: Mapping[int, Person], reader: Person) -> str:
    """Why somebody who does not expect it is asked, in their language; empty for who is on shift."""
    if "gap" not in event.data:
        return ""
    asked = tuple(people[one["id"]] for one in event.data["people"] if one["id"] in people)
    gap = event.data["gap"]
    answer = DutyAnswer(Role(event.data["role"]), asked, DutyLevel(gap["level"]), True, gap["where"])
    with override(reader.language):
        return answer.note


def _pressing(subject: Subject) -> Rank:
    return Rank.SAFETY if subject.is_safety else Rank.URGENT


def _telling(
    subject: Subject,
    event: Event,
    reason: Reason,
    person: Person,
    channels: list[str],
    role: str,
    *,
    rank: Rank = Rank.QUIET,
) -> Telling:
    data: dict[str, Any] = {"event": event.pk}
    if event.by is not None:
        data["by"] = event.by.name
    if event.kind == EventKind.HOLDS_AFTER_ALL:
        data |= {"repeat": event.data["repeat"], "words": event.words}
    if "update" in event.data:
        data["update"] = event.data["update"]
    return Telling(
        incident_id=subject.pk,
        person=person,
        reason=reason.value,
        key=f"{subject.pk}:event:{event.pk}:{reason.value}:{person.pk}",
        due_at=event.at,
        channels=channels,
        role=role,
        rank=rank,
        data=data,
    )


def _named(event: Event) -> Iterable[int]:
    """Whom an event is about: who had it, who is asked to help."""
    if event.kind == EventKind.LAPSED:
        yield event.data["had_id"]
    elif event.kind == EventKind.HELP_ASKED:
        yield from (one["id"] for one in event.data["people"])


# --- who was told before ---


def _told(ids: Iterable[int]) -> dict[int, dict[int, Told]]:
    """For each incident the people who have heard of it, with the channels of the last message."""
    found: dict[int, dict[int, Told]] = defaultdict(lambda: defaultdict(Told))
    rows = (
        Delivery.objects.filter(notification__incident__in=list(ids), notification__reason__in=TELLS)
        .filter(in_states(GOES_OUT))
        .order_by("notification_id", "id")
        .values_list(
            "notification__incident_id",
            "notification__person_id",
            "notification__role",
            "notification_id",
            "channel",
            "state",
        )
    )
    for incident_id, person_id, role, notification_id, channel, state in rows:
        one = found[incident_id][person_id]
        one.roles.add(role)
        one.is_sure = one.is_sure or state != DeliveryState.SENDING
        if one.last != notification_id:
            one.last, one.channels = notification_id, []
        one.channels.append(channel)
    return found


def _people(
    happened: Mapping[int, Sequence[Event]], told: Mapping[int, Mapping[int, Told]], known: Sequence[Subject]
) -> dict[int, Person]:
    wanted = {person_id for people in told.values() for person_id in people}
    for subject in known:
        if subject.pk in happened:
            wanted |= {pk for pk in (subject.assigned_to_id, subject.owner_id) if pk is not None}
            wanted |= {pk for event in happened[subject.pk] for pk in _named(event)}
    return {person.pk: person for person in Person.objects.active().filter(pk__in=wanted)}
