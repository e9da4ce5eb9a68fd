"""How often one person is written to: decisions from counts. No database, no clock.

Three rules, asked for the messages of one person and one channel together (domain §4, "Load"):

Budget
    At most `SMS_BUDGET` text messages to one number in any `WINDOW`; what is more waits, and goes as one
    digest when the window opens. Whatever rings counts, but what must not wait never does
    (`Waiting.always_goes`). Where such messages alone keep the window shut, the others still go once they are
    a window old: nothing starves. Emails have no budget.
Repeats
    What is only said again (a step's later rounds), and what a policy wants collected, goes as one message.
Storm
    While an area has a storm, everything about it but what always goes and line-down incidents is one message
    per person every `STORM_PACE`, outside of the budget.

Practice has a lane of its own, so that it delays nothing real.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from escalation.models import Clock, Rank, Reason
from escalation.models.storms import STORM_WITHIN

SMS_BUDGET = 2
WINDOW = timedelta(minutes=10)
"""Domain §4: at most 2 SMS per person in 10 minutes, then one digest."""

IN_FLIGHT_PAUSE = timedelta(seconds=5)
"""How long to wait when the budget is full only because of what is being sent in this moment."""

REPEATS_WITHIN = timedelta(seconds=60)
"""A quiet repeat waits this long for others to the same person: nobody reads a reminder to the minute."""

STORM_AFTER = 10
"""So many incidents on one area in `STORM_WITHIN` are still none."""

STORM_PACE = timedelta(minutes=2)
"""In a storm: one message per person per 2 minutes."""

STORM_CALM = timedelta(minutes=5)
"""A storm ends when there were never more than that for so long: one late incident does not start it anew."""

ASKED_BY_SOMEBODY = frozenset(
    {Reason.ASSIGNED, Reason.HELP, Reason.BRING_SOMEONE, Reason.VERIFY, Reason.TEST, Reason.REPLY}
)
"""Somebody waits for this very person."""

FIRST_WORDS = frozenset({Reason.STEP, Reason.FALLBACK, Reason.LAPSED, Reason.TOLD_REOPENED})
"""Reasons by which somebody may hear of a stopped line for the first time."""

PRESSING = frozenset({"", Clock.RESPONSE, Clock.CONTAINMENT})


class Lane(NamedTuple):
    """Whose budget a message uses."""

    address: str
    is_practice: bool


class Company(NamedTuple):
    """What a message may go together with."""

    lane: Lane
    person_id: int
    storm_id: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is due or held back, and what decides when it goes.

    `tries` before this one; `was_told`: this person heard of the incident as a line down before, since it was
    raised, came back or got worse; `severity` is that of the incident now, empty for a message about a site.
    """

    id: int
    address: str
    person_id: int
    site_id: int
    language: str
    rank: int
    tries: int
    queued_at: datetime
    not_before: datetime
    reason: str
    clock: str
    round: int
    is_collected: bool
    severity: str
    is_practice: bool
    was_told: bool
    storm_id: int | None
    stands_in: bool = False
    """The provider before failed or gave no receipt: it was let through then."""

    @property
    def always_goes(self) -> bool:
        """Safety, a new line down, what a human asks of this person; and a digest, whose place is kept.

        Without an address there is nobody to spare: it fails visibly, now.
        """
        if self.rank == Rank.SAFETY or not self.address or self.reason == Reason.DIGEST:
            return True
        return self.stands_in or self.reason in ASKED_BY_SOMEBODY or self.is_new_line_down

    @property
    def is_new_line_down(self) -> bool:
        is_urgent = self.rank <= Rank.URGENT and self.reason in FIRST_WORDS and self.clock in PRESSING
        return is_urgent and self.severity == "S1" and not self.was_told

    @property
    def was_held(self) -> bool:
        """It waited for one of these rules."""
        return self.tries == 0 and self.not_before > self.queued_at

    @property
    def is_repeat(self) -> bool:
        return self.round > 0 and self.reason == Reason.STEP

    @property
    def lane(self) -> Lane:
        return Lane(self.address, self.is_practice)

    @property
    def company(self) -> Company:
        return Company(self.lane, self.person_id, None if self.severity == "S1" else self.storm_id)


@dataclass(slots=True)
class Rang:
    """What a lane had lately: when, how much is on its way, and the last message of each storm."""

    sent: list[datetime] = field(default_factory=list)
    on_the_way: int = 0
    storms: dict[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Messages that go as one, with all others that wait for the same.

    Where there is no other, a single one goes as itself; in a storm it is told as a storm.
    """

    members: tuple[Waiting, ...]
    storm_id: int | None = None


@dataclass(slots=True)
class Decision:
    """What goes now, each as itself or together; and until when the rest waits."""

    go: list[Waiting] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)
    wait: dict[int, datetime] = field(default_factory=dict)

    def hold(self, messages: Iterable[Waiting], until: datetime) -> None:
        self.wait |= {one.id: until for one in messages}

    def send(self, messages: Sequence[Waiting], *, as_one: bool) -> None:
        if as_one and messages:
            self.bundles.append(Bundle(tuple(messages)))
        else:
            self.go += messages


def decide(
    waiting: Iterable[Waiting], rang: defaultdict[Lane, Rang], *, is_budgeted: bool, now: datetime
) -> Decision:
    """For the messages of a channel that are due: which go, which wait, which go together."""
    decision = Decision()
    others: defaultdict[Company, list[Waiting]] = defaultdict(list)
    for one in waiting:
        if one.always_goes:
            decision.go.append(one)
            rang[one.lane].on_the_way += 1
        else:
            others[one.company].append(one)
    for company, messages in others.items():
        had = rang[company.lane]
        if company.storm_id is not None:
            _in_a_storm(decision, messages, company.storm_id, had, now)
        elif is_budgeted:
            _within_budget(decision, messages, had, now)
        else:
            _repeats_together(decision, _without_early(decision, messages, now))
    return decision


def _in_a_storm(
    decision: Decision, messages: Sequence[Waiting], storm_id: int, had: Rang, now: datetime
) -> None:
    last = had.storms.get(storm_id)
    if last is not None and now < last + STORM_PACE:
        decision.hold(messages, last + STORM_PACE)
    else:
        decision.bundles.append(Bundle(tuple(messages), storm_id))


def _within_budget(decision: Decision, messages: Sequence[Waiting], had: Rang, now: datetime) -> None:
    due = _without_early(decision, messages, now)
    if not due:
        return
    places = SMS_BUDGET - len(had.sent) - had.on_the_way
    oldest = min(one.queued_at for one in due)
    if places <= 0 and now < oldest + WINDOW:
        decision.hold(due, opens_at(had, oldest, now))
        return
    sent = len(decision.go) + len(decision.bundles)
    if len(due) > places or any(one.was_held for one in due):
        decision.send(due, as_one=True)
    else:
        _repeats_together(decision, due)
    had.on_the_way += len(decision.go) + len(decision.bundles) - sent


def _without_early(decision: Decision, messages: Sequence[Waiting], now: datetime) -> list[Waiting]:
    """Holds back quiet repeats that have not waited for company yet; the others."""
    early = [one for one in messages if one.is_repeat and one.rank > Rank.URGENT and not one.tries]
    for one in early:
        if now < one.queued_at + REPEATS_WITHIN:
            decision.hold([one], one.queued_at + REPEATS_WITHIN)
    return [one for one in messages if one.id not in decision.wait]


def _repeats_together(decision: Decision, messages: Sequence[Waiting]) -> None:
    again = [one for one in messages if one.is_repeat or one.is_collected]
    decision.send(again, as_one=True)
    decision.send([one for one in messages if one not in again], as_one=False)


def opens_at(had: Rang, oldest: datetime, now: datetime) -> datetime:
    """When the next place is free; at the latest when the oldest has waited a whole window."""
    if len(had.sent) < SMS_BUDGET:
        return now + IN_FLIGHT_PAUSE
    return min(sorted(had.sent)[-SMS_BUDGET] + WINDOW, oldest + WINDOW)


# --- storms ---


def crowded_until(raised: Sequence[datetime]) -> datetime | None:
    """The last moment with more than `STORM_AFTER` incidents in the `STORM_WITHIN` before it.

    `raised`: when the incidents of a place were raised, newest first; of the last ten minutes, or the newest
    fifty of them. None when they never crowded.
    """
    for newer, older in zip(raised, raised[STORM_AFTER:], strict=False):
        if newer - older < STORM_WITHIN:
            return older + STORM_WITHIN
    return None


def is_over(raised: Sequence[datetime], now: datetime) -> bool:
    until = crowded_until(raised)
    return until is None or until + STORM_CALM <= now
