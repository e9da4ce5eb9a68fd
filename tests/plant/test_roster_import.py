"""Rosters and cover from files: shown first, each wrong line in words, and twice is once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from opsdesk.errors import Invalid
from plant.models import Cover, CoverKind, Role, Roster
from plant.roster.reading import Absence, decoded, lines_of
from plant.roster.taking_in import Outcome, TakingIn
from tests.factories import DETROIT, crew_of, make_person, make_site, make_three_shifts

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 9, tzinfo=DETROIT)
ADDRESS = "/setup/roster/import/"


@pytest.fixture
def plant() -> Any:
    site = make_site("MBK")
    pattern = make_three_shifts(site=site, code="asm_3x8")
    first = crew_of(pattern, "SH1")
    return SimpleNamespace(
        site=site,
        first=first,
        second=crew_of(pattern, "SH2"),
        hutchins=make_person("Dale Hutchins", roles=[Role.IT_MANAGER], site=site),
        vela=make_person(
            "Marcus Vela", username="vela", roles=[Role.IT_TECH], site=site, email="vela@example.com"
        ),
        ishida=make_person("Jun Ishida", username="ishida", roles=[Role.IT_TECH], site=site, crew=first),
    )


def take(plant: Any, text: str, *, keep: bool = True) -> list[tuple[Outcome, str]]:
    taking = TakingIn(plant.site, by=plant.hutchins, now=NOW)
    lines = lines_of(text, tz=DETROIT)
    results = taking.apply(lines) if keep else taking.preview(lines)
    return [(result.outcome, result.sentence) for result in results]


def outcomes(plant: Any, text: str) -> list[Outcome]:
    return [outcome for outcome, _sentence in take(plant, text)]


COVER = """away,stands_in,from,until,why,note
vela,Jun Ishida,2026-06-03 06:00,2026-06-03 14:00,swap,dentist
VELA@example.com,,2026-07-01,2026-07-14,holiday,
"""


def test_cover_is_read_by_login_email_or_name(plant: Any) -> None:
    assert outcomes(plant, COVER) == [Outcome.NEW, Outcome.NEW]
    swap, leave = Cover.objects.order_by("starts_at")
    assert (swap.stand_in, swap.kind, swap.note) == (plant.ishida, CoverKind.SWAP, "dentist")
    assert swap.starts_at == datetime(2026, 6, 3, 6, tzinfo=DETROIT)
    assert leave.starts_at == datetime(2026, 7, 1, tzinfo=DETROIT)
    assert leave.ends_at == datetime(2026, 7, 15, tzinfo=DETROIT), "the last day counts to its end"


def test_the_same_file_again_changes_nothing(plant: Any) -> None:
    take(plant, COVER)
    before = list(Cover.objects.values())
    assert outcomes(plant, COVER) == [Outcome.SAME, Outcome.SAME]
    assert list(Cover.objects.values()) == before


def test_another_stand_in_in_the_file_changes_the_cover(plant: Any) -> None:
    take(plant, COVER)
    assert outcomes(plant, COVER.replace("Jun Ishida", "hutchins-none")) == [Outcome.WRONG, Outcome.SAME]
    assert outcomes(plant, COVER.replace("Jun Ishida", "Dale Hutchins")) == [Outcome.CHANGED, Outcome.SAME]
    assert Cover.objects.count() == 2


def test_a_preview_says_the_same_and_keeps_nothing(plant: Any) -> None:
    shown = take(plant, COVER, keep=False)
    assert not Cover.objects.exists()
    assert shown == take(plant, COVER)


def test_each_wrong_line_says_what_is_wrong_and_spoils_no_other(plant: Any) -> None:
    make_person("Twin", site=plant.site)
    make_person("Twin", site=plant.site)
    text = """until;from;away;why;stands_in
2026-06-03;2026-06-02;nobody;holiday;
2026-06-03;soon;vela;holiday;
2026-06-03;2026-06-02 25:00;vela;holiday;
2026-06-03;2026-06-02;vela;bored;
2026-06-03;;vela;holiday;
2026-06-02 06:00;2026-06-03 06:00;vela;sick;
2026-06-03;2026-06-02;vela;holiday;vela
2026-06-03;2026-06-02;twin;holiday;
2026-05-03;2026-05-02;vela;holiday;
2026-06-05;2026-06-05;vela;vacaciones;ishida
2026-06-05;2026-06-05;ishida;sick;
2026-06-05 12:00;2026-06-05 11:00;vela;sick;
"""
    said = take(plant, text)
    assert [outcome for outcome, _sentence in said] == [
        *[Outcome.WRONG] * 8,
        Outcome.OVER,
        Outcome.NEW,
        Outcome.NEW,
        Outcome.WRONG,
    ]
    expected = [
        "Nobody here is called “nobody”.",
        "“soon” is not a day.",
        "is not a time",
        "“bored” is not a reason.",
        "The column from is empty.",
        "It must end after it starts.",
        "Nobody can stand in for themselves.",
        "Several people are called twin.",
    ]
    for (_outcome, sentence), words in zip(said, expected, strict=False):
        assert words in sentence
    assert "is away then already" in said[-1][1]


def test_columns_may_be_spanish_and_the_file_from_a_windows_spreadsheet(plant: Any) -> None:
    plant.vela.name = "Núñez"
    plant.vela.save()
    raw = "Ausente;Suple;Desde;Hasta;Motivo\nNúñez;ishida;2026-06-03;2026-06-03;vacaciones\n"
    assert outcomes(plant, decoded(raw.encode("cp1252"))) == [Outcome.NEW]
    assert outcomes(plant, decoded(b"\xef\xbb\xbf" + raw.encode())) == [Outcome.SAME]


def test_a_file_with_the_line_ends_of_an_old_mac_is_read(plant: Any) -> None:
    assert outcomes(plant, "away,from,until\rvela,2026-06-03,2026-06-03\r") == [Outcome.NEW]


@pytest.mark.parametrize(
    "headings", ["Persona;Equipo;Primer día;Último día", "persona;equipo;primer_dia;ultimo_dia"]
)
def test_a_roster_in_spanish_may_have_its_accents_or_not(plant: Any, headings: str) -> None:
    assert outcomes(plant, f"{headings}\nvela;SH2;2026-06-08;2026-06-12\n") == [Outcome.NEW]
    with override("es"):
        ((_outcome, sentence),) = take(plant, f"{headings}\nvela;;2026-06-08;\n")
        assert headings.split(";")[1] in sentence
        with pytest.raises(Invalid, match="ausente, suple, desde, hasta, motivo, nota"):
            lines_of("a,b\n1,2", tz=DETROIT)
        ((_outcome, sentence),) = take(
            plant, "ausente,desde,hasta,motivo\nvela,2026-06-03,2026-06-03,bored\n"
        )
        assert "Use cambio, vacaciones o enfermedad." in sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "a,b,c\n1,2,3",
        "a,b,c\r1,2,3\r",
        '"away,from,until\n' + "vela,2026-06-03,2026-06-04\n" * 6000,
        "away,from,until\n" + '"vela,2026-06-03,2026-06-04\n' * 6000,
        "BEGIN:VCALENDAR\nEND:VEVENT\n",
        "BEGIN:VCALENDAR",
    ],
    ids=[
        "empty",
        "blank",
        "columns",
        "old Mac",
        "open quote above",
        "open quotes",
        "broken iCal",
        "no events",
    ],
)
def test_a_file_that_is_something_else_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(Invalid):
        lines_of(text, tz=DETROIT)


def test_a_picture_is_not_a_roster() -> None:
    with pytest.raises(Invalid, match="not a text file"):
        decoded(b"\x89PNG\r\n\x00\x00\x81")


def test_too_many_lines_are_taken_in_parts() -> None:
    with pytest.raises(Invalid, match="500"):
        lines_of("away,from,until\n" + "vela,2026-06-03,2026-06-04\n" * 501, tz=DETROIT)


# --- rosters ------------------------------------------------------------------------------------------------

CREWS = "person,pattern,crew,first_day,last_day\nvela,asm_3x8,SH2,2026-06-08,\n"


def test_a_roster_is_taken_in_once(plant: Any) -> None:
    assert outcomes(plant, CREWS) == [Outcome.NEW]
    assert outcomes(plant, CREWS) == [Outcome.SAME]
    roster = Roster.objects.get(person=plant.vela)
    assert (roster.crew, roster.first_day, roster.last_day) == (plant.second, date(2026, 6, 8), None)


def test_a_new_crew_ends_the_open_roster_before_it(plant: Any) -> None:
    assert outcomes(plant, CREWS.replace("vela", "ishida")) == [Outcome.NEW]
    old, new = Roster.objects.filter(person=plant.ishida).order_by("first_day")
    assert (old.last_day, new.crew) == (date(2026, 6, 7), plant.second)


def test_a_roster_that_runs_into_another_or_names_no_crew_is_refused(plant: Any) -> None:
    take(plant, CREWS)
    text = "person,crew,first_day,last_day\nvela,SH1,2026-06-01,2026-06-30\nvela,SH9,2026-06-01,\n"
    said = take(plant, text + "vela,SH1,2026-06-30,2026-06-01\n")
    assert [outcome for outcome, _sentence in said] == [Outcome.WRONG] * 3
    assert "Marcus Vela is in SH2 in that time" in said[0][1]
    assert "There is no crew “SH9” here." in said[1][1]
    assert "The last day is before the first day." in said[2][1]


# --- calendars ----------------------------------------------------------------------------------------------


def calendar(*events: str) -> str:
    body = "".join(
        f"BEGIN:VEVENT\r\nDTSTAMP:20260601T000000Z\r\n{event}\r\nEND:VEVENT\r\n" for event in events
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{body}END:VCALENDAR\r\n"


LEAVE = (
    "UID:leave-7@hr\r\nSUMMARY:Marcus Vela: vacation\r\n"
    "DTSTART;VALUE=DATE:20260701\r\nDTEND;VALUE=DATE:20260715"
)


def test_an_absence_in_a_calendar_is_whose_its_title_says(plant: Any) -> None:
    assert outcomes(plant, calendar(LEAVE)) == [Outcome.NEW]
    cover = Cover.objects.get()
    assert (cover.absent, cover.kind, cover.uid) == (plant.vela, CoverKind.HOLIDAY, "leave-7@hr")
    assert cover.starts_at == datetime(2026, 7, 1, tzinfo=DETROIT)
    assert cover.ends_at == datetime(2026, 7, 15, tzinfo=DETROIT)


def test_an_event_that_moved_moves_the_cover_and_a_cancelled_one_takes_it_off(plant: Any) -> None:
    take(plant, calendar(LEAVE))
    moved = LEAVE.replace("20260715", "20260718")
    assert outcomes(plant, calendar(moved)) == [Outcome.CHANGED]
    assert Cover.objects.get().ends_at == datetime(2026, 7, 18, tzinfo=DETROIT)
    cancelled = calendar(f"{moved}\r\nSTATUS:CANCELLED")
    assert outcomes(plant, cancelled) == [Outcome.REMOVED]
    assert outcomes(plant, cancelled) == [Outcome.SAME]
    assert not Cover.objects.exists()


def test_a_note_added_here_survives_the_calendar(plant: Any) -> None:
    take(plant, calendar(LEAVE))
    Cover.objects.update(note="call her sister")
    assert outcomes(plant, calendar(LEAVE)) == [Outcome.SAME]
    assert Cover.objects.get().note == "call her sister"


def test_attendees_say_who_is_away_and_who_stands_in(plant: Any) -> None:
    event = (
        "UID:1\r\nSUMMARY:Out\r\nORGANIZER:mailto:vela@example.com\r\nATTENDEE:mailto:vela@example.com\r\n"
        f"ATTENDEE:MAILTO:{plant.ishida.email}\r\nCATEGORIES:SICK\r\n"
        "DTSTART;TZID=Europe/Lisbon:20260603T110000\r\nDURATION:PT8H"
    )
    assert outcomes(plant, calendar(event)) == [Outcome.NEW]
    cover = Cover.objects.get()
    assert (cover.absent, cover.stand_in, cover.kind) == (plant.vela, plant.ishida, CoverKind.SICK)
    assert cover.starts_at == datetime(2026, 6, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (f"{LEAVE}\r\nRRULE:FREQ=WEEKLY", "It repeats."),
        ("UID:1\r\nSUMMARY:Marcus Vela", "It has no beginning."),
        ("UID:1\r\nSUMMARY:Marcus Vela\r\nDTSTART:20260603T060000", "It has no end."),
        ("UID:1\r\nSUMMARY:x\r\nDTSTART:00010101T000000Z\r\nDTEND:99991231T235959Z", "too far away"),
        (LEAVE.replace("20260701", "00010701"), "too far away"),
        (LEAVE.replace("20260715", "22000715"), "That is more than a year."),
        ("UID:1\r\nSUMMARY:x\r\nDTSTART:20260603T060000\r\nDURATION:PT8H\r\nDURATION:PT9H", "cannot be"),
        ("UID:1\r\nSUMMARY:x\r\nDTSTART:20260603T060000\r\nDURATION:P9999999D", "cannot be"),
        (LEAVE.replace("Marcus Vela", "Somebody Else"), "Nobody here is called “Somebody Else”."),
    ],
)
def test_an_event_that_cannot_be_taken_in_says_why(plant: Any, event: str, words: str) -> None:
    ((outcome, sentence),) = take(plant, calendar(event))
    assert outcome == Outcome.WRONG and words in sentence


def test_an_hour_that_happens_twice_is_the_first_one_in_a_file_too() -> None:
    (line,) = lines_of("away,from,until\nx,2026-11-01 01:30,2026-11-01 06:00\n", tz=DETROIT)
    assert isinstance(line.said, Absence)
    assert line.said.starts_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


# --- the screen ---------------------------------------------------------------------------------------------


def upload(client: Client, text: str | bytes) -> Any:
    raw = text.encode() if isinstance(text, str) else text
    return client.post(ADDRESS, {"file": SimpleUploadedFile("roster.csv", raw)})


def next_year() -> str:
    return COVER.replace("2026", str(timezone.now().year + 1)).replace("-07-", "-03-").replace("-06-", "-02-")


def test_a_file_is_shown_first_and_taken_in_with_a_second_tap(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    page = upload(client, next_year())
    assert page.status_code == 200 and not Cover.objects.exists()
    assert "2 lines would change the roster" in page.content.decode()
    assert client.post(ADDRESS, {"content": page.context["content"]}).status_code == 302
    assert Cover.objects.count() == 2
    again = upload(client, next_year())
    assert "Take in 2 lines" not in again.content.decode() and again.context["changes"] == 0


def test_lines_that_were_left_out_are_listed_afterwards(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    page = client.post(ADDRESS, {"content": next_year() + "nobody,,2030-01-01,2030-01-02,,\n"})
    said = page.content.decode()
    assert "These lines were left out" in said and "Nobody here is called “nobody”." in said
    assert Cover.objects.count() == 2


def test_a_wrong_file_and_a_large_one_are_refused_in_words(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    assert "must name the columns" in upload(client, "a,b\n1,2\n").content.decode()
    assert upload(client, b"x" * (512 * 1024 + 1)).status_code == 400
    assert client.post(ADDRESS, {}).status_code == 400
    assert client.post(ADDRESS, {"content": "a,b\n"}).status_code == 400


def test_a_name_in_a_file_is_text_and_never_markup(plant: Any, client: Client) -> None:
    client.force_login(plant.hutchins)
    page = upload(client, "away,from,until\n<script>x</script>,2030-01-01,2030-01-02\n").content.decode()
    assert "<script>x" not in page and "&lt;script&gt;x" in page


def test_who_does_not_plan_takes_nothing_in(plant: Any, client: Client) -> None:
    client.force_login(plant.vela)
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, {"content": next_year()}).status_code == 403


def test_a_planner_touches_only_their_own_site(plant: Any) -> None:
    far = make_person("Far Away", username="far", site=make_site("DSC"))
    assert outcomes(plant, COVER.replace("vela,", "far,")) == [Outcome.WRONG, Outcome.NEW]
    assert not Cover.objects.filter(absent=far).exists()
    assert timedelta(0) < Cover.objects.get().ends_at - Cover.objects.get().starts_at
