"""Answering by the link of a message."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation.answering import SEEN, TOOK_IT, answer, open_link
from escalation.models import Notification
from incidents import lifecycle
from incidents.models import EventKind, Incident, Status
from opsdesk.errors import Missing, Refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lasting_links")]


@pytest.fixture
def incident(world, advance) -> Incident:
    found = world.raise_it("stopped")
    advance(minutes=11)
    return found


def token(world, name: str) -> str:
    return Notification.objects.filter(person=world[name]).latest("id").token


def test_opening_a_link_changes_nothing(world, incident):
    before = (
        list(Notification.objects.values()),
        list(incident.events.values()),
        Incident.objects.values().get(),
    )
    link = open_link(token(world, "vela"))
    assert (link.person, link.incident, link.can_take) == (world["vela"], incident, True)
    assert (
        list(Notification.objects.values()),
        list(incident.events.values()),
        Incident.objects.values().get(),
    ) == before


def test_who_may_take_it_takes_it(world, incident):
    link = answer(token(world, "vela"), now=world.now)
    assert (link.incident.status, link.incident.owner) == (Status.ACKNOWLEDGED, world["vela"])
    assert (link.notification.answer, link.notification.answered_at) == (TOOK_IT, world.now)
    assert link.is_mine


def test_anybody_else_says_seen_and_that_stops_nothing(world, incident):
    link = answer(token(world, "tillery"), now=world.now)
    assert (link.incident.status, link.notification.answer) == (Status.RAISED, SEEN)
    seen = incident.events.get(kind=EventKind.SEEN)
    assert (seen.by, seen.version) == (world["tillery"], incident.version)


def test_one_managers_answer_is_not_the_others(world, incident):
    answer(token(world, "tillery"), now=world.now)
    assert Notification.objects.filter(person=world["prewitt"], answered_at=None).exists()


def test_pressing_twice_is_harmless(world, incident):
    for _unused in range(2):
        answer(token(world, "vela"), now=world.now)
    answer(token(world, "tillery"), now=world.now)
    answer(token(world, "tillery"), now=world.now + timedelta(minutes=1))
    assert incident.events.filter(kind=EventKind.ACKNOWLEDGED).count() == 1
    assert incident.events.filter(kind=EventKind.SEEN).count() == 1


def test_when_somebody_has_it_the_next_one_says_seen(world, incident):
    answer(token(world, "vela"), now=world.now)
    link = answer(token(world, "kowal"), now=world.now)
    assert link.incident.owner == world["vela"]
    assert link.notification.answer == SEEN


def test_who_is_asked_to_take_it_takes_it_by_the_link(world, advance, incident):
    answer(token(world, "vela"), now=world.now)
    lifecycle.assign(incident.number, by=world["brandt"], to=world["ishida"], now=world.now)
    advance(minutes=0)
    assert answer(token(world, "ishida"), now=world.now).incident.owner == world["ishida"]


def test_a_button_that_said_seen_takes_nothing_even_if_its_reader_was_asked_since(world, incident, client):
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    link = token(world, "brandt")
    drawn = client.get(f"/a/{link}/").context
    assert drawn["offer"] == "seen"
    lifecycle.assign(incident.number, by=world["hutchins"], to=world["brandt"], now=world.now)
    assert client.post(f"/a/{link}/", {"nonce": drawn["nonce"]}).status_code == 302
    after = open_link(link)
    assert (after.incident.owner, after.notification.answer) == (world["vela"], SEEN)
    assert after.can_take
    client.post(f"/a/{link}/", {"nonce": client.get(f"/a/{link}/").context["nonce"]})
    assert open_link(link).incident.owner == world["brandt"]


@pytest.mark.parametrize("wrong", ["", "nope", "AAAAAAAAAA", "K7Q2M' OR 1=1", "x" * 400, "é"])
def test_an_unknown_link_is_not_there(world, incident, wrong):
    with pytest.raises(Missing):
        open_link(wrong)
    with pytest.raises(Missing):
        answer(wrong)


def test_a_link_may_be_typed_in_small_letters(world, incident):
    assert open_link(token(world, "vela").lower()).person == world["vela"]


def test_the_link_of_somebody_who_left_is_not_there(world, incident):
    found = token(world, "vela")
    world["vela"].is_active = False
    world["vela"].save()
    with pytest.raises(Missing):
        open_link(found)


def test_once_it_is_closed_the_link_still_reads_but_answers_no_more(world, advance):
    small = world.raise_it("none")
    advance(hours=9)
    lifecycle.acknowledge(small.number, by=world["vela"], now=world.now)
    lifecycle.close(small.number, by=world["vela"], cause="Jam", agreed_by=world["jimenez"], now=world.now)
    found = token(world, "brandt")
    assert open_link(found).is_over
    with pytest.raises(Refused) as refused:
        answer(found)
    assert refused.value.code == "closed"


def test_answering_the_newest_answers_the_earlier_ones_too(world, advance, incident):
    advance(minutes=15)
    answer(token(world, "tillery"), now=world.now)
    assert not Notification.objects.filter(person=world["tillery"], answered_at=None).exists()
