"""The rules of load, as tables: no database."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from escalation.models import Clock, Rank, Reason
from escalation.outbox.load import (
    IN_FLIGHT_PAUSE,
    REPEATS_WITHIN,
    SMS_BUDGET,
    STORM_PACE,
    WINDOW,
    Decision,
    Lane,
    Rang,
    Waiting,
    decide,
    is_over,
)

NOW = datetime(2025, 11, 4, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE = "+13135550100"


def waiting(pk: int = 1, **changes: Any) -> Waiting:
    """A text message about an S2 that is due now."""
    fields: dict[str, Any] = {
        "id": pk,
        "address": PHONE,
        "person_id": 1,
        "site_id": 1,
        "language": "en",
        "rank": Rank.URGENT,
        "tries": 0,
        "queued_at": NOW,
        "not_before": changes.get("queued_at", NOW),
        "reason": Reason.STEP,
        "clock": Clock.RESPONSE,
        "round": 0,
        "is_collected": False,
        "severity": "S2",
        "is_practice": False,
        "was_told": False,
        "storm_id": None,
    }
    return Waiting(**fields | changes)


def decided(
    *messages: Waiting,
    sent: tuple[float, ...] = (),
    on_the_way: int = 0,
    is_budgeted: bool = True,
    **had: Any,
) -> Decision:
    """`sent`: minutes ago."""
    rang: defaultdict[Lane, Rang] = defaultdict(Rang)
    rang[Lane(PHONE, False)] = Rang([NOW - ago * MINUTE for ago in sent], on_the_way, **had)
    return decide(messages, rang, is_budgeted=is_budgeted, now=NOW)


def together(decision: Decision) -> list[list[int]]:
    return [[one.id for one in bundle.members] for bundle in decision.bundles]


def gone(decision: Decision) -> list[int]:
    return [one.id for one in decision.go]


# --- the budget ---


@pytest.mark.parametrize(
    ("sent", "due", "go", "bundled", "held"),
    [
        ((), 1, 1, 0, 0),
        ((), 2, 2, 0, 0),
        ((), 3, 0, 3, 0),  # more than there are places for: one message says all of them, now
        ((1,), 1, 1, 0, 0),
        ((1,), 2, 0, 2, 0),
        ((1, 2), 1, 0, 0, 1),
        ((1, 2), 5, 0, 0, 5),
        ((1, 9.99), 1, 0, 0, 1),
        ((1, 10), 1, 1, 0, 0),  # at ten minutes the window is open
        ((10, 11), 2, 2, 0, 0),
    ],
)
def test_two_messages_in_ten_minutes_then_one_digest(
    sent: tuple[float, ...], due: int, go: int, bundled: int, held: int
) -> None:
    lately = tuple(ago for ago in sent if ago < 10)  # what the query counts
    decision = decided(*(waiting(pk) for pk in range(due)), sent=lately)
    assert len(gone(decision)) == go
    assert sum(len(ids) for ids in together(decision)) == bundled
    assert len(decision.bundles) <= 1
    assert len(decision.wait) == held


def test_what_is_over_the_budget_waits_until_the_window_opens():
    decision = decided(waiting(), sent=(3, 7))
    assert decision.wait == {1: NOW + 3 * MINUTE}


def test_with_more_than_the_budget_sent_the_second_newest_decides():
    decision = decided(waiting(), sent=(1, 2, 3, 4))
    assert decision.wait == {1: NOW + 8 * MINUTE}


def test_what_is_being_sent_in_this_moment_counts():
    decision = decided(waiting(), sent=(4,), on_the_way=1)
    assert decision.wait == {1: NOW + IN_FLIGHT_PAUSE}


def test_all_that_had_to_wait_goes_as_one_even_with_a_place_for_each():
    held = [waiting(pk, queued_at=NOW - 5 * MINUTE, not_before=NOW) for pk in (1, 2)]
    assert together(decided(*held)) == [[1, 2]]


def test_even_a_single_one_that_had_to_wait_looks_for_company():
    assert together(decided(waiting(queued_at=NOW - 5 * MINUTE, not_before=NOW))) == [[1]]


@pytest.mark.parametrize(
    "changes",
    [
        {"rank": Rank.SAFETY},
        {"severity": "S1"},
        {"severity": "S1", "clock": Clock.CONTAINMENT},
        {"severity": "S1", "reason": Reason.FALLBACK},
        {"severity": "S1", "reason": Reason.TOLD_REOPENED, "clock": ""},
        {"severity": "S1", "reason": Reason.LAPSED, "clock": ""},
        {"reason": Reason.ASSIGNED, "clock": ""},
        {"reason": Reason.HELP, "clock": ""},
        {"reason": Reason.BRING_SOMEONE, "clock": Clock.HELP},
        {"reason": Reason.DIGEST, "clock": "", "severity": ""},
        {"address": ""},
    ],
)
def test_what_must_not_wait_never_does(changes: dict[str, Any]) -> None:
    assert gone(decided(waiting(**changes), sent=(1, 2, 3))) == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"severity": "S1", "was_told": True},
        {"severity": "S1", "clock": Clock.UPDATE},
        {"severity": "S1", "clock": Clock.CLOSURE, "rank": Rank.QUIET},
        {"severity": "S1", "reason": Reason.UPDATE, "clock": "", "rank": Rank.QUIET},
        {"severity": "S1", "reason": Reason.TOLD_REOPENED, "clock": "", "rank": Rank.QUIET},
        {"reason": Reason.ASKED_AGAIN},
        {"reason": Reason.SHIFT_START, "clock": "", "severity": "", "rank": Rank.QUIET},
    ],
)
def test_everything_else_waits_over_the_budget(changes: dict[str, Any]) -> None:
    assert 1 in decided(waiting(**changes), sent=(1, 2)).wait


def test_what_always_goes_uses_the_budget_of_the_others():
    decision = decided(waiting(1, severity="S1"), waiting(2, severity="S1"), waiting(3))
    assert gone(decision) == [1, 2]
    assert list(decision.wait) == [3]


def test_nothing_starves_where_lines_going_down_keep_the_window_shut():
    long_ago = NOW - WINDOW
    held = [waiting(pk, queued_at=long_ago, not_before=NOW) for pk in (1, 2)]
    assert together(decided(*held, sent=(1, 2, 3))) == [[1, 2]]


def test_the_wait_is_never_longer_than_a_window():
    decision = decided(waiting(queued_at=NOW - 9 * MINUTE), sent=(0, 0))
    assert decision.wait == {1: NOW + MINUTE}


def test_two_people_with_one_phone_share_its_budget_and_no_digest():
    decision = decided(*(waiting(pk, person_id=pk % 2) for pk in range(1, 5)), sent=(1,))
    assert together(decision) == [[1, 3]]
    assert sorted(decision.wait) == [2, 4]


def test_practice_has_a_budget_of_its_own():
    decision = decided(waiting(1, is_practice=True), waiting(2, is_practice=True), waiting(3), sent=(1,))
    assert gone(decision) == [1, 2, 3]


def test_emails_have_no_budget():
    assert len(gone(decided(*(waiting(pk) for pk in range(9)), is_budgeted=False))) == 9


# --- repeats ---


def repeat(pk: int, **changes: Any) -> Waiting:
    return waiting(pk, round=2, clock=Clock.CLOSURE, rank=Rank.QUIET, **changes)


@pytest.mark.parametrize("is_budgeted", [True, False])
def test_a_quiet_repeat_waits_a_minute_for_company(is_budgeted: bool) -> None:
    decision = decided(repeat(1), is_budgeted=is_budgeted)
    assert decision.wait == {1: NOW + REPEATS_WITHIN}


@pytest.mark.parametrize("is_budgeted", [True, False])
def test_repeats_that_waited_go_together(is_budgeted: bool) -> None:
    long_ago = NOW - REPEATS_WITHIN
    messages = [repeat(pk, queued_at=long_ago, not_before=NOW) for pk in range(6)]
    assert together(decided(*messages, is_budgeted=is_budgeted)) == [[0, 1, 2, 3, 4, 5]]


def test_urgent_repeats_of_one_moment_go_together_at_once():
    messages = [waiting(pk, round=1) for pk in (1, 2)]
    assert together(decided(*messages, is_budgeted=False)) == [[1, 2]]


def test_a_first_email_is_not_drawn_into_a_list_of_repeats():
    decision = decided(waiting(1), waiting(2, round=1), waiting(3, round=1), is_budgeted=False)
    assert (gone(decision), together(decision)) == ([1], [[2, 3]])


def test_what_is_collected_goes_as_one():
    morning = [waiting(pk, is_collected=True, rank=Rank.QUIET, queued_at=NOW - 8 * WINDOW) for pk in (1, 2)]
    assert together(decided(*morning, is_budgeted=False)) == [[1, 2]]


# --- storms ---


@pytest.mark.parametrize("is_budgeted", [True, False])
def test_the_first_message_of_a_storm_goes_out_at_once_as_the_summary(is_budgeted: bool) -> None:
    decision = decided(waiting(storm_id=7), sent=(1, 2, 3), is_budgeted=is_budgeted)
    assert together(decision) == [[1]]
    assert decision.bundles[0].storm_id == 7


@pytest.mark.parametrize("is_budgeted", [True, False])
def test_in_a_storm_the_next_message_comes_two_minutes_later(is_budgeted: bool) -> None:
    last = NOW - MINUTE
    messages = [waiting(pk, storm_id=7) for pk in range(5)]
    decision = decided(*messages, storms={7: last}, is_budgeted=is_budgeted)
    assert set(decision.wait.values()) == {last + STORM_PACE}
    decision = decided(*messages, storms={7: NOW - STORM_PACE}, is_budgeted=is_budgeted)
    assert together(decision) == [[0, 1, 2, 3, 4]]


def test_a_line_down_and_safety_are_told_on_their_own_in_a_storm():
    decision = decided(
        waiting(1, storm_id=7, severity="S1"),
        waiting(2, storm_id=7, rank=Rank.SAFETY),
        waiting(3, storm_id=7),
        storms={7: NOW},
    )
    assert gone(decision) == [1, 2]
    assert list(decision.wait) == [3]


# --- whole days, at random ---


@pytest.mark.parametrize("seed", range(40))
def test_the_budget_holds_and_nothing_is_lost_whatever_comes(seed: int) -> None:
    """Two hours of messages to one phone: each rings once, the budget holds, nobody waits over a window."""
    chance = random.Random(seed)
    arrive = sorted(NOW + chance.randrange(7200) * timedelta(seconds=1) for _unused in range(60))
    kinds: list[dict[str, Any]] = [
        {"severity": "S1"},
        {"rank": Rank.SAFETY},
        {},
        {},
        {},
        {"round": 1},
        {"rank": Rank.QUIET},
    ]
    queued = {
        pk: waiting(pk, queued_at=at, not_before=at, **chance.choice(kinds)) for pk, at in enumerate(arrive)
    }
    sent: list[tuple[datetime, list[Waiting]]] = []
    now = NOW
    while queued:
        now = max(now, min(one.not_before for one in queued.values()))
        due = [one for one in queued.values() if one.not_before <= now]
        lane = Rang([at for at, _all in sent if at > now - WINDOW])
        decision = decide(due, defaultdict(Rang, {Lane(PHONE, False): lane}), is_budgeted=True, now=now)
        rings = [[one] for one in decision.go] + [list(bundle.members) for bundle in decision.bundles]
        for pk, until in decision.wait.items():
            assert until > now
            queued[pk] = _held(queued[pk], until)
        for ring in rings:
            _check(ring, now, sent)
            sent.append((now, ring))
            for one in ring:
                del queued[one.id]
    assert sorted(one.id for _at, ring in sent for one in ring) == list(range(60))


def _held(one: Waiting, until: datetime) -> Waiting:
    return Waiting(
        **{name: getattr(one, name) for name in Waiting.__dataclass_fields__} | {"not_before": until}
    )


def _check(ring: list[Waiting], now: datetime, sent: list[tuple[datetime, list[Waiting]]]) -> None:
    assert all(now - one.queued_at <= WINDOW for one in ring)
    if ring[0].always_goes:
        assert now == ring[0].queued_at
        return
    lately = sum(at > now - WINDOW for at, _all in sent)
    assert lately < SMS_BUDGET or now - min(one.queued_at for one in ring) >= WINDOW


# --- when there is a storm ---


@pytest.mark.parametrize(
    ("count", "seconds_apart", "storms"),
    [(10, 1, False), (11, 1, True), (11, 29, True), (11, 30, False), (40, 27, True), (40, 31, False)],
)
def test_more_than_ten_in_five_minutes_is_a_storm(count: int, seconds_apart: int, storms: bool) -> None:
    raised = [NOW - n * timedelta(seconds=seconds_apart) for n in range(count)]
    assert is_over(raised, NOW) is not storms


@pytest.mark.parametrize(
    ("minutes", "over"), [(0, False), (4.9, False), (5, False), (9.9, False), (10, True)]
)
def test_a_storm_is_over_when_it_was_calm_for_five_minutes(minutes: float, over: bool) -> None:
    """Eleven in one second: they crowd for five minutes, and for five more it must stay calm."""
    at = NOW + minutes * MINUTE
    assert is_over([NOW] * 11, at) is over
    assert is_over([at] + [NOW] * 11, at) is over


def test_a_storm_goes_on_while_incidents_keep_crowding():
    raised = [NOW - n * timedelta(seconds=20) for n in range(50)]
    assert not is_over(raised, NOW)


def test_a_place_where_nothing_was_raised_is_calm():
    assert is_over([], NOW)
