"""`close 1042` by text or mail: the same verb as the button, and the refusal says what is missing."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from escalation.gsm7 import SEGMENT, septets, to_gsm7
from escalation.inbound.sms import take_sms
from escalation.models import Did
from incidents.lifecycle.closing import lacks
from incidents.models import EventKind, Impact, Status
from plant.models import Role
from tests.factories import NOW, Floor, fresh, place_fix, plan_fix, prove, reach

pytestmark = pytest.mark.django_db


def text(person, words, now=NOW):
    reference = f"close-{person.pk}-{words}"
    return take_sms(sender=person.mobile, text=words, reference=reference, provider="test", now=now)


@pytest.mark.parametrize("word", ["close", "cerrar"])
def test_it_closes_what_is_proved(floor: Floor, word: str) -> None:
    incident = reach(floor, Status.RESOLVED)
    heard = text(floor.supervisor, f"{word} {incident.number}", now=prove(floor, incident))
    assert (heard.did, fresh(incident).status) == (Did.CLOSED_IT, Status.CLOSED)
    assert heard.reply.startswith(f"Thanks {floor.supervisor.get_short_name()}, {incident.code} is closed.")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_refusal_lists_everything_that_is_missing_in_one_segment(floor: Floor, language: str) -> None:
    incident = reach(floor, Status.CONTAINED)
    floor.tech.language = language
    floor.tech.save()
    heard = text(floor.tech, f"close {incident.number}")
    assert (heard.did, fresh(incident).status) == (Did.REFUSED, Status.CONTAINED)
    assert septets(heard.reply) <= SEGMENT
    with override(language):
        missing = lacks(fresh(incident), by=floor.tech)
    assert len(missing) == 6
    said = heard.reply.split(":", 1)[1]
    assert [one.short for one in missing if to_gsm7(one.short) not in said] == []


@pytest.mark.parametrize(("language", "proofs"), [("en", "proof (6)"), ("es", "prueba (6)")])
def test_like_things_are_counted_where_their_names_have_no_room(
    floor: Floor, language: str, proofs: str
) -> None:
    incident = reach(floor, Status.CONTAINED)
    for n in range(6):
        fix = plan_fix(floor, incident)
        type(fix).objects.filter(pk=fix.pk).update(what=f"Number {n} of those with a very long name")
    floor.tech.language = language
    floor.tech.save()
    heard = text(floor.tech, f"close {incident.number}")
    assert septets(heard.reply) <= SEGMENT
    assert proofs in heard.reply
    assert len(lacks(fresh(incident), by=floor.tech)) == 11


def test_what_is_done_since_is_not_missing_any_more(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    assert "a lasting fix" in text(floor.tech, f"close {incident.number}").reply
    place_fix(floor, incident)
    assert "a lasting fix" not in text(floor.tech, f"please close {incident.number}").reply


def test_a_small_thing_closes_with_its_cause_and_who_texts_agrees(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED, Impact.WORKAROUND)
    hint = f"Or: close {incident.number} and its cause."
    assert hint in text(floor.supervisor, f"close {incident.number}").reply
    heard = text(floor.supervisor, f"close {incident.number} The cable was loose")
    closed = fresh(incident)
    assert (heard.did, closed.status) == (Did.CLOSED_IT, Status.CLOSED)
    assert (closed.closed_cause, closed.closed_agreed_by) == ("The cable was loose", floor.supervisor)


def test_its_owner_does_not_agree_with_themselves(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED, Impact.WORKAROUND)
    heard = text(floor.tech, f"close {incident.number} The cable was loose")
    assert (heard.did, fresh(incident).status) == (Did.REFUSED, Status.CONTAINED)
    assert "It cannot be the owner." in heard.reply


def test_words_with_a_refusal_leave_nothing_behind(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    before = incident.events.count()
    assert text(floor.tech, f"close {incident.number} all is well").did == Did.REFUSED
    assert incident.events.count() == before


def test_who_may_not_close_is_refused_in_words(floor: Floor) -> None:
    incident = reach(floor, Status.RESOLVED)
    heard = text(floor.who(Role.SUPPORT), f"close {incident.number}")
    assert (heard.did, heard.reply) == (Did.REFUSED, "Your role cannot close this.")


def test_what_is_closed_already_says_by_whom(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    heard = text(floor.supervisor, f"close {incident.number}")
    assert heard.did == Did.CLOSED
    assert heard.reply.startswith(f"{incident.code} is closed.")
    assert incident.events.filter(kind=EventKind.CLOSED).count() == 1


def test_several_or_none_are_asked_about(floor: Floor) -> None:
    first, second = reach(floor, Status.CONTAINED), reach(floor, Status.CONTAINED)
    for words in (f"close {first.number} {second.number}", "close", "close all"):
        heard = text(floor.supervisor, words)
        assert (heard.did, fresh(first).status) == (Did.WHICH, Status.CONTAINED)
        assert heard.reply.startswith("Which one? Text close and its number, like: close ")
