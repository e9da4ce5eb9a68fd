"""One incident, told plainly to managers, to the floor and to technicians."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils.translation import override

from incidents import lifecycle, readings
from incidents.models import Impact, Incident, Status
from plant.models import Role
from tests.factories import (
    NOW,
    Floor,
    make_category,
    make_floor,
    make_line,
    make_station,
    make_system,
    raise_,
    reach,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def floor() -> Floor:
    return make_floor()


def news(incident: Incident, floor: Floor, *, minutes: int = 10, **words: Any) -> Incident:
    words = {
        "conditions": "labels will not print",
        "actions": "moving the queue",
        "needs": "No needs",
        **words,
    }
    return lifecycle.post_update(
        incident.number, by=floor.tech, now=NOW + timedelta(minutes=minutes), **words
    )


# --- problem, doing, progress -------------------------------------------------------------------------------


def test_a_new_problem_is_told_in_the_words_of_who_raised_it(floor: Floor) -> None:
    reading = readings.read(raise_(floor, words="no labels come out\nsince the break"), now=NOW)
    assert reading.problem == "No labels come out since the break."
    assert reading.doing == "Nobody has it yet."
    assert reading.progress == "None yet."


def test_without_words_the_place_and_the_category_tell_it(floor: Floor) -> None:
    incident = raise_(floor, words="")
    assert readings.problem(incident) == f"Door Panel Line D1 is stopped. {floor.category.name}."


def test_who_was_asked_is_named_until_they_answer(floor: Floor) -> None:
    incident = raise_(floor)
    lifecycle.assign(incident.number, by=floor.who(Role.IT_LEAD), to=floor.tech, now=NOW)
    said = readings.doing(Incident.objects.numbered(incident.number))
    assert said == f"Nobody has it yet. {floor.tech} was asked to take it."


def test_whoever_took_it_is_named_with_the_plants_time_and_the_next_word(floor: Floor) -> None:
    reading = readings.read(reach(floor, Status.ACKNOWLEDGED), now=NOW)
    assert reading.doing == f"{floor.tech} has it since 09:00."
    assert reading.progress == "None yet. Next word by 09:30."


def test_arriving_is_said(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    incident = lifecycle.arrive(incident.number, by=floor.tech, now=LATER)
    assert readings.doing(incident, now=LATER) == f"{floor.tech} has it and has been there since 09:10."


def test_the_last_word_answers_all_three(floor: Floor) -> None:
    incident = news(reach(floor, Status.ACKNOWLEDGED), floor, needs="hold the 11:40 shuttle")
    reading = readings.read(incident, now=LATER)
    assert reading.problem == "Labels will not print."
    assert reading.doing == "Moving the queue."
    assert reading.progress == (
        f"Last word 09:10 from {floor.tech}. Needed: Hold the 11:40 shuttle. Next word by 09:40."
    )


@pytest.mark.parametrize("nothing", ["No needs", "no needs.", "None", "-", "Nada", "ninguna", "N/A"])
def test_needing_nothing_is_an_answer_and_is_not_repeated(floor: Floor, nothing: str) -> None:
    incident = news(reach(floor, Status.ACKNOWLEDGED), floor, needs=nothing)
    assert "Needed" not in readings.progress(incident, now=LATER)


def test_a_late_word_says_when_it_was_due(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    late = NOW + timedelta(minutes=45)
    assert readings.progress(incident, now=late) == "None yet. The next word was due 09:30."


def test_once_product_moves_old_words_about_the_stop_are_gone(floor: Floor) -> None:
    incident = news(reach(floor, Status.ACKNOWLEDGED), floor, conditions="Line stopped 30 min")
    incident = lifecycle.contain(
        incident.number, by=floor.tech, what="spare printer", now=NOW + timedelta(minutes=20)
    )
    reading = readings.read(incident, now=NOW + timedelta(minutes=30))
    assert "stopped" not in reading.problem
    assert reading.doing == "For now: Spare printer."
    assert reading.progress == "Product is moving since 09:20. It stays open until the fix is proved."


def test_what_came_back_does_not_repeat_the_words_from_before(floor: Floor) -> None:
    incident = news(reach(floor, Status.ACKNOWLEDGED), floor, actions="Swapping the box")
    lifecycle.contain(incident.number, by=floor.tech, what="Spare printer", now=NOW + timedelta(minutes=20))
    again = NOW + timedelta(hours=2)
    incident = lifecycle.reopen(incident.number, by=floor.supervisor, reason="Blank again", now=again)
    reading = readings.read(incident, now=again)
    assert "Swapping" not in reading.doing
    assert reading.progress.startswith("It came back 11:00.")


def test_waiting_and_pausing_are_said_with_their_name_and_end(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK)
    promised = NOW + timedelta(hours=3)
    lifecycle.wait_on(incident.number, by=floor.tech, on="vendor", name="Inkmarrow", until=promised, now=NOW)
    incident = lifecycle.shelve(
        incident.number, by=floor.manager, until=NOW + timedelta(hours=2), reason="parts are in", now=NOW
    )
    said = readings.progress(incident, now=LATER)
    assert "Waits on Inkmarrow until 12:00." in said
    assert f"Alerts are paused by {floor.manager} until 11:00: Parts are in." in said


def test_a_closed_incident_says_how_it_ended(floor: Floor) -> None:
    proved = reach(floor, Status.CLOSED)
    assert readings.progress(proved).endswith("The fix is proved.")
    small = reach(floor, Status.ACKNOWLEDGED, Impact.NONE)
    small = lifecycle.close(
        small.number, by=floor.tech, cause="loose cable", agreed_by=floor.supervisor, now=LATER
    )
    assert readings.progress(small, now=LATER) == "Closed 09:10. Cause: Loose cable."
    mistake = raise_(floor)
    mistake = lifecycle.take_back(mistake.number, by=floor.operator, now=LATER)
    assert readings.progress(mistake, now=LATER) == "Closed 09:10. It was raised by mistake and taken back."
    moving = reach(floor, Status.CONTAINED)
    moving = lifecycle.accept_no_fix(
        moving.number, by=floor.manager, reason="line goes in May", review_on=date(2026, 6, 1), now=LATER
    )
    assert "There is no permanent fix: Line goes in May." in readings.progress(moving, now=LATER)


# --- the floor and the technician ---------------------------------------------------------------------------


def test_safety_tells_the_floor_to_stay_clear(floor: Floor) -> None:
    assert readings.floor(raise_(floor, Impact.SAFETY), now=NOW).startswith(
        "Work is stopped here. Stay clear"
    )


def test_the_floor_hears_the_standing_workaround_of_the_system(floor: Floor) -> None:
    labels = make_system(workaround="Pre-printed label book, max 2 h")
    incident = raise_(floor, system=labels, station=floor.station)
    assert readings.floor(incident, now=NOW) == "Until it works: Pre-printed label book, max 2 h."


def test_the_floor_hears_the_bandage_once_there_is_one(floor: Floor) -> None:
    assert readings.floor(reach(floor, Status.CONTAINED), now=LATER) == "For now: Spare printer."


@pytest.mark.parametrize("impact", Impact.values)
@pytest.mark.parametrize("status", [s for s in Status.values if s != Status.CLOSED])
def test_technical_detail_is_in_its_own_reading_and_in_no_other(
    floor: Floor, impact: str, status: str
) -> None:
    incident = reach(floor, Status(status), Impact(impact), technical="VLAN 140")
    if incident.owner_id:
        incident = news(incident, floor, minutes=30, technical="port 9100")
    reading = readings.read(incident, now=NOW + timedelta(minutes=40))
    told = " ".join([reading.headline, reading.problem, reading.doing, reading.progress, reading.floor])
    assert "VLAN" not in told
    assert "9100" not in told
    assert reading.technical.endswith("VLAN 140")


# --- headlines and titles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("impact", "headline"),
    [
        (Impact.SAFETY, "Someone could get hurt at Door Panel Line D1"),
        (Impact.STOPPED, "Door Panel Line D1 is stopped"),
        (Impact.AT_RISK, "Door Panel Line D1 is at risk"),
        (Impact.WORKAROUND, "Door Panel Line D1 runs on a workaround"),
        (Impact.NONE, "Door Panel Line D1 has a small problem"),
    ],
)
def test_a_headline_is_a_sentence_about_the_place(floor: Floor, impact: Impact, headline: str) -> None:
    assert readings.headline(raise_(floor, impact)) == headline


def test_a_headline_follows_the_status(floor: Floor) -> None:
    assert readings.headline(reach(floor, Status.CONTAINED)) == "Door Panel Line D1: product is moving"
    assert readings.headline(reach(floor, Status.CLOSED)) == "Door Panel Line D1: closed"


def test_a_headline_without_a_place_names_the_system(floor: Floor) -> None:
    incident = raise_(floor, system=make_system(plain_name="ship notices", site=floor.site))
    assert readings.headline(incident) == "Line down: ship notices"


def test_who_gave_no_title_gets_one_of_category_and_place(floor: Floor) -> None:
    incident = raise_(floor, title="")
    assert incident.title == f"{floor.category.name}: Label & pack"


def test_a_default_title_is_never_longer_than_an_sms_has_room_for(floor: Floor) -> None:
    station = make_station(
        "ASM-I1-010",
        line=make_line(area=floor.area),
        name="Sequence broadcast & build sheet, second rack row",
    )
    category = make_category("edi", name="EDI / ship notice / build order")
    incident = raise_(floor, station=station, category=category, title="")
    assert len(incident.title) <= 60
    assert incident.title == "EDI / ship notice / build order: ASM-I1-010"


def test_a_default_title_gives_way_to_the_first_sentence_of_the_words(floor: Floor) -> None:
    with override("es"):
        incident = raise_(floor, title="", words="No labels come out. Since the break.")
    assert readings.what(incident) == "No labels come out"
    assert readings.what(raise_(floor, title="Rack labels", words="No labels")) == "Rack labels"


# --- many at once -------------------------------------------------------------------------------------------


def test_reading_many_incidents_takes_the_same_queries_as_reading_two(
    floor: Floor, django_assert_num_queries: Any
) -> None:
    for turn in range(5):
        incident = reach(floor, Status.CONTAINED if turn % 2 else Status.ACKNOWLEDGED)
        news(incident, floor, minutes=turn + 1)
    for many in (2, 5):
        with django_assert_num_queries(3):
            found = list(Incident.objects.with_place().order_by("number")[:many])
            readings.attach(found)
            assert all(readings.read(incident, now=LATER).problem for incident in found)
