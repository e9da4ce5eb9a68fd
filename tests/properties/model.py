"""What should be, in plain words: a few dicts that change only by what people did and were allowed to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.properties import numbers
from tests.properties.family import Family, Kin
from tests.properties.numbers import LONGEST_PAUSE, MAY_ASSIGN, MAY_CLOSE, MAY_DECIDE, MAY_REOPEN, MAY_TAKE

OPEN = ("raised", "acknowledged", "contained", "resolved", "reopened")


@dataclass(kw_only=True, eq=False)
class Thing(Kin):
    """One incident as the people on the floor would remember it.

    `last_word`: when somebody took it, it came back to them, or they last said what is new. `lost_at`: when
    silence last took it from its owner, since it was raised or came back.
    """

    impact: str
    severity: str
    by: str
    is_drill: bool = False
    asked: str = ""
    paused_until: datetime | None = None
    replanned_at: datetime | None = None
    promised: Counter[str] = field(default_factory=Counter)
    """How many promises of each kind are open, besides its review."""
    acted: set[str] = field(default_factory=set)
    """Who ever did something with it, or said that they have seen it."""
    was: set[str] = field(default_factory=set)
    """Statuses it had at any time since the last look."""

    @property
    def is_safety(self) -> bool:
        return self.impact == "safety"

    @property
    def is_open(self) -> bool:
        return self.status != "closed"

    @property
    def owes(self) -> Counter[str]:
        """How many promises of each kind must be open."""
        return +(self.promised + Counter(check=len(self.fixes), review=int(self.owes_review)))

    def since(self, clock: str) -> datetime:
        """From when the minutes of a clock count: a new owner is sought since the last was silent."""
        return self.lost_at if clock == "response" and self.lost_at else self.clocks_from

    @property
    def stuck(self) -> set[str]:
        """The statuses in which product should move and does not, with somebody on it or taken from them."""
        return {"acknowledged", "reopened"} | ({"raised"} if self.lost_at else set())

    def becomes(self, status: str) -> None:
        self.was |= {self.status, status}
        self.status = status

    def looked_at(self) -> None:
        self.was = {self.status}

    def running(self) -> set[str]:
        """The clocks that must have their next step armed while it stands like this."""
        clocks = {"closure"} if self.is_open else set()
        if self.status == "raised":
            clocks.add("response")
        if self.status in self.stuck and self.severity != "S4":
            clocks.add("containment")
            if self.status != "raised" and not self.is_drill:
                clocks.add("update")
        return clocks

    def allows(self, clock: str) -> bool:
        """Whether the condition of this clock was unmet at any moment since the last look (rule 2)."""
        if clock == "response":
            return "raised" in self.was or (self.is_safety and self.was != {"closed"})
        if clock == "containment":
            return bool(self.was & self.stuck)
        if clock == "update":
            return bool(self.was - {"raised", "closed"})
        return self.was != {"closed"}


class Model:
    """All incidents by id, and the people with what they are."""

    def __init__(self, roles: dict[str, str]) -> None:
        self.roles = roles
        self.things: dict[int, Thing] = {}
        self.family = Family()
        self.days: dict[int, date] = {}
        """For which day a promise was agreed anew, by its id."""

    def looked_at(self) -> None:
        for thing in self.things.values():
            thing.looked_at()

    def raised(
        self,
        pk: int,
        number: int,
        impact: str,
        *,
        by: str,
        now: datetime,
        is_drill: bool = False,
        is_kin: bool = False,
    ) -> None:
        thing = Thing(
            number=number,
            impact=impact,
            severity=numbers.SEVERITY[impact],
            clocks_from=now,
            raised_at=now,
            by=by,
            is_drill=is_drill,
        )
        thing.looked_at()
        self.things[pk] = thing
        if is_kin and not is_drill:
            self.family.is_here_again(thing)

    # --- what the engine says that it did by itself ---

    def lapsed(self, pk: int, at: datetime, _number: int) -> None:
        """The engine says that silence took it from its owner: only after two words missed (domain §4)."""
        thing = self.things[pk]
        name = f"INC-{thing.number} of {thing.owner}"
        assert thing.was & {"acknowledged", "reopened"}, f"{name} lapsed, but it is {thing.status}"
        every = numbers.WORD_EVERY[thing.severity]
        assert every is not None and thing.last_word is not None, f"{name} lapsed, but no word is owed"
        assert at - thing.last_word >= every, f"{name} lapsed {at - thing.last_word} after the last word"
        is_paused = thing.paused_until is not None and at < thing.paused_until
        assert not is_paused, f"{name} lapsed while it is paused"
        thing.becomes("raised")
        thing.owner, thing.asked, thing.last_word, thing.lost_at = "", "", None, at

    def repeated(self, pk: int, _at: datetime, number: int) -> None:
        self.family.repeated(self.things[pk], number)

    def reopened(self, pk: int, at: datetime, number: int) -> None:
        thing = self.things[pk]
        before = self.family.opened_by(thing, number)
        self._did_reopen(thing, "", at, {})
        thing.before = before

    def holds_after_all(self, pk: int, at: datetime, number: int) -> None:
        thing = self.things[pk]
        before = self.family.holds_after_all(thing, number)
        if before is not None:
            thing.becomes(before.status)
            thing.clocks_from, thing.lost_at, thing.last_word = before.clocks_from, before.lost_at, at
            thing.owes_review, thing.before = before.owes_review, None

    # --- what must be refused, whoever asks the product how ---

    def must_refuse(self, verb: str, thing: Thing, by: str, now: datetime, asked: dict[str, Any]) -> str:
        """Why this may not happen; empty when nothing that is checked here stands against it."""
        role = self.roles[by]
        for allowed, verbs in _WHO.items():
            if verb in verbs and role not in allowed and not (verb in _FLOOR_TOO and not role):
                return f"{role or 'an operator'} may not {verb}"
        if thing.is_drill and verb not in _IN_PRACTICE:
            return "it is practice"
        if not thing.is_open and verb != "reopen":
            return "" if verb in _HARMLESS else "it is closed"
        check = getattr(self, f"_refuse_{verb}", None)
        return check(thing, by, now, asked) if check else ""

    def _refuse_acknowledge(self, thing: Thing, by: str, _now: datetime, _asked: dict[str, Any]) -> str:
        if thing.is_drill or thing.owner in ("", by) or thing.asked == by or self.roles[by] in MAY_ASSIGN:
            return ""
        return f"{thing.owner} has it"

    def _refuse_shelve(self, thing: Thing, _by: str, now: datetime, asked: dict[str, Any]) -> str:
        if thing.is_safety:
            return "there is no pause for safety"
        if not asked["reason"].strip():
            return "a pause needs a reason"
        return "" if now < asked["until"] <= now + LONGEST_PAUSE else "a pause ends within 8 hours"

    def _refuse_change_severity(self, thing: Thing, _by: str, _now: datetime, asked: dict[str, Any]) -> str:
        if thing.is_safety and asked["severity"] != "S1":
            return "safety stays S1"
        return "" if asked["reason"].strip() else "a floor call needs a reason"

    def _refuse_contain(self, thing: Thing, _by: str, _now: datetime, _asked: dict[str, Any]) -> str:
        return "" if thing.status in ("acknowledged", "reopened") else f"it is {thing.status}"

    def _refuse_reopen(self, thing: Thing, _by: str, _now: datetime, asked: dict[str, Any]) -> str:
        if thing.status not in ("contained", "resolved", "closed"):
            return f"it is {thing.status}"
        return "" if thing.owner and asked["reason"].strip() else "nobody ever had it, or there is no reason"

    def _refuse_close(self, thing: Thing, _by: str, _now: datetime, asked: dict[str, Any]) -> str:
        if "cause" not in asked:
            return "it is not proved"
        if thing.severity not in ("S3", "S4") or thing.status in ("raised", "resolved"):
            return "it is not small, or nobody has it"
        return "" if asked["cause"].strip() and asked["agreed_by"] != thing.owner else "nobody else agrees"

    def _refuse_accept_no_fix(self, thing: Thing, _by: str, _now: datetime, _asked: dict[str, Any]) -> str:
        return "" if thing.status in ("contained", "resolved") else f"it is {thing.status}"

    def _refuse_take_back(self, thing: Thing, by: str, _now: datetime, _asked: dict[str, Any]) -> str:
        return "" if thing.by == by and thing.status == "raised" else "not theirs, or somebody has it"

    # --- what it does ---

    def did(self, verb: str, thing: Thing, by: str, now: datetime, asked: dict[str, Any]) -> None:
        thing.acted.add(by)
        effect = getattr(self, f"_did_{verb}", None)
        if effect:
            effect(thing, by, now, asked)

    def _did_acknowledge(self, thing: Thing, by: str, now: datetime, _asked: dict[str, Any]) -> None:
        if thing.is_drill or (
            thing.owner == by and thing.status in ("acknowledged", "contained", "resolved")
        ):
            return
        if thing.status in ("raised", "acknowledged", "reopened"):
            thing.becomes("acknowledged")
            thing.last_word = now
        thing.owner, thing.asked = by, ""

    def _did_assign(self, thing: Thing, _by: str, _now: datetime, asked: dict[str, Any]) -> None:
        if asked["to"] not in (thing.owner, thing.asked):
            thing.asked = asked["to"]

    def _did_contain(self, thing: Thing, _by: str, _now: datetime, _asked: dict[str, Any]) -> None:
        thing.becomes("contained")
        thing.promised["bandage"] += 1

    def _did_resolve(self, thing: Thing, _by: str, _now: datetime, _asked: dict[str, Any]) -> None:
        thing.becomes("resolved")

    def _did_close(self, thing: Thing, _by: str, now: datetime, _asked: dict[str, Any]) -> None:
        thing.becomes("closed")
        thing.closed_at = now
        thing.asked, thing.paused_until = "", None

    _did_take_back = _did_end_practice = _did_close

    def _did_accept_no_fix(self, thing: Thing, by: str, now: datetime, asked: dict[str, Any]) -> None:
        self._did_close(thing, by, now, asked)
        thing.owes_review = True

    def _did_reopen(self, thing: Thing, _by: str, now: datetime, _asked: dict[str, Any]) -> None:
        thing.becomes("reopened")
        thing.clocks_from = thing.last_word = now
        thing.lost_at = thing.before = None
        thing.owes_review = False

    def _did_post_update(self, thing: Thing, _by: str, now: datetime, _asked: dict[str, Any]) -> None:
        thing.last_word = now

    def _did_practice_taken(self, thing: Thing, by: str, now: datetime, _asked: dict[str, Any]) -> None:
        if thing.status == "raised":
            thing.becomes("acknowledged")
            thing.owner = by

    def _did_change_severity(self, thing: Thing, _by: str, now: datetime, asked: dict[str, Any]) -> None:
        if thing.severity != asked["severity"]:
            thing.severity, thing.replanned_at = asked["severity"], now

    def _did_shelve(self, thing: Thing, _by: str, _now: datetime, asked: dict[str, Any]) -> None:
        thing.paused_until = asked["until"]

    def _did_unshelve(self, thing: Thing, _by: str, _now: datetime, _asked: dict[str, Any]) -> None:
        thing.paused_until = None


_WHO: dict[frozenset[str], set[str]] = {
    frozenset(MAY_TAKE): {"acknowledge", "arrive", "post_update", "contain", "resolve", "wait_on"},
    frozenset(MAY_ASSIGN): {"assign"},
    frozenset(MAY_DECIDE): {"shelve", "unshelve", "change_severity", "accept_no_fix"},
    frozenset(MAY_REOPEN): {"reopen"},
    frozenset(MAY_CLOSE): {"close"},
}
_FLOOR_TOO = {"reopen"}
_IN_PRACTICE = {"acknowledge", "add_words", "take_back"}
"""What people may do to a practice: it changes nothing, but whoever raised it may take it back."""
_HARMLESS = {"unshelve", "stop_waiting", "arrive", "close", "accept_no_fix", "take_back", "add_words"}
"""Asked of something closed, these change nothing or refuse for a reason of their own."""
