"""Every SMS fits one segment and keeps what matters, with the longest names there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from escalation.gsm7 import BASIC, EXTENDED, septets
from escalation.messages import render
from escalation.models import Clock, Reason
from incidents.models import Impact, Status
from tests.messages import world
from tests.messages.world import EVERY_REASON, NOW, delivery, happened, incident, person

LONG_NOTE = (
    "Nobody on shift holds IT lead for Final Assembly, so you are told instead of them. "
    "This is 14 min late because alerts were not going out between 11:02 and 11:16."
)
BASE_URLS = ["https://ops.example.com", "https://opsdesk.millbrook-plant.corvenna-automotive.example.com"]


@pytest.mark.parametrize(("base", "replies"), list(zip(BASE_URLS, [False, True], strict=True)))
@pytest.mark.parametrize("note", ["", LONG_NOTE])
@pytest.mark.parametrize("role", ["it_tech", "production_manager", "owner"])
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("reason", "clock"), EVERY_REASON)
def test_every_sms_is_one_segment_and_keeps_number_state_and_link(
    reason: str,
    clock: str,
    language: str,
    role: str,
    note: str,
    base: str,
    replies: bool,
    settings: Any,
) -> None:
    settings.BASE_URL, settings.SMS_REPLIES = base, replies
    sent = delivery(happened(reason), reason, clock, language=language, role=role, note=note)
    text = render(sent, now=NOW).text
    assert septets(text) <= 160
    assert set(text) <= BASIC | EXTENDED
    assert text.startswith("INC-104200 ")
    assert text.endswith(f"{base}/a/{world.TOKEN}")
    state = text.removeprefix("INC-104200 ").split(":")[0]
    assert state.split()[0].isupper()
    assert "..." not in state


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("reason", "clock"), EVERY_REASON)
def test_no_sms_says_technical_detail(reason: str, clock: str, language: str) -> None:
    text = render(delivery(happened(reason), reason, clock, language=language), now=NOW).text
    assert not {"9100", "spooler", "VLAN", "372"} & set(text.split())


@pytest.mark.parametrize("impact", Impact.values)
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_place_and_names_full_of_accents_still_fit(impact: str, language: str) -> None:
    about = incident(impact=impact, title="Áéíóú ñ “línea” – ¿qué pasó con la impresión de etiquetas?" * 2)
    about.owner = person(1, "María Guadalupe Fernández-Villaseñor Íñiguez de la Concepción")
    assert about.station is not None and about.line is not None
    about.station.name = "Estación de verificación dimensional y atornillado crítico de cápsulas"
    about.line.name = "Línea de tableros e inyección número dos (€)"
    text = render(delivery(about, language=language, note=LONG_NOTE), now=NOW).text
    assert septets(text) <= 160
    assert "Linea de tableros" in text or about.station.code in text or about.line.code in text


@pytest.mark.parametrize("role", ["it_tech", "production_manager"])
def test_the_place_has_a_name_even_when_much_must_be_left_out(role: str) -> None:
    about = incident(status=Status.RAISED, owner=None, title="Printer or labels", next_update_due=None)
    assert about.station is not None and about.line is not None
    about.line.name, about.line.code = "Door Panel Line D2", "ASM-D2"
    about.station.name, about.station.code = "Label & pack", "ASM-D2-060"
    text = render(delivery(about, clock=Clock.RESPONSE, role=role, note=LONG_NOTE), now=NOW).text
    place = "ASM-D2 Label & pack" if role == "it_tech" else "Door Panel Line D2"
    assert f"LINE DOWN 34 min: {place}. " in text
    assert "Printer or labels. " in text and "Nobody has it yet. " in text


def test_what_it_says_in_order() -> None:
    about = incident(title="Rack labels will not print", cover_until=None)
    about.line.name, about.line.code, about.station.name = "Line I1", "ASM-I1", "Label & rack"
    about.owner = person(1, "Marcus Vela")
    assert render(delivery(about), now=NOW).text == (
        "INC-104200 LINE DOWN 34 min: Line I1, Label & rack. Rack labels will not print. Marcus Vela has it. "
        "Answer: https://ops.example.com/a/K7Q2MX9PRT"
    )


def test_a_problem_of_this_minute_says_now() -> None:
    about = incident(raised_at=NOW, clocks_from=NOW, status=Status.RAISED, owner=None)
    assert render(delivery(about, clock=Clock.RESPONSE), now=NOW).text.startswith(
        "INC-104200 LINE DOWN now: "
    )


def test_who_may_take_it_is_asked_to_and_a_manager_is_asked_to_answer() -> None:
    about = incident(status=Status.RAISED, owner=None, title="Rack labels", next_update_due=None)
    asked = render(delivery(about, clock=Clock.RESPONSE, role="it_tech"), now=NOW).text
    answers = render(delivery(about, clock=Clock.RESPONSE, role="production_manager"), now=NOW).text
    assert "Nobody has it yet. Take it: https" in asked
    assert "Nobody has it yet. Answer: https" in answers


def test_the_owner_is_asked_for_news() -> None:
    about = incident(title="Rack labels", cover_until=None, next_update_due=NOW - timedelta(minutes=2))
    about.line.name = "Line I1"
    text = render(delivery(about, clock=Clock.UPDATE, role="owner", to=about.owner), now=NOW).text
    assert "You have it. News was due 11:28. Say what is new: https" in text


def test_a_repeat_says_how_long_it_is_open_altogether() -> None:
    about = incident(raised_at=NOW - timedelta(hours=10), clocks_from=NOW - timedelta(hours=2))
    text = render(delivery(about, clock=Clock.CLOSURE), now=NOW).text
    assert text.startswith("INC-104200 STILL OPEN 10 h: ")


def test_what_came_back_counts_from_when_it_came_back() -> None:
    came_back = NOW - timedelta(minutes=15)
    about = incident(raised_at=NOW - timedelta(days=20), reopened_at=came_back, clocks_from=came_back)
    assert render(delivery(about), now=NOW).text.startswith("INC-104200 LINE DOWN 15 min: ")


def test_moving_says_when_and_after_how_long() -> None:
    text = render(delivery(happened(Reason.TOLD_MOVING), Reason.TOLD_MOVING), now=NOW).text
    assert text.startswith("INC-104200 PRODUCT MOVING 11:30 after 34 min: ")


def test_a_practice_alert_says_so_before_anything_else() -> None:
    text = render(delivery(incident(is_drill=True)), now=NOW).text
    assert text.startswith("INC-104200 PRACTICE: LINE DOWN 34 min: ")


def test_times_are_those_of_the_plant_and_have_their_day_when_it_is_not_today() -> None:
    about = incident(title="Rack labels", cover_until=NOW + timedelta(days=1))
    assert "Runs out Wed 11 Nov 11:30." in render(delivery(about), now=NOW).text


def test_a_reply_is_offered_only_where_replies_are_received(settings: Any) -> None:
    about = incident(title="Rack labels", cover_until=None)
    settings.SMS_REPLIES = False
    assert "Reply" not in render(delivery(about), now=NOW).text
    settings.SMS_REPLIES = True
    about.line.name, about.station.name = "Line I1", "Rack"
    assert "Reply 104200 = seen." in render(delivery(about, role="production_manager"), now=NOW).text
    about.line.code = about.line.name = "D1"
    about.title, about.owner, about.next_update_due = "No labels", person(1, "Jun"), None
    text = render(delivery(about, role="production_manager"), now=NOW).text
    assert "Reply 104200 = seen, help 104200 = send help." in text
    refused = render(delivery(about, role="supervisor"), now=NOW).text
    assert "Reply 104200 = seen." in refused, "what their role would be refused is not offered"


def test_who_may_take_it_reads_that_the_reply_takes_it(settings: Any) -> None:
    settings.SMS_REPLIES = True
    about = incident(title="Rack labels", cover_until=None, status="raised", owner=None)
    about.line.name, about.station.name = "Line I1", "Rack"
    assert "Reply 104200 = you take it." in render(delivery(about, role="it_tech"), now=NOW).text


def test_news_asks_for_no_reply(settings: Any) -> None:
    settings.SMS_REPLIES = True
    text = render(delivery(happened(Reason.TOLD_MOVING), Reason.TOLD_MOVING), now=NOW).text
    assert "Reply" not in text


def test_a_note_about_a_gap_is_in_the_sms_too() -> None:
    about = incident(title="Rack labels", cover_until=None)
    about.line.name = "Line I1"
    text = render(delivery(about, note="Nobody on shift is IT lead."), now=NOW).text
    assert "Nobody on shift is IT lead." in text


def test_rendering_an_sms_asks_the_database_nothing(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        render(delivery(incident()), now=NOW)
