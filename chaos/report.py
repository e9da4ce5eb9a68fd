"""What is printed at the end, and whether the run is good: one sentence for each thing that is not."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.account import Account, Window
from chaos.screens import Seen, bad_spans

SAID_WITHIN = 30.0
"""Seconds from the moment a part stands still until every screen has to say so."""

GONE_WITHIN = 20.0
"""Seconds from the moment everything works again until no screen may say so any more."""

TOGETHER = 5.0
"""Seconds between two that were late for the same reason, for all one can tell."""

FEW = 8
"""Sentences of a kind that are printed; more are counted."""


@dataclass(slots=True)
class Screen:
    """What the screens did about one fault, in seconds.

    `stood_still`: how long a part was not seen to work. `said_after`: from then until all screens said so.
    `gone_after`: from when it worked again until the last screen was quiet. None for never.
    """

    stood_still: float = 0.0
    said_after: float | None = None
    gone_after: float | None = None
    misses: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        if self.said_after is None:
            return "no" if self.stood_still > SAID_WITHIN else "need not"
        gone = "" if self.gone_after is None else f", gone after {self.gone_after:.0f} s"
        return f"after {self.said_after:.0f} s{gone}"


def judge_screens(
    seen: Mapping[str, Sequence[Seen]], silences: Sequence[tuple[float, float]], window: Window, until: float
) -> Screen:
    """Whether each screen said that something stood still, and stopped saying so.

    `silences`: (last seen, seen again) of the parts that the fault stops. `until`: when the next one begins.
    """
    mine = [(one, two) for one, two in silences if two >= window.began and one <= window.ended]
    since, again = max(mine, key=lambda span: span[1] - span[0], default=(window.began, window.ended))
    again = max([two for _one, two in mine] + [window.ended])
    found = Screen(stood_still=max((two - one for one, two in mine), default=0.0))
    is_needed = found.stood_still > SAID_WITHIN
    for screen, looks in seen.items():
        spans = [(a, b) for a, b in bad_spans(looks) if b >= since and a <= again + 1 and a < until]
        if is_needed and (not spans or spans[0][0] - since > SAID_WITHIN):
            found.misses.append(f"{window.name}: {screen} did not say so within {SAID_WITHIN:.0f} s")
        if not spans:
            continue
        gone = min(spans[-1][1], until) - again
        if gone > GONE_WITHIN:
            found.misses.append(f"{window.name}: {screen} still said so {gone:.0f} s after it was over")
        found.said_after = max(found.said_after or 0.0, spans[0][0] - since)
        found.gone_after = max(found.gone_after or 0.0, gone)
    return found


def said_for_nothing(seen: Mapping[str, Sequence[Seen]], windows: Sequence[Window]) -> list[str]:
    """Looks at which a screen said something although nothing was wrong; a slow answer says nothing."""
    return [
        f"{one.screen} said “{one.says}” without a fault"
        for looks in seen.values()
        for one in looks
        if one.is_bad
        and one.says != "no answer"
        and not any(w.began - 1 <= one.at <= w.until + GONE_WITHIN for w in windows)
    ]


@dataclass(slots=True)
class Load:
    """What the tablets did."""

    asked: int
    answered: int
    there: int
    refused: Sequence[str]
    rate: float
    reached: float
    seconds: float
    answer_seconds: Sequence[float]
    taken: int
    others: int


def misses(
    load: Load,
    account: Account,
    screens: Mapping[str, Screen],
    noise: Sequence[str],
    *,
    began: float,
    senders: int,
) -> list[str]:
    """Why the run is not good; empty when it is."""
    found = few(account.lost, "lost")
    found += [f"a raise was refused: {why}" for why in load.refused[:FEW]]
    if load.answered < load.asked:
        found.append(f"{load.asked - load.answered} raises never got an answer")
    unexplained = [one for one in account.late if not one.fault]
    if unexplained:
        longest = max(one.seconds for one in unexplained)
        spans = ", ".join(_spans(sorted(one.due_at - began for one in unexplained)))
        found.append(f"{len(unexplained)} late without a fault, by up to {longest:.0f} s, due at {spans} s")
    found += few(
        [what for fault, what in account.duplicates if not fault], "twice without a kill in mid-send"
    )
    for fault, times in Counter(fault for fault, _what in account.duplicates if fault).items():
        if times > senders:
            found.append(f"{times} duplicates of “{fault}”: only {senders} mails can be in hand")
    found += [miss for screen in screens.values() for miss in screen.misses]
    return found + few(sorted(set(noise)), "screens")


def _spans(moments: Sequence[float]) -> Iterator[str]:
    """Moments (in order) that are close together, as one span each: `37 to 41`."""
    first = last = moments[0]
    for moment in moments[1:]:
        if moment - last > TOGETHER:
            yield _span(first, last)
            first = moment
        last = moment
    yield _span(first, last)


def _span(first: float, last: float) -> str:
    return f"{first:.0f}" if round(first) == round(last) else f"{first:.0f} to {last:.0f}"


def few(sentences: Iterable[str], what: str) -> list[str]:
    """The first of them, and how many more there are."""
    every = list(sentences)
    more = [f"… and {len(every) - FEW} more"] if len(every) > FEW else []
    return [f"{what}: {sentence}" for sentence in [*every[:FEW], *more]]


def lines(
    load: Load, account: Account, windows: Sequence[Window], screens: Mapping[str, Screen], began: float
) -> list[str]:
    """The table."""
    due, late, twice = account.due, account.late, account.duplicates
    fired = [one for one in due if one.fired_at is not None]
    overtaken = [one for one in due if one.overtaken_at is not None]
    states = account.states
    waits = [1000 * seconds for seconds in sorted(load.answer_seconds)] or [0.0]
    p95 = waits[int(len(waits) * 0.95)]
    told = ", ".join(f"{states[name]:,} {name}" for name in STATES if states[name])
    rows = [
        ("raised", f"{load.asked:,} asked, {load.answered:,} answered, {load.there:,} in the database"),
        (
            "rate",
            f"{load.reached:.1f}/s of {load.rate:g}/s wanted, for {load.seconds:.0f} s; answers after"
            f" {statistics.median(waits):.0f} ms (p50), {p95:.0f} ms (p95)",
        ),
        ("besides", f"{load.taken:,} taken, {load.others:,} updates and closings"),
        ("steps due", f"{len(due):,}"),
        ("fired", f"{len(fired):,}; {len(overtaken):,} not needed any more, somebody had taken it"),
        ("messages", told),
        (
            "late",
            f"{len(late):,}, of these {sum(not one.fault for one in late)} without a fault",
        ),
        (
            "duplicates",
            f"{len(twice)}, of these {sum(not fault for fault, _w in twice)} not in a killed send",
        ),
        ("lost", f"{len(account.lost)}"),
    ]
    table = [f"{name:<12}{value}" for name, value in rows]
    return [*table, "", *fault_table(account, windows, screens, began)]


STATES = ("sent", "delivered", "bundled", "dropped", "failed", "queued", "sending")

HEAD = (
    "fault",
    "from s",
    "lasted s",
    "recorded s",
    "handed s",
    "late",
    "twice",
    "stood still s",
    "screens said so",
)


def fault_table(
    account: Account, windows: Sequence[Window], screens: Mapping[str, Screen], began: float
) -> list[str]:
    """One line per fault. `recorded`, `handed`: the longest silence from due to recorded, to handed over."""
    late, twice = Counter(one.fault for one in account.late), Counter(f for f, _w in account.duplicates)
    cells = [HEAD]
    for window in windows:
        recorded, handed = account.waits.get(window.name, (0.0, 0.0))
        screen = screens[window.name]
        cells.append(
            (
                window.name,
                f"{window.began - began:.0f}",
                f"{window.ended - window.began:.0f}",
                f"{recorded:.1f}",
                f"{handed:.1f}",
                f"{late[window.name]}",
                f"{twice[window.name]}",
                f"{screen.stood_still:.0f}",
                screen.words,
            )
        )
    widths = [max(len(row[n]) for row in cells) for n in range(len(HEAD))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
