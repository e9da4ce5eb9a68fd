"""An email answers the three questions, and its plain text part says the same words."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from escalation.messages import Context, Next, Told, render
from escalation.models import Clock, Reason
from incidents.models import Impact, Status
from plant.models import System
from tests.messages.world import EVERY_REASON, NOW, RAISED, delivery, happened, incident, ladder, person, said


class Words(HTMLParser):
    """What a reader sees of an HTML page, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []
        self._unseen = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a":
            self.links.append(str(found["href"]))
        if self._unseen or tag in ("title", "style") or found.get("aria-hidden"):
            self._unseen += tag not in ("br", "meta", "img")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - 1)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.seen.append(data)


def without_spaces_and_links(text: str) -> str:
    return re.sub(r"\s|https://\S+", "", text)


def mail(reason: str = Reason.STEP, clock: str = Clock.CONTAINMENT, about: Any = None, **more: Any) -> Any:
    sent = delivery(about or happened(reason), reason, clock, channel="email", **more)
    return render(sent, now=NOW, context=ladder())


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("reason", "clock"), EVERY_REASON)
def test_both_parts_say_the_same_words_and_lead_to_the_same_places(
    reason: str, clock: str, language: str
) -> None:
    letter = mail(
        reason, clock, language=language, note="Nobody on shift is IT lead <now>.", wants_answer=True
    )
    page = Words(letter.html)
    assert without_spaces_and_links("".join(page.seen)) == without_spaces_and_links(letter.text)
    assert page.links == re.findall(r"https://\S+", letter.text)
    assert page.links == ["https://ops.example.com/a/K7Q2MX9PRT", "https://ops.example.com/incidents/104200/"]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("reason", "clock"), EVERY_REASON)
def test_no_email_says_technical_detail(reason: str, clock: str, language: str) -> None:
    about = happened(reason)
    said(about)
    letter = mail(reason, clock, about=about, language=language)
    for part in (letter.subject, letter.text, letter.html):
        assert "9100" not in part
        assert "VLAN" not in part


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("reason", "clock"), EVERY_REASON)
def test_every_subject_is_one_line_with_the_number_that_fits_its_column(
    reason: str, clock: str, language: str
) -> None:
    letter = mail(reason, clock, language=language)
    assert "\n" not in letter.subject
    assert letter.subject.endswith("(INC-104200)")
    assert len(letter.subject) <= 200


def test_the_subject_says_state_how_long_where_and_when_the_next_word_comes() -> None:
    about = incident()
    about.line.name, about.station.name = "Line I1", "Label & rack"
    assert (
        mail(about=about).subject
        == "Line down 34 min: Line I1, Label & rack. Next word by 11:56 (INC-104200)"
    )


def test_the_three_questions_are_answered_in_order() -> None:
    about = incident()
    said(
        about, conditions="labels will not print", actions="moving the queue", needs="hold the 11:40 shuttle"
    )
    text = mail(about=about).text
    parts = [
        "The problem\nLabels will not print.",
        "What we’re doing\nMoving the queue.",
        "Progress\nLast word 11:26",
        "Needed: Hold the 11:40 shuttle.",
    ]
    assert [text.find(part) for part in parts] == sorted(text.index(part) for part in parts)


def test_it_names_who_was_told_what_came_of_it_and_who_is_next() -> None:
    text = mail(wants_answer=True).text
    assert f"10:56 {person(1).name}, IT technician, has it since 10:59" in text
    assert "11:01 Keisha Brandt, IT lead, answered 11:03" in text
    assert "11:01 Jun Ishida, IT specialist, not reached" in text
    assert "11:30 You and Yolanda Prewitt, waiting for an answer from each of you" in text
    assert "12:00 Marisol Okafor, plant manager, next, if product is not moving" in text


def test_many_who_are_next_are_counted() -> None:
    step = Next(NOW + timedelta(minutes=5), Clock.RESPONSE, tuple("ABCDEFG"), ("it_tech", "supervisor"))
    text = render(delivery(incident(), channel="email"), now=NOW, context=Context(upcoming=[step])).text
    assert "11:35 A, B, C and 4 more, next, if nobody takes it" in text


@pytest.mark.parametrize("role", ["supervisor", "production_manager"])
def test_the_floor_also_reads_what_to_do_now(role: str) -> None:
    assert ("What to do now" in mail(role=role).text) == (role == "supervisor")


def test_it_says_that_a_reply_goes_on_the_incident_where_replies_are_read(settings: Any) -> None:
    assert "Reply to this email and your words go on the incident." in mail().text
    assert "Reply to this email" not in mail(Reason.TOLD_CLOSED).text
    settings.EMAIL_REPLIES = False
    assert "Reply to this email" not in mail().text


def test_a_long_ladder_keeps_its_last_lines() -> None:
    many = [Told(RAISED + timedelta(minutes=i), 10 + i, f"Person {i}", "it_tech") for i in range(12)]
    sent = delivery(incident(), channel="email")
    text = render(sent, now=NOW, context=Context(told=many)).text
    assert "Person 11" in text
    assert "Person 3," not in text


def test_people_told_together_share_a_line_and_everybody_is_named_once() -> None:
    first = [
        Told(RAISED, 10 + i, name, "it_specialist") for i, name in enumerate(["Ann", "Ben", "Cy", "Di", "Ed"])
    ]
    again = [Told(RAISED + timedelta(minutes=15), 10, "Ann", "it_specialist", waits=True)]
    sent = delivery(incident(), channel="email")
    text = render(sent, now=NOW, context=Context(told=[*first, *again])).text
    assert "10:56 Ann, IT specialist, no answer yet\n10:56 Ben, Cy, Di and Ed, IT specialist\n" in text
    assert text.count("Ann") == 1


def test_an_answer_to_any_message_counts() -> None:
    answered = Told(RAISED, 10, "Ann", "it_lead", RAISED + timedelta(minutes=2))
    again = Told(RAISED + timedelta(minutes=15), 10, "Ann", "it_lead", waits=True)
    sent = delivery(incident(), channel="email")
    text = render(sent, now=NOW, context=Context(told=[answered, again])).text
    assert "10:56 Ann, IT lead, answered 10:58" in text


def test_it_says_why_the_reader_gets_it() -> None:
    assert "You get this as production manager, because product is not moving yet." in mail().text
    assert (
        "You get this as IT lead, because nobody has it yet."
        in mail(clock=Clock.RESPONSE, role="it_lead").text
    )
    assert "You get this because news is due." in mail(clock=Clock.UPDATE, role="owner").text


def test_words_from_the_floor_are_shown_and_not_obeyed() -> None:
    about = incident(words="<script>alert(1)</script> & it stopped", title="<b>x</b>")
    letter = mail(about=about)
    assert "<script>" not in letter.html
    assert "&lt;script&gt;" in letter.html
    assert "<script>alert(1)</script> & it stopped" in letter.text


@pytest.mark.parametrize(
    ("impact", "ground"),
    [("stopped", "#bf1720"), ("at_risk", "#f2a516"), ("safety", "#920f6c"), ("workaround", "#e3e6e8")],
)
def test_the_banner_has_the_colour_of_the_impact(impact: Impact, ground: str) -> None:
    assert f"background:{ground};color" in mail(about=incident(impact=impact)).html


def test_once_product_moves_the_banner_is_grey_again() -> None:
    assert "background:#e3e6e8;color" in mail(Reason.TOLD_MOVING).html


def test_it_has_no_images_and_nothing_from_elsewhere() -> None:
    html = mail().html
    assert "<img" not in html and "url(" not in html and "<link" not in html
    assert len(html.encode()) < 15_000


def test_an_email_takes_less_than_two_milliseconds() -> None:
    sent = delivery(happened(Reason.UPDATE), Reason.UPDATE, channel="email")
    render(sent, now=NOW, context=ladder())
    spent = []
    for _turn in range(50):
        started = time.process_time()
        render(sent, now=NOW, context=ladder())
        spent.append(time.process_time() - started)
    assert min(spent) < 0.002


def test_rendering_with_a_context_asks_the_database_nothing(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        mail()


def test_a_closed_incident_asks_nothing_of_the_reader() -> None:
    letter = mail(Reason.TOLD_CLOSED)
    assert "Read more" in letter.text
    assert "I’ve seen it" not in letter.text


def test_an_incident_at_a_system_without_a_place_names_the_system() -> None:

    about = incident(station=None, line=None, status=Status.RAISED, owner=None)
    about.system = System(pk=9, code="edi", name="EDI", plain_name="electronic ship notices")
    assert mail(about=about).subject.startswith("Line down 34 min: electronic ship notices.")
