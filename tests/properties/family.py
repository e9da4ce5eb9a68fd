"""What should become of the same again (domain §3), as the people on the floor would see it.

A fix that is being proved should hold. The same again at the station says that it did not: the fix failed,
and what was thought to be over is open again. If that was a wrong tap, all is as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tests.properties.numbers import COUNTED, DETROIT, PROVED_OVER, REMEMBERED

THOUGHT_OVER = ("contained", "resolved", "closed")


class Before(NamedTuple):
    """How an incident stood when the same again, by its number, opened it."""

    repeat: int
    status: str
    clocks_from: datetime
    lost_at: datetime | None
    owes_review: bool


@dataclass(eq=False)
class Kin:
    """What is remembered of an incident of the family: all that is real trouble at the one station."""

    number: int
    clocks_from: datetime
    raised_at: datetime
    status: str = "raised"
    owner: str = ""
    last_word: datetime | None = None
    lost_at: datetime | None = None
    owes_review: bool = False
    fixes: list[datetime] = field(default_factory=list)
    """Since when each fix has to hold that nobody has signed off yet."""
    failed: dict[int, list[datetime]] = field(default_factory=dict)
    """The fixes that did not hold, by the number of what came after them."""
    heard_of: set[int] = field(default_factory=set)
    """What came after it and is written in its timeline."""
    before: Before | None = None
    opens_for: int = 0
    """What failed its fix while it was thought to be over: so it opens again, by the number of that."""
    closed_at: datetime | None = None
    """When it was closed last, if it ever was."""
    times: int = 1
    """The how-manyth of the family within a month it was when it was raised."""

    @property
    def is_mistake(self) -> bool:
        """A wrong tap, taken back before anybody had it."""
        return self.status == "closed" and not self.owner

    @property
    def is_thought_over(self) -> bool:
        is_being_proved = self.status == "contained" and bool(self.fixes)
        return (
            (self.status == "closed" and not self.is_mistake) or self.status == "resolved" or is_being_proved
        )

    def is_remembered(self, at: datetime) -> bool:
        """What was closed long ago is no longer the same problem."""
        return self.status != "closed" or (self.closed_at is not None and at - self.closed_at <= REMEMBERED)


def has_to_hold(since: datetime, at: datetime) -> bool:
    """Whether that moment lies in the window of a fix, which is counted in days of the plant. After it the
    checker decides what a repeat says. The three shifts of each day are more than enough for its exposure."""
    days = at.astimezone(DETROIT).date() - since.astimezone(DETROIT).date()
    return since <= at and days < PROVED_OVER


class Family:
    """The incidents of the station, oldest first, and what each has called into question."""

    def __init__(self) -> None:
        self.kin: list[Kin] = []
        self.doubts: list[tuple[Kin, Kin]] = []
        """(What came after, an older one whose fix had to hold then)."""

    @property
    def is_thought_over(self) -> bool:
        return any(one.is_thought_over for one in self.kin)

    def is_here_again(self, new: Kin) -> None:
        """It counts what was real before, and doubts every fix, if any of it was thought to be over."""
        real = [one for one in self.kin if not one.is_mistake]
        new.times = sum(one.raised_at > new.raised_at - COUNTED for one in real) + 1
        if any(one.is_thought_over and one.is_remembered(new.raised_at) for one in real):
            self.doubts += [(new, old) for old in real if old.fixes]
        self.kin.append(new)

    def unsettled(self) -> Iterator[tuple[Kin, Kin]]:
        """Doubts of which the older one has not heard yet, or of which it should never have heard."""
        for new, old in self.doubts:
            is_put_right = new.number not in old.failed
            if not is_put_right if new.is_mistake else new.number not in old.heard_of:
                yield new, old

    # --- what the engine says that it did ---

    def repeated(self, old: Kin, number: int) -> None:
        """It is written in the older one's timeline, so its fixes of that time failed."""
        new = next(one for one in self.kin if one.number == number)
        assert not new.is_mistake, f"INC-{old.number} hears of INC-{number}, which was a wrong tap"
        old.heard_of.add(number)
        if any(pair == (new, old) for pair in self.doubts):
            if not (failed := [at for at in old.fixes if has_to_hold(at, new.raised_at)]):
                return
            old.failed[number] = failed
            old.fixes = [at for at in old.fixes if at not in failed]
            old.opens_for = number if old.status in THOUGHT_OVER else 0

    def opened_by(self, old: Kin, number: int) -> Before:
        """How it was before it is opened: only by what failed a fix, and only what was thought to be over."""
        name = f"INC-{old.number}"
        assert old.status in THOUGHT_OVER, f"{name} came back, but it is {old.status}"
        assert old.failed.get(number), f"{name} came back, but nothing that came after it failed its fix"
        old.opens_for = 0
        return Before(number, old.status, old.clocks_from, old.lost_at, old.owes_review)

    def holds_after_all(self, old: Kin, number: int) -> Before | None:
        """What failed it was a wrong tap: how it has to be again; None where people have gone on with it."""
        new = next(one for one in self.kin if one.number == number)
        assert new.is_mistake, f"INC-{old.number} counts as fixed again, but INC-{number} was no wrong tap"
        old.fixes += old.failed.pop(number)
        is_as_opened = old.before is not None and old.before.repeat == number
        return old.before if is_as_opened and old.status in ("reopened", "acknowledged") else None
