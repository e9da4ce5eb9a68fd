"""The account of a run: what should have happened against what did. No database in here.

What was due is counted from the policy's minutes and the timeline; what arrived, the mail server noted.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MESSAGE_ID = re.compile(r"<delivery-([0-9a-f]+)-[0-9a-f]{16}@")
"""As `escalation.channels.mail_token` makes it: the number in hexadecimal, and a signature."""

LATE = 5.0
"""Seconds after which a step that is recorded counts as late."""

HANDED_LATE = 15.0
"""Seconds after which an urgent message that is handed over counts as late."""

TOOK_IT_FIRST = 2.0
"""Seconds: a step that is due while somebody takes the incident need not fire."""

ARRIVED = frozenset({"sent", "delivered"})


class Incident(NamedTuple):
    id: int
    number: int
    client_id: str
    severity: str
    impact: str
    raised_at: float
    stopped_at: float | None
    """When somebody took or closed it."""


class Told(NamedTuple):
    """One firing, from the timeline."""

    incident: int
    clock: str
    step: int
    round: int
    at: float


class Notification(NamedTuple):
    id: int
    incident: int | None
    person: int
    reason: str
    clock: str
    step: int | None
    round: int | None
    token: str
    is_urgent: bool
    due_at: float
    created_at: float


class Delivery(NamedTuple):
    id: int
    notification: int
    channel: str
    state: str
    bundled_into: int | None
    attempt: int
    queued_at: float
    not_before: float
    sent_at: float | None


class Mail(NamedTuple):
    """One message that the mail server took."""

    at: float
    id: str
    token: str
    to: str

    @property
    def delivery(self) -> int:
        """The delivery that its Message-ID names; 0 for the watcher's calls."""
        found = MESSAGE_ID.match(self.id)
        return int(found.group(1), 16) if found else 0


@dataclass(slots=True)
class Rows:
    """What the database has of the run."""

    incidents: list[Incident] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    """Numbers of incidents with an acknowledgement on their timeline."""
    notifications: list[Notification] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    silent: list[int] = field(default_factory=list)
    """Open incidents without an armed timer, by number."""
    overdue: int = 0
    """Armed timers that are due."""
    wait_for_work: set[int] = field(default_factory=set)
    """Incidents (ids) whose steps the plant's calendar holds back."""


class Due(NamedTuple):
    """A step that was due, and when it fired; `overtaken`: somebody took the incident first."""

    incident: Incident
    step: int
    at: float
    fired_at: float | None
    overtaken_at: float | None

    @property
    def late(self) -> float:
        return self.fired_at - self.at if self.fired_at is not None else 0.0


def steps_due(rows: Rows, ladder: Mapping[str, Sequence[int]], end: float) -> Iterator[Due]:
    """Every step of the response clock that was due before `end`, by the policy's minutes.

    After a late step the next keeps its distance from it (docs/adr/0051). A step speaks for those below.
    """
    fired: dict[int, list[Told]] = defaultdict(list)
    for told in rows.told:
        if told.clock == "response" and told.round == 0:
            fired[told.incident].append(told)
    for incident in rows.incidents:
        if incident.id not in rows.wait_for_work:
            yield from _steps_of(incident, ladder.get(incident.severity, ()), fired[incident.id], end)


def _steps_of(incident: Incident, minutes: Sequence[int], told: Sequence[Told], end: float) -> Iterator[Due]:
    before: tuple[int, float] | None = None
    for step, minute in enumerate(minutes):
        at = incident.raised_at + minute * 60
        if before is not None:
            at = max(at, before[1] + (minute - before[0]) * 60)
        stopped = incident.stopped_at
        if at > end or (stopped is not None and stopped < at):
            return
        fired_at = min((one.at for one in told if one.step >= step), default=None)
        yield Due(incident, step, at, fired_at, stopped if fired_at is None else None)
        if fired_at is None:
            return
        before = (minute, fired_at)


class Late(NamedTuple):
    """How late a step was recorded or an urgent message was handed over."""

    fault: str
    """Whose doing it is; "" for nobody's."""
    seconds: float
    due_at: float


class Window(NamedTuple):
    """When something counts as the doing of a fault."""

    name: str
    began: float
    ended: float
    until: float
    kills_a_send: bool
    holds_steps: bool = True
    """Whether it may keep steps from being recorded; else only messages from being handed over."""

    def covers(self, moment: float) -> bool:
        return self.began - 1.0 <= moment <= self.until


def of(windows: Iterable[Window], moment: float, *, is_step: bool = False) -> str:
    """Whose doing it is that something due at this moment is late; "" for nobody's."""
    found = (one.name for one in windows if one.covers(moment) and (one.holds_steps or not is_step))
    return next(found, "")


@dataclass(slots=True)
class Asked:
    """What the tablets know: raises asked, answered (client id: number), refused; takes answered."""

    raises: int = 0
    answered: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    takes: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Account:
    """The sums, and what is wrong in a sentence each."""

    due: list[Due]
    lost: list[str]
    late: list[Late]
    duplicates: list[tuple[str, str]]
    """(fault or "", what) of each."""
    states: Counter[str]
    waits: dict[str, tuple[float, float]]
    """By fault: the longest wait of a step until recorded, of an urgent message until handed over."""


def settle(
    rows: Rows,
    mails: Sequence[Mail],
    asked: Asked,
    windows: Sequence[Window],
    *,
    ladder: Mapping[str, Sequence[int]],
    end: float,
    slack: float = 1.0,
) -> Account:
    """`end`: what is due later is not asked for. `slack`: times as late is still in time."""
    due = list(steps_due(rows, ladder, end))
    handed = list(_handed_over(rows, mails))
    lost = [
        *_lost_raises(rows, asked),
        *_lost_steps(rows, due, windows),
        *_lost_messages(rows, {mail.delivery for mail in mails}),
    ]
    recorded = [Late(of(windows, one.at, is_step=True), one.late, one.at) for one in due]
    arrived = [Late(of(windows, at), seconds, at) for at, seconds in handed]
    return Account(
        due=due,
        lost=lost,
        late=[
            *(one for one in recorded if one.seconds > LATE * slack),
            *(one for one in arrived if one.seconds > HANDED_LATE * slack),
        ],
        duplicates=[*_sent_twice(mails, windows), *_recorded_twice(rows)],
        states=Counter(delivery.state for delivery in rows.deliveries),
        waits={one.name: (_longest(one.name, recorded), _longest(one.name, arrived)) for one in windows},
    )


# --- lost ---


def _lost_raises(rows: Rows, asked: Asked) -> Iterator[str]:
    there = {incident.client_id: incident.number for incident in rows.incidents}
    for client_id, number in asked.answered.items():
        if there.get(client_id) != number:
            yield f"INC-{number} was answered and is not in the database"
    for number in sorted(asked.takes - rows.taken):
        yield f"INC-{number} was taken, says the API, and its timeline does not know"


def _lost_steps(rows: Rows, due: Iterable[Due], windows: Sequence[Window]) -> Iterator[str]:
    for number in rows.silent:
        yield f"INC-{number} is open and waits for nothing"
    if rows.overdue:
        yield f"{rows.overdue} timers are armed and due at the end"
    for one in due:
        if one.fired_at is not None:
            continue
        what = f"step {one.step} of INC-{one.incident.number} was due and did not fire"
        if one.overtaken_at is None:
            yield what
        elif one.overtaken_at - one.at > TOOK_IT_FIRST + LATE and not of(windows, one.at, is_step=True):
            yield f"{what} for {one.overtaken_at - one.at:.0f} s, without a fault"


def _lost_messages(rows: Rows, mailed: Collection[int]) -> Iterator[str]:
    """Everybody who was to be told was: by one way, with others in one, or it was not needed."""
    by_id = {delivery.id: delivery for delivery in rows.deliveries}
    of_notification: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in rows.deliveries:
        of_notification[delivery.notification].append(delivery)
        if delivery.channel == "email" and delivery.state in ARRIVED and delivery.id not in mailed:
            yield f"delivery {delivery.id} is {delivery.state}, and the mail server never had it"
    for notification in rows.notifications:
        states = {_came_to(delivery, by_id) for delivery in of_notification[notification.id]}
        if not states & {"arrived", "failed", "dropped"}:
            name = f"notification {notification.id} ({notification.reason})"
            yield f"{name} came to {', '.join(sorted(states)) or 'nothing'}"


def _came_to(delivery: Delivery, by_id: Mapping[int, Delivery]) -> str:
    if delivery.state == "bundled":
        into = by_id.get(delivery.bundled_into or 0)
        return _came_to(into, by_id) if into is not None else "bundled into nothing"
    return "arrived" if delivery.state in ARRIVED else delivery.state


# --- twice ---


def _sent_twice(mails: Iterable[Mail], windows: Sequence[Window]) -> Iterator[tuple[str, str]]:
    """What the mail server took more than once, and the kill that hit between taking it and knowing it."""
    first: dict[object, Mail] = {}
    for mail in mails:
        key: object = mail.id if mail.delivery or not mail.token else (mail.token, mail.to)
        before = first.setdefault(key, mail)
        if before is not mail:
            kills = [window for window in windows if window.kills_a_send]
            hit = next((w.name for w in kills if w.began - 2.5 <= before.at <= w.ended), "")
            yield hit, f"{mail.id} to {mail.to}, {mail.at - before.at:.0f} s apart"


def _recorded_twice(rows: Rows) -> Iterator[tuple[str, str]]:
    steps = Counter((one.incident, one.clock, one.step, one.round) for one in rows.told)
    for (incident, clock, step, round_), times in steps.items():
        if times > 1:
            yield "", f"step {clock} {step}.{round_} of incident {incident} fired {times} times"
    people = Counter(
        (one.incident, one.person, one.clock, one.step, one.round)
        for one in rows.notifications
        if one.reason == "step"
    )
    for told, times in people.items():
        if times > 1:
            yield "", f"{times} notifications for (incident, person, clock, step, round) {told}"


# --- how long ---


def _handed_over(rows: Rows, mails: Iterable[Mail]) -> Iterator[tuple[float, float]]:
    """(due, seconds until handed over by the first way) of each urgent message that went by itself.

    Emails by the mail server's clock. What was held on purpose to go with others has no lateness.
    """
    taken: dict[int, float] = {}
    for mail in mails:
        taken.setdefault(mail.delivery, mail.at)
    ways: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in rows.deliveries:
        ways[delivery.notification].append(delivery)
    for notification in rows.notifications:
        if not notification.is_urgent or notification.reason != "step":
            continue
        mine = ways[notification.id]
        if any(d.state in ("bundled", "dropped") or _was_held(d) for d in mine):
            continue
        moments = [taken.get(d.id, d.sent_at or 0.0) for d in mine if d.state in ARRIVED]
        if moments:
            yield notification.due_at, min(moments) - notification.due_at


def _was_held(delivery: Delivery) -> bool:
    return delivery.attempt <= 1 and delivery.not_before > delivery.queued_at + 1.0


def _longest(fault: str, waits: Iterable[Late]) -> float:
    return max((one.seconds for one in waits if one.fault == fault), default=0.0)
