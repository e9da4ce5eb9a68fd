"""The five whys: a chain that leads to both causes, and never ends at a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from countermeasures import lifecycle as fixes
from countermeasures.models import Cause
from incidents.models import EventKind, Incident, Status
from opsdesk.errors import NotAllowed
from tests.api.calls import get, post
from tests.factories import NOW, Floor, fresh, reach
from tests.screens.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(floor: Floor) -> Incident:
    return reach(floor, Status.CONTAINED)


@pytest.fixture
def tech(client: Client, floor: Floor) -> Client:
    client.force_login(floor.tech)
    return client


def write(client: Client, incident: Incident, **said: str) -> Any:
    said = {"root_cause": "No torque limit", "seen_version": str(fresh(incident).version), **said}
    return client.post(f"/incidents/{incident.number}/cause/", said)


def test_the_chain_is_kept_in_its_order_and_comes_back(tech: Client, incident: Incident) -> None:
    write(
        tech, incident, why_1="Blank labels", why_2="", why_3="The driver changed", why_4="It updates itself"
    )
    assert Cause.objects.get().five_whys == ["Blank labels", "The driver changed", "It updates itself"]
    page = tech.get(f"/incidents/{incident.number}/cause/").content.decode()
    assert [page.index(why) for why in Cause.objects.get().five_whys] == sorted(
        page.index(why) for why in Cause.objects.get().five_whys
    )


def test_every_question_is_there_without_a_script(tech: Client, incident: Incident) -> None:
    said = words(tech.get(f"/incidents/{incident.number}/cause/"))
    for question in (
        "Why did it happen?",
        "And why was that?",
        "Is a person the cause?",
        "What made it easy to get wrong?",
        "What would have stopped it?",
        "Why it happened",
        "Why nothing caught it",
        "Found before",
    ):
        assert question in said


def test_a_person_as_the_cause_needs_the_systems_part(tech: Client, incident: Incident) -> None:
    answer = write(tech, incident, is_person="yes", why_1="Scanned the wrong card")
    assert answer.status_code == 400
    assert "When a person is the cause, say what made it easy to get wrong." in words(answer)
    assert "Scanned the wrong card" in answer.content.decode()  # what was typed is kept
    assert not Cause.objects.exists()
    write(tech, incident, is_person="yes", made_easy="Both cards look alike", would_stop="A colour")
    cause = Cause.objects.get()
    assert (cause.is_person, cause.made_easy, cause.would_stop) == (
        True,
        "Both cards look alike",
        "A colour",
    )
    assert "Both cards look alike" in words(tech.get(incident.get_absolute_url()))


@pytest.mark.parametrize(
    "cause", ["The operator forgot to scan", "Human error", "El operador olvidó escanear", "Not trained"]
)
def test_what_sounds_like_a_person_is_asked_about_and_no_is_an_answer(
    tech: Client, incident: Incident, cause: str
) -> None:
    answer = write(tech, incident, root_cause=cause)
    assert answer.status_code == 400
    assert "This sounds like a person. Then ask for the system’s part in it." in words(answer)
    assert write(tech, incident, root_cause=cause, is_person="no").status_code == 302


def test_the_database_keeps_that_rule_too(floor: Floor, incident: Incident) -> None:
    with pytest.raises(IntegrityError, match="a_person_is_never_the_whole_cause"):
        Cause.objects.create(incident=incident, root_cause="She did it", is_person=True)


def test_a_later_word_does_not_take_the_systems_part_away(floor: Floor, incident: Incident) -> None:
    fixes.write_cause(
        incident.number,
        by=floor.tech,
        root_cause="Wrong card",
        escape_cause="",
        is_person=True,
        made_easy="They look alike",
        now=NOW,
    )
    fixes.write_cause(incident.number, by=floor.tech, root_cause="", escape_cause="No check", now=NOW)
    cause = Cause.objects.get()
    assert (cause.root_cause, cause.made_easy, cause.escape_cause) == (
        "Wrong card",
        "They look alike",
        "No check",
    )
    changed = incident.events.filter(kind=EventKind.CAUSE).latest("pk").data["changed"]
    assert changed == {"escape_cause": ["", "No check"]}


def test_programs_write_the_same_and_are_refused_the_same(floor: Floor, incident: Incident) -> None:
    where = f"incidents/{incident.number}/cause/"
    said = {"root_cause": "Wrong card", "is_person": True, "five_whys": ["Wrong part", "Wrong card"]}
    refused = post(floor.tech, where, said)
    assert (refused.status_code, refused.json()["code"]) == (400, "no_system_part")
    assert post(floor.tech, where, {**said, "made_easy": "They look alike"}).status_code == 200
    read = get(floor.tech, where).json()
    assert (read["is_person"], read["made_easy"], read["five_whys"]) == (
        True,
        "They look alike",
        ["Wrong part", "Wrong card"],
    )


def test_whoever_may_not_plan_cannot_write_causes(floor: Floor, incident: Incident) -> None:
    with pytest.raises(NotAllowed, match="role"):
        fixes.write_cause(incident.number, by=floor.operator, root_cause="x", escape_cause="", now=NOW)
