from __future__ import annotations

import pytest

from incidents import lifecycle
from incidents.models import EventKind, Status
from opsdesk.errors import Invalid
from tests.factories import Floor, fresh, raise_, reach


def test_everybodys_words_are_kept_on_the_timeline(floor: Floor) -> None:
    incident = raise_(floor, words="No labels")
    lifecycle.add_words(incident.number, by=floor.supervisor, words="The other line is fine")
    assert fresh(incident).words == "No labels"
    assert [e.words for e in incident.events.filter(kind=EventKind.WORDS_ADDED)] == ["The other line is fine"]


def test_the_first_words_become_the_words_of_who_raised_it(floor: Floor) -> None:
    incident = raise_(floor, words="")
    assert lifecycle.add_words(incident.number, by=floor.operator, words=" It smokes ").words == "It smokes"


def test_later_words_do_not_pretend_to_be_the_first(floor: Floor) -> None:
    incident = raise_(floor, words="")
    lifecycle.acknowledge(incident.number, by=floor.tech)
    assert lifecycle.add_words(incident.number, by=floor.supervisor, words="Still").words == ""


def test_technical_detail_is_added_and_never_replaced(floor: Floor) -> None:
    incident = raise_(floor, technical="Spooler 0x0000011b")
    added = lifecycle.add_words(incident.number, by=floor.tech, words="", technical="Driver 9.1")
    assert added.technical == "Spooler 0x0000011b\nDriver 9.1"


def test_saying_nothing_is_refused(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.add_words(raise_(floor).number, by=floor.operator, words="  ", technical=" ")
    assert refusal.value.code == "empty"


def test_words_may_follow_after_it_is_closed(floor: Floor) -> None:
    incident = reach(floor, Status.CLOSED)
    lifecycle.add_words(incident.number, by=floor.operator, words="Thank you")
    assert fresh(incident).status == Status.CLOSED
