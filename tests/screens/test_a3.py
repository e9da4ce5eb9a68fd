"""The A3 / 8D report: one incident on one page, for people and for a customer."""

from __future__ import annotations

import io
import subprocess
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from countermeasures import lifecycle as fixes
from countermeasures.costs import costs
from countermeasures.models import Answer, Cause, Elsewhere, Kind
from escalation.a3 import pdf
from escalation.a3.facts import EVENTS, LONG, cut, facts
from escalation.a3.page import size_of
from incidents import lifecycle
from incidents.models import Incident, Status
from plant.models import Line, Role
from tests.api.calls import get
from tests.factories import NOW, Floor, fresh, make_floor, make_person, make_station, place_fix, raise_, reach
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

WORDY = "The labels come out blank on every second panel and the packers write the numbers by hand " * 40
"""Longer than any field takes; each is filled to its end."""


def photo() -> SimpleUploadedFile:
    kept = io.BytesIO()
    Image.new("RGB", (1600, 1200), "#778899").save(kept, "JPEG")
    return SimpleUploadedFile("label.jpg", kept.getvalue(), "image/jpeg")


def longest(floor: Floor) -> Incident:
    """Everything that the report knows, as often and as long as people can write it."""
    incident = raise_(floor, words=WORDY[:2000], title=WORDY[:110])
    lifecycle.acknowledge(incident.number, by=floor.tech, now=NOW)
    lifecycle.contain(incident.number, by=floor.tech, what=WORDY[:300], now=NOW)
    for n in range(3):
        lifecycle.add_photo(incident.number, by=floor.tech, image=photo(), caption=WORDY[:200], now=NOW)
        fixes.add(
            incident.number, by=floor.tech, kind=Kind.PREVENTIVE, what=f"{n} {WORDY[:290]}", owner=floor.tech
        )
    for _n in range(6):
        found = place_fix(floor, incident)
        fixes.check(found.pk, by=floor.supervisor, effective=False, measured=WORDY[:300], now=NOW)
        now = NOW + timedelta(hours=1)
        lifecycle.contain(incident.number, by=floor.tech, what=WORDY[:300], now=now)
    for kind in ("permanent",) * 5:
        fixes.add(
            incident.number,
            by=floor.tech,
            kind=kind,
            what=WORDY[:300],
            owner=floor.tech,
            strength="detect_stop",
            metric=WORDY[:200],
            baseline=WORDY[:120],
            target=WORDY[:120],
            checker=floor.supervisor,
        )
    Cause.objects.create(
        incident=incident,
        root_cause=WORDY[:4000],
        escape_cause=WORDY[:4000],
        five_whys=[WORDY[:500]] * 10,
        is_person=True,
        made_easy=WORDY[:1000],
    )
    return fresh(incident)


@pytest.fixture
def reader(client: Client, floor: Floor, settings: Any, tmp_path: Any) -> Client:
    settings.MEDIA_ROOT = tmp_path
    client.force_login(floor.manager)
    return client


# -- the PDF


@pytest.mark.parametrize(("language", "paper", "width"), [("es", "letter", 792), ("en", "a4", 842)])
def test_the_longest_report_is_one_page_with_nothing_cut(
    reader: Client, floor: Floor, language: str, paper: str, width: int
) -> None:
    incident = longest(floor)
    answer = reader.get(f"/incidents/{incident.number}/a3.pdf?lang={language}&paper={paper}")
    assert answer["Content-Type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    assert len(document) == 1
    page = document[0]
    assert round(page.get_size()[0]) == width
    said = " ".join(page.get_textpage().get_text_range().split())
    for end in ("D8", "Millbrook Plant · "):
        assert end in said  # what stands at the bottom is there
    assert len([one for one in page.get_objects() if one.type == 3]) == 3  # the photos
    assert nothing_in_the_margins(page)


def nothing_in_the_margins(page: Any) -> bool:
    """Whether the outer 7 mm of 8 are blank: what runs off the paper would show there."""
    drawn = page.render(scale=1).to_pil().convert("L")
    edge = round(7 / 25.4 * 72)
    width, height = drawn.size
    edges = [(0, 0, width, edge), (0, height - edge, width, height), (0, 0, edge, height)]
    return all(drawn.crop(box).getextrema()[0] > 250 for box in [*edges, (width - edge, 0, width, height)])


def test_where_pango_is_missing_it_says_so_in_one_sentence(
    reader: Client, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(command: Any, **how: Any) -> Any:
        return subprocess.CompletedProcess(command, 3, b"", b"cannot load library 'pango-1.0-0'")

    monkeypatch.setattr(pdf.subprocess, "run", without)
    incident = reach(floor, Status.CONTAINED)
    answer = reader.get(f"/incidents/{incident.number}/a3.pdf")
    assert answer.status_code == 503
    assert "This server cannot make a PDF: the library Pango is missing. Print the page instead." in words(
        answer
    )
    assert reader.get(f"/incidents/{incident.number}/a3/").status_code == 200


def test_a_report_that_takes_too_long_is_given_up(
    reader: Client, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(command: Any, **how: Any) -> Any:
        raise subprocess.TimeoutExpired(command, how["timeout"])

    monkeypatch.setattr(pdf.subprocess, "run", hangs)
    incident = reach(floor, Status.CONTAINED)
    assert reader.get(f"/incidents/{incident.number}/a3.pdf").status_code == 503


def test_reports_never_take_all_the_threads_of_the_pages(
    reader: Client, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While as many as may are being made, one more is asked to come back; then the place is free again."""
    monkeypatch.setattr(
        pdf.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, b"%PDF-", b"")
    )
    incident = reach(floor, Status.CONTAINED)
    with ExitStack() as being_made:
        for _place in range(pdf.AT_ONCE):
            being_made.enter_context(pdf._places)
        assert asked_for(reader, incident) == 503
    assert [asked_for(reader, incident) for _turn in range(pdf.AT_ONCE + 1)] == [200] * (pdf.AT_ONCE + 1)


def asked_for(reader: Client, incident: Incident) -> int:
    return reader.get(f"/incidents/{incident.number}/a3.pdf").status_code


# -- what it says


def test_it_says_where_else_it_was_looked_at(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    found = place_fix(floor, incident)
    station = make_station(line=floor.line, name="Label & pack 2")
    Elsewhere.objects.create(
        countermeasure=found,
        station=station,
        answer=Answer.DONE,
        evidence="Seen",
        answered_by=floor.tech,
        answered_at=NOW,
    )
    assert facts(incident, now=NOW)["elsewhere"] == [f"{station.line}, {station}: Done here"]


def test_the_type_on_the_screen_is_as_large_as_the_fullest_column_allows(floor: Floor) -> None:
    little, much = facts(reach(floor, Status.RAISED), now=NOW), facts(longest(floor), now=NOW)
    assert (size_of(little, 0), size_of(much, 3)) == (1, 6)
    some = {**little, "whys": [WORDY[:130]] * 9, "root_cause": WORDY[:240]}
    assert 1 < size_of(some, 2) < 6


def test_it_tells_the_whole_story(reader: Client, floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    said = words(reader.get(f"/incidents/{incident.number}/a3/"))
    for sentence in (
        "No labels come out",
        "Spare printer",
        "Pin the driver of the print server",
        "Drivers update by themselves",
        "No test print",
        "It is prevented",
        "Label queue stops (wanted: None)",
        f"Checked by {floor.supervisor.name}",
        "No stops",
        f"{floor.tech.name} picked it up.",
        "Signed off",
    ):
        assert sentence in said


def test_what_is_not_done_is_a_line_to_sign_on_and_not_a_claim(reader: Client, floor: Floor) -> None:
    signed = facts(reach(floor, Status.CONTAINED), now=NOW)["signed"]
    assert [one.name for one in signed] == [floor.tech.name, "", "", "", ""]


def test_of_very_many_what_is_in_place_is_told_and_signed_before_what_is_only_promised(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    placed = place_fix(floor, incident)
    for n in range(6):
        fixes.add(incident.number, by=floor.tech, kind=Kind.PERMANENT, what=f"Or this {n}", now=NOW)
    told = facts(incident, now=NOW)
    shown = [fix.row.countermeasure.what for fix in told["fixes"]]
    assert shown == [placed.what, "Or this 2", "Or this 3", "Or this 4", "Or this 5"]
    assert (told["more_fixes"], told["signed"][1].name) == (2, floor.tech.name)


def test_a_customer_reads_it_in_their_language(reader: Client, floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    assert "Los cinco porqués" in words(reader.get(f"/incidents/{incident.number}/a3/?lang=es"))


def test_messages_are_not_part_of_it_and_long_timelines_are_condensed(floor: Floor) -> None:
    moments = facts(longest(floor), now=NOW)["moments"]
    assert len(moments) == EVENTS
    assert [one.left_out > 0 for one in moments].count(True) == 1


def test_a_text_is_cut_between_words() -> None:
    assert cut("short  and\nsweet", LONG) == "short and sweet"
    assert cut("one two three", 9) == "one two…"


# -- what it cost


def stood(floor: Floor, minutes: int) -> Incident:
    incident = raise_(floor)
    lifecycle.acknowledge(incident.number, by=floor.tech, now=NOW)
    later = NOW + timedelta(minutes=minutes)
    lifecycle.contain(incident.number, by=floor.tech, what="Spare", now=later)
    return fresh(incident)


def test_parts_are_the_downtime_over_the_takt_of_the_line(reader: Client, floor: Floor) -> None:
    Line.objects.filter(pk=floor.line.pk).update(takt_seconds=52)
    incident = stood(floor, 71)
    found = costs(incident, now=NOW)
    assert (found.minutes, found.parts) == (71, 81)  # 4260 s / 52 s
    said = words(reader.get(f"/incidents/{incident.number}/a3/"))
    assert "71 minutes of standstill (about 81 parts not built, at the takt of the line)." in said


def test_without_a_takt_it_says_that_nobody_knows_and_takes_a_counted_figure(
    reader: Client, floor: Floor
) -> None:
    Line.objects.filter(pk=floor.line.pk).update(takt_seconds=None)
    incident = stood(floor, 10)
    assert "not known, the takt of the line is not set" in words(
        reader.get(f"/incidents/{incident.number}/a3/")
    )
    counted = reader.get(f"/incidents/{incident.number}/a3/?parts=14")
    assert "14 parts not built, as counted" in words(counted)
    assert "parts=14" in counted.content.decode()  # the PDF says the same
    assert reader.get(f"/incidents/{incident.number}/a3/?parts=-1e9").status_code == 200


# -- who may see it


@pytest.mark.parametrize("address", ["a3/", "a3.pdf"])
def test_it_is_for_those_who_see_the_incident(floor: Floor, client: Client, address: str) -> None:
    incident = reach(floor, Status.CONTAINED)
    path = f"/incidents/{incident.number}/{address}"
    assert "/login/" in client.get(path).headers["Location"]
    client.force_login(make_person("Stranger", roles=[Role.IT_MANAGER], site=make_floor(code="TWO").site))
    assert client.get(path).status_code == 403


def test_programs_find_it_with_the_incident(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    said = get(floor.tech, f"incidents/{incident.number}/").json()
    assert said["report"].endswith(f"/incidents/{incident.number}/a3.pdf")
