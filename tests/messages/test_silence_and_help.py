"""Messages about silence and help: who had it, the question to the owner, and who is asked to come in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from escalation.gsm7 import septets
from escalation.messages import render
from escalation.models import Clock, Reason
from tests.messages import world
from tests.messages.world import NOW, delivery, incident, ladder, lapsed, person

SINCE = {"silent_since": (NOW - timedelta(minutes=60)).isoformat()}
ASKED_BY = {"by": "Marcus Vela"}
WORDS = "Bring the long ladder and the spare print head from the cage behind the kit room."
GAP = "Nobody on shift as IT specialist in Final Assembly, so Bethany Crowe is told off shift."
BASES = ["https://ops.example.com", "https://opsdesk.millbrook-plant.corvenna-automotive.example.com"]


def short(about: Any) -> Any:
    """With names of the usual length, so that nothing has to give way."""
    about.title, about.cover_until = "Rack labels will not print", None
    about.line.name, about.line.code, about.station.name = "Line I1", "ASM-I1", "Label & rack"
    return about


def sms(about: Any, reason: str, clock: str = "", **more: Any) -> str:
    return render(delivery(about, reason, clock, **more), now=NOW).text


def mail(about: Any, reason: str, **more: Any) -> str:
    return render(delivery(about, reason, channel="email", **more), now=NOW, context=ladder()).text


CASES: dict[str, Any] = {
    "response": lambda **more: delivery(lapsed(), Reason.STEP, Clock.RESPONSE, **more),
    "lapsed": lambda **more: delivery(lapsed(), Reason.LAPSED, data=SINCE, to=person(1), **more),
    "question": lambda **more: delivery(incident(), Reason.BRING_SOMEONE, to=person(1), **more),
    "help": lambda **more: delivery(
        incident(), Reason.HELP, data=ASKED_BY, note=f"{WORDS} {GAP}", to=person(2), **more
    ),
}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("role", ["it_tech", "it_specialist", "owner", ""])
@pytest.mark.parametrize("case", CASES)
def test_each_fits_one_segment_with_the_longest_names(
    case: str, role: str, language: str, base: str, settings: Any
) -> None:
    settings.BASE_URL = base
    text = render(CASES[case](language=language, role=role), now=NOW).text
    assert septets(text) <= 160
    assert text.startswith("INC-104200 ") and text.endswith(f"{base}/a/{world.TOKEN}")


@pytest.mark.parametrize("name", ["Marcus Vela", "Maria Guadalupe Fernandez-Villasenor"])
def test_the_first_step_after_a_lapse_says_who_had_it(name: str) -> None:
    text = sms(short(lapsed(person(1, name))), Reason.STEP, Clock.RESPONSE, role="it_tech")
    assert text.startswith("INC-104200 LINE DOWN 1 h 04: ")
    assert re.search(rf"({name}|{name.split()[0]}) had it; no word since 10:30\. Take it: ", text)


def test_a_manager_reads_it_too_even_with_the_longest_names() -> None:
    had = person(1)
    text = sms(lapsed(had), Reason.STEP, Clock.RESPONSE, role="production_manager")
    assert f"{had.name.split()[0]}" in text and "had it; no word since 10:30." in text


def test_who_had_it_reads_you() -> None:
    had = person(1, "Marcus Vela")
    text = sms(short(lapsed(had)), Reason.STEP, Clock.RESPONSE, role="it_tech", to=had)
    assert "You had it; no word since 10:30. Take it: " in text


def test_who_lost_it_is_told_since_when_and_may_take_it_again() -> None:
    had = person(1, "Marcus Vela")
    text = sms(short(lapsed(had)), Reason.LAPSED, data=SINCE, to=had, role="")
    assert "No word from you since 10:30: nobody has it. Take it: https://" in text


def test_who_lost_it_to_somebody_else_reads_their_name() -> None:
    had, taker = person(1, "Marcus Vela"), person(7, "Jun Ishida")
    about = short(incident(owner=taker))
    text = sms(about, Reason.LAPSED, data=SINCE, to=had, role="")
    assert "No word from you since 10:30: Jun Ishida has it now." in text


def test_the_question_is_neutral_and_short() -> None:
    owner = person(1, "Marcus Vela")
    text = sms(short(incident(owner=owner)), Reason.BRING_SOMEONE, to=owner, role="owner")
    assert text == (
        "INC-104200 LINE DOWN 34 min: ASM-I1 Label & rack. Rack labels will not print. "
        "No word for 10 min. Bring someone in? Choose: https://ops.example.com/a/K7Q2MX9PRT"
    )


def test_who_is_asked_to_help_reads_who_asks_and_their_words() -> None:
    text = sms(short(incident()), Reason.HELP, data=ASKED_BY, note="Bring a ladder.", role="it_specialist")
    assert "Marcus Vela asks you to help. Bring a ladder. " in text
    assert " Answer: https://" in text


@pytest.mark.parametrize(
    ("case", "first"),
    [
        ("lapsed", "No word from you since 10:30, so it goes back to everybody."),
        ("question", "No word for 10 min. Bring someone in?"),
        ("help", "Marcus Vela asks you to help."),
    ],
)
def test_an_email_begins_with_what_is_wanted(case: str, first: str) -> None:
    text = render(CASES[case](channel="email", role=""), now=NOW, context=ladder()).text
    assert text.split("\n")[3] == first, text


def test_an_email_about_a_lapse_tells_the_story_under_what_we_are_doing() -> None:
    text = mail(lapsed(person(1, "Marcus Vela")), Reason.STEP, clock=Clock.RESPONSE)
    assert "Nobody has it any more. Marcus Vela had it; no word since 10:30." in text


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (Reason.LAPSED, "You get this because you had it and two words were missed."),
        (Reason.BRING_SOMEONE, "You get this because there was no word for a while."),
        (Reason.HELP, "You get this because somebody asks you to help."),
    ],
)
def test_each_says_why_this_person_gets_it(reason: str, why: str) -> None:
    clock = Clock.HELP if reason == Reason.BRING_SOMEONE else ""
    sent = delivery(incident(), reason, channel="email", role="", data={**SINCE, **ASKED_BY})
    sent.notification.clock = clock
    assert why in render(sent, now=NOW, context=ladder()).text
