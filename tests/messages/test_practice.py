"""A practice says that it is one, in every message; its report fits one segment and names who was missed."""

from __future__ import annotations

from typing import Any

import pytest

from escalation.drills.report import Ended, Why
from escalation.gsm7 import BASIC, EXTENDED, septets
from escalation.messages import Context, render
from escalation.models import Clock, Reason
from incidents.models import Impact, Status
from tests.messages.test_notices_of_rounds import LONG_NAME, longest_role, said, the_longest_name
from tests.messages.test_sms import BASE_URLS, LONG_NOTE
from tests.messages.world import NOW, delivery, demo, incident, longest, person


def found(missed: int = 9, **changes: Any) -> dict[str, Any]:
    one = {"name": the_longest_name(), "role": longest_role(), "why": Why.NO_ADDRESS.value}
    return {
        "drill": 10_400,
        "place": longest(area["name"] for site in demo()["sites"] for area in site["areas"]),
        "why": Ended.PLAYED.value,
        "real": "",
        "asked": 14,
        "missed": missed,
        "people": [one] * missed,
        "empty": ["it_lead", "it_specialist"],
        **changes,
    }


@pytest.mark.parametrize("base", BASE_URLS)
@pytest.mark.parametrize("missed", [0, 1, 3, 9])
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_report_is_one_segment_and_keeps_its_link(
    language: str, missed: int, base: str, settings: Any
) -> None:
    settings.BASE_URL = base
    text = said(Reason.DRILL_REPORT, found(missed), language=language).text
    assert septets(text) <= 160 and set(text) <= BASIC | EXTENDED
    assert text.endswith(f"{base}/drills/10400/")
    assert text.split()[0] in ("PRACTICE", "SIMULACRO")


@pytest.mark.parametrize("language", ["en", "es"])
def test_names_full_of_accents_fit_too(language: str) -> None:
    one = {"name": LONG_NAME, "role": "it_lead", "why": Why.NO_ANSWER.value}
    text = said(Reason.DRILL_REPORT, found(2, place=LONG_NAME, people=[one] * 2), language=language).text
    assert septets(text) <= 160 and set(text) <= BASIC | EXTENDED


def test_the_report_says_how_many_and_who() -> None:
    one = {"name": "Tomás Varela", "role": "it_lead", "why": Why.NO_NUMBER.value}
    data = found(1, place="Final Assembly", people=[one], empty=[])
    assert said(Reason.DRILL_REPORT, data).text == (
        "PRACTICE Final Assembly: 1 of 14 would not have been reached. Tomas Varela. "
        "https://ops.example.com/drills/10400/"
    )


def test_the_email_lists_each_with_the_reason_and_what_had_nobody() -> None:
    people = [
        {"name": "Tomás Varela", "role": "it_lead", "why": Why.NO_NUMBER.value},
        {"name": "Grace Oyelaran", "role": "", "why": Why.UNVERIFIED.value},
    ]
    letter = said(Reason.DRILL_REPORT, found(2, people=people), channel="email")
    assert "2 of 14 would not have been reached" in letter.subject
    for text in (letter.text, letter.html):
        assert "Tomás Varela (IT lead): has no mobile number here" in text
        assert "Grace Oyelaran: did not answer, and nobody ever checked the number" in text
        assert "Nobody was on shift as IT lead and IT specialist." in text


@pytest.mark.parametrize("why", Ended.values)
@pytest.mark.parametrize("language", ["en", "es"])
def test_however_it_ended_the_email_can_be_written(why: str, language: str) -> None:
    data = found(0, why=why, real="INC-1042", asked=0)
    assert said(Reason.DRILL_REPORT, data, channel="email", language=language).text


def test_the_report_is_written_without_asking_the_database() -> None:
    said(Reason.DRILL_REPORT, found(), channel="email")


@pytest.mark.parametrize("base", BASE_URLS)
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("clock", [Clock.RESPONSE, Clock.CONTAINMENT])
@pytest.mark.parametrize("impact", ["stopped", "at_risk", "workaround", "none"])
def test_every_practice_alarm_says_so_first_and_asks_for_the_button(
    impact: str, clock: str, language: str, base: str, settings: Any
) -> None:
    settings.BASE_URL = base
    about = _practice(impact=Impact(impact))
    sent = delivery(about, clock=clock, language=language, role="it_tech", note=LONG_NOTE)
    text = render(sent, now=NOW).text
    assert septets(text) <= 160
    word = "PRACTICE: " if language == "en" else "SIMULACRO: "
    assert text.startswith(f"INC-104200 {word}")
    assert ("I've seen it" if language == "en" else "Ya lo vi") in text or base == BASE_URLS[1]
    assert "Nobody on shift" not in text


def test_a_practice_alarm_tells_nobody_to_keep_clear_or_to_take_it() -> None:
    letter = render(delivery(_practice(), role="it_tech", channel="email"), now=NOW, context=Context())
    assert "This is practice: nothing is wrong." in letter.text
    assert "take it" not in letter.text.lower()
    assert letter.subject.startswith("Practice: Line down")


@pytest.mark.parametrize("language", ["en", "es"])
def test_its_end_says_that_nothing_was_wrong(language: str) -> None:
    about = _practice(status=Status.CLOSED, closed_at=NOW)
    text = render(delivery(about, Reason.TOLD_CLOSED, language=language), now=NOW).text
    assert ("Nothing was wrong" if language == "en" else "No pasaba nada") in text and septets(text) <= 160


def _practice(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "is_drill": True,
        "status": Status.RAISED,
        "owner": None,
        "line": None,
        "station": None,
        "words": "",
        "next_update_due": None,
        "cover_until": None,
    }
    if changes.get("status") == Status.CLOSED:
        fields["owner"] = person(1)
    return incident(**{**fields, **changes})
