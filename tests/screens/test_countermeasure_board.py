"""The board: what is to be agreed, promised, being proved and proven, and what one tap does there."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures import lifecycle as fixes
from countermeasures.board import SHOWN, Asked, Board, board
from countermeasures.models import Countermeasure, Kind, Stage
from incidents import lifecycle
from incidents.models import Impact, Incident, Status
from plant.models import Person, Role
from tests.factories import (
    NOW,
    Floor,
    fresh,
    make_area,
    make_floor,
    make_line,
    make_station,
    place_fix,
    plan_fix,
    raise_,
    reach,
)
from tests.screens.reading import labels, poll, words

pytestmark = pytest.mark.django_db

TODAY = NOW.date()


def seen(floor: Floor, *, by: Person | None = None, now: datetime = NOW, **asked: Any) -> Board:
    return board(Asked(**asked), site=floor.site, person=by or floor.manager, now=now)


def columns(found: Board) -> dict[str, list[str]]:
    return {column.name: [one.what for one in column.found] for column in found.columns}


def add(floor: Floor, incident: Incident, what: str, **asked: Any) -> Countermeasure:
    asked = {"kind": Kind.PERMANENT, "strength": "prevent", "now": NOW, **asked}
    return fixes.add(incident.number, by=floor.tech, what=what, **asked)


@pytest.fixture
def incident(floor: Floor) -> Incident:
    return reach(floor, Status.CONTAINED)


@pytest.fixture
def client_of_manager(client: Client, floor: Floor) -> Client:
    client.force_login(floor.manager)
    return client


# -- which column, which order


def test_each_stands_where_its_work_is(floor: Floor, incident: Incident) -> None:
    add(floor, incident, "No owner yet")
    add(floor, incident, "Promised", owner=floor.tech, due_on=TODAY)
    place_fix(floor, incident)
    found = columns(seen(floor))
    assert found["agree"] == ["No owner yet"]
    assert found["promised"] == ["Promised"]
    assert set(found["proving"]) == {"Spare printer", "Pin the driver of the print server"}
    assert found["proven"] == []


def test_what_did_not_hold_is_promised_again(floor: Floor, incident: Incident) -> None:
    failed = place_fix(floor, incident)
    fixes.check(failed.pk, by=floor.supervisor, effective=False, measured="Twice", now=NOW)
    assert columns(seen(floor))["promised"] == [failed.what]
    assert seen(floor).counts["back"] == 2  # it, and the bandage of the incident that came back


def test_what_did_not_hold_leaves_when_something_else_is_agreed_on(floor: Floor, incident: Incident) -> None:
    failed = place_fix(floor, incident)
    fixes.check(failed.pk, by=floor.supervisor, effective=False, measured="Twice", now=NOW)
    add(floor, incident, "Another way", owner=floor.tech, due_on=TODAY)
    assert columns(seen(floor))["promised"] == ["Another way"]
    assert seen(floor).came_back == 1


def test_what_is_late_comes_first(floor: Floor, incident: Incident) -> None:
    for what, days in (("Next week", 7), ("Late", -3), ("Tomorrow", 1)):
        add(floor, incident, what, owner=floor.tech, due_on=TODAY + timedelta(days=days))
    assert columns(seen(floor))["promised"] == ["Late", "Tomorrow", "Next week"]


def test_what_ends_first_is_proved_first(floor: Floor, incident: Incident) -> None:
    place_fix(floor, incident)  # 30 days; the bandage ends after seven
    assert columns(seen(floor))["proving"] == ["Spare printer", "Pin the driver of the print server"]


def test_what_was_proven_stays_for_two_weeks(floor: Floor, incident: Incident) -> None:
    found = place_fix(floor, incident)
    done = NOW + timedelta(days=31)
    fixes.check(found.pk, by=floor.supervisor, effective=True, measured="None", now=done)
    assert columns(seen(floor, now=done + timedelta(days=13)))["proven"] == [found.what]
    assert columns(seen(floor, now=done + timedelta(days=15)))["proven"] == []


def test_what_is_off_given_up_or_closed_is_gone(floor: Floor, incident: Incident) -> None:
    fixes.take_off(incident.countermeasures.get().pk, by=floor.tech, now=NOW)
    fixes.withdraw(add(floor, incident, "Too dear").pk, by=floor.tech, reason="No budget", now=NOW)
    small = reach(floor, Status.ACKNOWLEDGED, impact=Impact.NONE)
    add(floor, small, "Would be nice")
    lifecycle.close(small.number, by=floor.tech, cause="Dust", agreed_by=floor.supervisor, now=NOW)
    assert not any(columns(seen(floor)).values())


def test_another_site_is_another_board(floor: Floor, incident: Incident) -> None:
    other = make_floor(code="TWO")
    assert not any(columns(board(Asked(), site=other.site, person=floor.manager, now=NOW)).values())


# -- filters


def test_late_is_a_day_that_passed_or_a_bandage_that_should_be_off(floor: Floor, incident: Incident) -> None:
    add(floor, incident, "Slipped", owner=floor.tech, due_on=TODAY - timedelta(days=1))
    add(floor, incident, "Due today", owner=floor.tech, due_on=TODAY)
    place_fix(floor, incident)
    late = seen(floor, show="late")
    assert columns(late) == {"agree": [], "promised": ["Slipped"], "proving": [], "proven": []}
    assert [column.count for column in late.columns] == [0, 1, 0, 0]
    in_eight_days = seen(floor, show="late", now=NOW + timedelta(days=8))
    assert columns(in_eight_days)["proving"] == ["Spare printer"]


def test_the_day_is_that_of_the_plant(floor: Floor, incident: Incident) -> None:
    """Half past two at night in London is still the evening before in Detroit."""
    add(floor, incident, "Due on the second", owner=floor.tech, due_on=date(2026, 3, 2))
    assert seen(floor, now=datetime(2026, 3, 3, 2, 30, tzinfo=NOW.tzinfo)).counts["late"] == 0
    assert seen(floor, now=datetime(2026, 3, 3, 5, 30, tzinfo=NOW.tzinfo)).counts["late"] == 1


def test_this_week_and_ending_soon(floor: Floor, incident: Incident) -> None:
    for days in (0, 7, 8):
        add(floor, incident, f"In {days}", owner=floor.tech, due_on=TODAY + timedelta(days=days))
    assert columns(seen(floor, show="week"))["promised"] == ["In 0", "In 7"]
    assert seen(floor).counts["ending"] == 0
    assert seen(floor, now=NOW + timedelta(days=4)).counts["ending"] == 1


def test_mine_is_what_i_do_or_check(floor: Floor, incident: Incident) -> None:
    add(floor, incident, "Somebody else's", owner=floor.who(Role.IT_LEAD), due_on=TODAY)
    place_fix(floor, incident)
    assert columns(seen(floor, by=floor.supervisor, mine=True))["proving"] == [
        "Pin the driver of the print server"
    ]
    assert seen(floor, by=floor.supervisor, mine=True).counts["open"] == 1


def test_by_area_and_by_purpose(floor: Floor, incident: Incident) -> None:
    area = make_area(site=floor.site, code="PNT", name="Paint")
    there = raise_(floor, station=make_station(line=make_line(area=area)))
    add(floor, there, "In paint", kind=Kind.PREVENTIVE)
    assert columns(seen(floor, area="PNT"))["agree"] == ["In paint"]
    assert columns(seen(floor, area="PNT"))["proving"] == []
    assert columns(seen(floor, kind="containment"))["proving"] == ["Spare printer"]
    assert columns(seen(floor, kind="containment"))["agree"] == []


def test_an_old_or_broken_address_shows_the_board(client_of_manager: Client, incident: Incident) -> None:
    answer = client_of_manager.get("/countermeasures/?show=x&kind=y&area=%22&column=z&who=w&site=NOPE")
    assert answer.status_code == 200


# -- what it says


def test_it_says_on_top_what_slipped_and_what_came_back(
    client_of_manager: Client, floor: Floor, incident: Incident
) -> None:
    yesterday = timezone.now().date() - timedelta(days=2)
    add(floor, incident, "One", owner=floor.tech, due_on=yesterday)
    add(floor, incident, "Two", owner=floor.tech, due_on=yesterday)
    fixes.check(
        place_fix(floor, incident).pk, by=floor.supervisor, effective=False, measured="Twice", now=NOW
    )
    said = words(client_of_manager.get("/countermeasures/"))
    assert "Three dates have slipped." in said  # the bandage should have been off long ago, too
    assert "One problem came back." in said


def test_a_moved_day_shows_what_it_was(client_of_manager: Client, floor: Floor, incident: Incident) -> None:
    found = add(floor, incident, "Gateway", owner=floor.tech, due_on=date(2031, 10, 3))
    for day in (7, 11):
        fixes.start(found.pk, by=floor.tech, due_on=date(2031, 10, day), reason="No part", now=NOW)
    card = re.search(
        r'<li class="card">(?:(?!</li>).)*Gateway.*?</li>',
        client_of_manager.get("/countermeasures/").content.decode(),
        re.S,
    )
    assert card
    assert "<s>3 Oct</s> <s>7 Oct</s>" in card[0]
    assert "Sat 11 Oct 2031" in card[0]


def test_a_card_offers_to_plan_the_check_first_and_then_that_it_is_in(
    client_of_manager: Client, floor: Floor, incident: Incident
) -> None:
    add(floor, incident, "Not planned yet")
    said = client_of_manager.get("/countermeasures/").content.decode()
    assert "Plan the check" in said and "It is in place" not in said
    plan_fix(floor, incident)
    said = client_of_manager.get("/countermeasures/?kind=permanent").content.decode()
    assert said.count("Plan the check") == said.count("It is in place") == 1


def test_a_bandage_says_for_how_long_it_is_worn(client: Client, floor: Floor) -> None:
    incident = raise_(floor, now=timezone.now() - timedelta(days=3, hours=1))
    lifecycle.acknowledge(incident.number, by=floor.tech)
    then = timezone.now() - timedelta(days=3)
    lifecycle.contain(incident.number, by=floor.tech, what="Paper", now=then)
    client.force_login(floor.manager)
    assert "A bandage, on for 3 days. 4 days left." in words(client.get("/countermeasures/"))


def test_what_came_again_says_how_often_on_its_card_and_its_page(
    client_of_manager: Client, floor: Floor, incident: Incident
) -> None:
    found = add(floor, incident, "Gateway")
    assert "time in 30 days" not in words(client_of_manager.get("/countermeasures/"))
    Incident.objects.filter(pk=incident.pk).update(times_in_30_days=3)
    assert "Third time in 30 days" in words(client_of_manager.get("/countermeasures/"))
    assert "third time in 30 days" in words(client_of_manager.get(found.get_absolute_url()))


def test_an_empty_board_says_so_and_offers_what_to_do(client_of_manager: Client) -> None:
    said = words(client_of_manager.get("/countermeasures/"))
    assert "No countermeasure is open" in said
    assert "What was closed lately" in said
    assert "Nothing fits" in words(client_of_manager.get("/countermeasures/?show=late"))


def test_more_than_fit_are_one_tap_away(client_of_manager: Client, floor: Floor, incident: Incident) -> None:
    for n in range(SHOWN + 3):
        add(floor, incident, f"Idea {n}")
    page = client_of_manager.get("/countermeasures/")
    assert "3 more" in words(page)
    assert words(client_of_manager.get("/countermeasures/?column=agree")).count("Idea ") == SHOWN + 3


# -- what one tap does


def test_taking_a_bandage_off_is_one_tap_from_the_board(
    client: Client, floor: Floor, incident: Incident
) -> None:
    client.force_login(floor.tech)
    found = incident.countermeasures.get()
    page = client.get("/countermeasures/").content.decode()
    assert f'action="/countermeasures/{found.pk}/take-off/"' in page
    answer = client.post(
        f"/countermeasures/{found.pk}/take-off/",
        {"seen_version": fresh(incident).version, "next": "/countermeasures/?show=ending"},
    )
    assert answer.headers["Location"] == "/countermeasures/?show=ending"
    assert Countermeasure.objects.get(pk=found.pk).removed_at is not None


def test_whoever_may_only_look_sees_no_move(client: Client, floor: Floor, incident: Incident) -> None:
    plan_fix(floor, incident)
    client.force_login(floor.operator)
    page = client.get("/countermeasures/")
    assert 'class="moves"' not in page.content.decode()
    assert "Add one" not in labels(page)


def test_adding_one_asks_for_which_problem(client: Client, floor: Floor, incident: Incident) -> None:
    client.force_login(floor.tech)
    page = client.get("/countermeasures/add/").content.decode()
    address = f"/incidents/{incident.number}/countermeasures/add/?next=/countermeasures/"
    assert address in page
    assert client.get(address).status_code == 200


def test_an_unchanged_board_is_answered_undrawn_and_a_change_shows(
    client_of_manager: Client, floor: Floor, incident: Incident
) -> None:
    tag = poll(client_of_manager, "/countermeasures/", "countermeasures")["ETag"]
    answers = [poll(client_of_manager, "/countermeasures/", "countermeasures", tag) for _twice in range(2)]
    if answers[0].status_code != 304:  # a minute ended in between
        tag = answers[0]["ETag"]
    assert poll(client_of_manager, "/countermeasures/", "countermeasures", tag).status_code == 304
    add(floor, incident, "Something new")
    answer = poll(client_of_manager, "/countermeasures/", "countermeasures", tag)
    assert answer.status_code == 200
    assert "Something new" in words(answer)


def test_the_number_of_queries_does_not_grow(
    client_of_manager: Client, floor: Floor, django_assert_max_num_queries: Any
) -> None:
    for _thrice in range(3):
        one = reach(floor, Status.CONTAINED)
        add(floor, one, "To agree")
        found = add(floor, one, "Promised", owner=floor.tech, due_on=TODAY)
        fixes.start(found.pk, by=floor.tech, due_on=TODAY + timedelta(days=3), reason="No part", now=NOW)
        place_fix(floor, one)
    assert Countermeasure.objects.filter(stage=Stage.IN_WORK).count() == 3
    with django_assert_max_num_queries(22):
        assert client_of_manager.get("/countermeasures/").status_code == 200
