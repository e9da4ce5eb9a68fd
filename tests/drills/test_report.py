"""What a practice found, from what was sent and answered: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from escalation.drills import report, words
from escalation.drills.report import Asked, Ended, Facts, Level, Way, Why

START = datetime(2025, 11, 5, 15, 0, tzinfo=UTC)
END = START + timedelta(minutes=10)


def sms(state: str = "delivered", **fields: Any) -> Way:
    return Way(**{"channel": "sms", "state": state, "address": "+13135550101", **fields})


def email(state: str = "delivered", **fields: Any) -> Way:
    return Way(**{"channel": "email", "state": state, "address": "a@example.com", **fields})


def asked(*ways: Way, person: int = 1, **fields: Any) -> Asked:
    usual = {"name": "Keisha Brandt", "role": "it_lead", "clock": "response", "step": 0, "told_at": START}
    return Asked(**{"person_id": person, **usual, "ways": ways or (sms(),), **fields})


def build(*rows: Asked, levels: tuple[Level, ...] = (), **fields: Any) -> dict[str, Any]:
    facts = Facts("S1", 1, levels=levels, asked=rows)
    return report.build(facts, **{"why": Ended.PLAYED, "started_at": START, "ended_at": END, **fields})


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (asked(sms()), Why.NO_ANSWER),
        (asked(sms("sent")), Why.NO_ANSWER),
        (asked(sms("bundled")), Why.NO_ANSWER),
        (asked(sms(is_verified=False)), Why.UNVERIFIED),
        (asked(email(), has_mobile=False), Why.NO_NUMBER),
        (asked(sms("failed", address=""), has_mobile=False), Why.NO_ADDRESS),
        (asked(sms("failed"), email("failed")), Why.FAILED),
        (asked(sms("failed"), email()), Why.NO_ANSWER),
        (asked(sms("queued")), Why.NOT_SENT),
        (asked(sms("dropped")), Why.NOT_SENT),
        (asked(sms(), told_at=END - timedelta(seconds=30)), Why.NO_TIME),
        (asked(sms("failed"), told_at=END - timedelta(seconds=30)), Why.FAILED),
    ],
)
def test_why_somebody_was_not_reached(row: Asked, why: Why) -> None:
    (found,) = build(row)["people"]
    assert (found["reached"], found["why"]) == (False, why)


def test_an_answer_at_any_level_is_enough() -> None:
    later = START + timedelta(minutes=3)
    found = build(
        asked(sms()),
        asked(sms(), clock="containment", told_at=later, answered_at=later + timedelta(seconds=40)),
    )
    (person,) = found["people"]
    assert (person["reached"], person["answered_s"], person["times"]) == (True, 40, 2)
    assert (found["asked"], found["missed"]) == (1, 0)


def test_who_had_no_time_counts_for_nothing() -> None:
    late = asked(sms(), person=2, told_at=END - timedelta(seconds=10))
    found = build(asked(sms(), answered_at=START + timedelta(seconds=9)), late)
    assert (found["asked"], found["missed"], len(found["people"])) == (1, 0, 2)
    assert report.summary(found)["people"] == []


def test_levels_say_who_was_asked_what_had_nobody_and_what_was_not_tried() -> None:
    levels = (
        Level("response", 0, 0, ["it_lead"], told_at=START, missing=["it_lead"]),
        Level("response", 1, 10, ["it_manager"]),
    )
    first, second = build(asked(), levels=levels)["levels"]
    assert (first["people"], first["missing"], first["told_s"]) == ([1], ["it_lead"], 0)
    assert (second["people"], second["told_s"]) == ([], None)


def test_the_best_of_several_messages_by_one_channel_counts() -> None:
    found = build(
        asked(sms("failed", error="busy")), asked(sms("delivered", arrived_at=START), clock="containment")
    )
    (way,) = found["people"][0]["ways"]
    assert (way["state"], way["error"]) == ("delivered", "")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((3, 14), "3 of 14 would not have been reached."),
        ((1, 1), "1 of 1 would not have been reached."),
        ((0, 14), "All 14 answered."),
        ((0, 1), "The one who was asked answered."),
        ((0, 0), "It ended before anybody had time to answer."),
    ],
)
def test_it_is_said_in_one_sentence(counts: tuple[int, int], said: str) -> None:
    assert words.in_a_sentence({"missed": counts[0], "asked": counts[1]}) == said
