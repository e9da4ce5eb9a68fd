"""Messages of the rounds: one segment in both languages, with the longest names there are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from escalation.gsm7 import BASIC, EXTENDED, septets
from escalation.messages import render
from escalation.models import Delivery, Notification, Reason
from plant.models import SHIFT_ROLES, Site
from plant.reachability import Fault
from tests.messages import world
from tests.messages.test_sms import BASE_URLS
from tests.messages.world import NOW, demo, longest, person

ROUNDS = (Reason.SHIFT_START, Reason.GAP_AHEAD, Reason.REACHABILITY)
HOUR = timedelta(hours=1)
LONG_NAME = "María Guadalupe Fernández-Villaseñor Íñiguez de la Concepción"


def the_longest_name() -> str:
    return longest(one["name"] for one in demo()["people"])


def shift_start(worst: int = 3, **changes: Any) -> dict[str, Any]:
    line = world.incident().line
    title = longest(one["title"] for one in demo()["incidents"])
    named = {
        "code": "INC-104200",
        "word": "stopped",
        "where": f"{line.name}, {world.incident().station.name}",
        "place": line.name,
        "short": line.code,
        "what": title,
        "owner": the_longest_name(),
    }
    words = ("safety", "stopped", "at_risk", "workaround", "none", "moving")
    data = {
        "at": (NOW - HOUR / 4).isoformat(),
        "counts": [[word, 12] for word in words],
        "worst": [named] * worst,
        "instead_of": [],
        "is_it": True,
    }
    return {**data, **changes}


def gap_ahead(count: int = 4, **changes: Any) -> dict[str, Any]:
    hole = {
        "role": longest_role(),
        "where": longest(area["name"] for site in demo()["sites"] for area in site["areas"]),
        "from": (NOW + 36 * HOUR).isoformat(),
        "to": (NOW + 60 * HOUR).isoformat(),
        "told": [the_longest_name()] * 5,
    }
    data = {"holes": [hole] * count, "is_change": True, "site": "MBK-ASM-D1", "day": "2026-11-12"}
    return {**data, **changes}


def longest_role() -> str:
    return max(SHIFT_ROLES, key=lambda role: len(str(role.label))).value


def reachability(count: int = 5, **changes: Any) -> dict[str, Any]:
    one = {
        "username": "x",
        "name": the_longest_name(),
        "level": "error",
        "faults": [Fault.NO_MOBILE.value, Fault.EMAIL_UNVERIFIED.value],
    }
    return {"site": "MBK-ASM-D1", "people": [one] * count, "ways": ["sms", "email"], "mended": [], **changes}


DATA = {
    Reason.SHIFT_START: shift_start,
    Reason.GAP_AHEAD: gap_ahead,
    Reason.REACHABILITY: reachability,
}


def said(reason: Reason, data: dict[str, Any], *, channel: str = "sms", language: str = "en") -> Any:
    site = Site(pk=1, code="MBK", name="Millbrook Plant", timezone="America/Detroit")
    notification = Notification(
        pk=1, site=site, person=person(2), reason=reason, data=data, due_at=NOW, created_at=NOW
    )
    return render(Delivery(pk=1, notification=notification, channel=channel, language=language), now=NOW)


@pytest.mark.parametrize("base", BASE_URLS)
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("reason", ROUNDS)
def test_every_sms_is_one_segment_and_keeps_its_link(
    reason: Reason, language: str, count: int, base: str, settings: Any
) -> None:
    settings.BASE_URL = base
    text = said(reason, DATA[reason](count), language=language).text
    assert septets(text) <= 160
    assert set(text) <= BASIC | EXTENDED
    assert text.split()[0].strip(":").isupper()
    assert f" {base}/" in text and not text.split(base)[1].endswith("...")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("reason", ROUNDS)
def test_names_full_of_accents_fit_too(reason: Reason, language: str) -> None:
    data = DATA[reason](2)
    for rows, name in (("worst", "place"), ("holes", "where"), ("people", "name")):
        data[rows] = [{**one, name: LONG_NAME} for one in data.get(rows, ())]
    text = said(reason, data, language=language).text
    assert septets(text) <= 160 and set(text) <= BASIC | EXTENDED


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("reason", ROUNDS)
def test_every_email_has_the_same_words_in_both_parts(reason: Reason, language: str) -> None:
    letter = said(reason, DATA[reason](), channel="email", language=language)
    assert letter.subject and letter.text.startswith(letter.subject)
    assert "<table" in letter.html and the_longest_name() in letter.text
    assert the_longest_name() in letter.html


@pytest.mark.parametrize("reason", ROUNDS)
def test_making_the_words_asks_the_database_nothing(reason: Reason) -> None:
    said(reason, DATA[reason](), channel="email")  # no database in this test: it would be refused


# --- what they say ------------------------------------------------------------------------------------------


def short(**changes: Any) -> dict[str, Any]:
    named = {
        "code": "INC-1042",
        "word": "stopped",
        "where": "Line I1, Label & rack",
        "place": "Line I1",
        "short": "ASM-I1",
        "what": "Rack labels will not print",
        "owner": "",
    }
    data = {"at": NOW.isoformat(), "counts": [["stopped", 1], ["moving", 2]], "worst": [named]}
    return {**data, "instead_of": [], "is_it": False, **changes}


def test_a_shift_start_says_how_many_by_word_and_the_worst() -> None:
    assert said(Reason.SHIFT_START, short()).text == (
        "OPEN 11:30: 1 Line down, 2 Product moving. INC-1042 Line I1: Rack labels will not print. "
        "https://ops.example.com/incidents/"
    )


def test_the_email_of_a_shift_start_says_who_has_it_and_why_you_get_it() -> None:
    letter = said(Reason.SHIFT_START, short(instead_of=["Jun Ishida"]), channel="email")
    assert letter.subject == "Your shift start: 1 Line down, 2 Product moving"
    assert "INC-1042 Line down: Line I1, Label & rack. Rack labels will not print. Nobody has it yet." in (
        letter.text
    )
    assert "And 2 more." in letter.text
    assert "because you stand in for Jun Ishida from 11:30 on." in letter.text


def hole(**changes: Any) -> dict[str, Any]:
    begins = datetime(2026, 11, 10, 22, tzinfo=NOW.tzinfo) + 5 * HOUR  # 22:00 in Detroit
    data = {
        "role": "it_tech",
        "where": "Millbrook Plant",
        "from": begins.isoformat(),
        "to": (begins + 8 * HOUR).isoformat(),
        "told": ["Jun Ishida", "Marcus Vela"],
    }
    return {**data, **changes}


def test_a_gap_says_role_place_times_and_who_is_told_instead() -> None:
    data = {"holes": [hole()], "is_change": False, "site": "", "day": "2026-11-10"}
    assert said(Reason.GAP_AHEAD, data).text == (
        "NOBODY ON SHIFT 22:00: IT technician, Millbrook Plant, until 06:00. "
        "Told: Jun Ishida and Marcus Vela. https://ops.example.com/setup/roster/?day=2026-11-10"
    )


def test_several_gaps_of_a_shift_are_listed_and_one_without_an_end_says_so() -> None:
    holes = [hole(), hole(role="supervisor", where="Paint", to="")]
    data = {"holes": holes, "is_change": True, "site": "", "day": "2026-11-10"}
    letter = said(Reason.GAP_AHEAD, data, channel="email")
    assert letter.subject == "Changed: Nobody on shift as IT technician and 1 more from 22:00"
    assert "IT technician, Millbrook Plant: from 22:00 until 06:00. Told instead: Jun Ishida" in letter.text
    assert "Supervisor, Paint: from 22:00 on, for two days or more." in letter.text


def test_a_report_says_each_name_what_is_wrong_and_what_to_do() -> None:
    one = {"username": "v", "name": "Marcus Vela", "level": "error", "faults": ["no_mobile"]}
    data = {"site": "MBK", "people": [one], "ways": [], "mended": ["Jun Ishida"]}
    letter = said(Reason.REACHABILITY, data, channel="email")
    assert letter.subject == "One person cannot be reached as planned"
    assert "Marcus Vela: no mobile number. Enter their mobile number." in letter.text
    assert "Jun Ishida can be reached again." in letter.text
    assert said(Reason.REACHABILITY, data).text == (
        "REACH: One person cannot be reached as planned. Marcus Vela: no mobile number. "
        "https://ops.example.com/setup/reach/?site=MBK"
    )


def test_when_all_is_mended_it_says_so() -> None:
    data = {"site": "MBK", "people": [], "ways": [], "mended": ["Jun Ishida"]}
    assert said(Reason.REACHABILITY, data).text.startswith("REACH: Everybody can be reached again.")


def test_how_many_by_word_is_said_before_a_second_name() -> None:
    named = short()["worst"][0] | {"what": "Instrument panel labels stop: rack label printer offline"}
    counts = [["stopped", 1], ["at_risk", 2], ["moving", 13]]
    text = said(Reason.SHIFT_START, short(counts=counts, worst=[named] * 3)).text
    assert text.startswith("OPEN 11:30: 1 Line down, 2 At risk, 13 Product moving. INC-1042 Line I1: ")
