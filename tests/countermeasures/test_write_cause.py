from __future__ import annotations

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Cause
from incidents.models import EventKind, Status
from opsdesk.errors import Invalid, Stale
from tests.factories import NOW, Floor, reach


def test_both_causes_and_the_chain_that_led_there(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    cause = fixes.write_cause(
        incident.number,
        by=floor.tech,
        root_cause=" Drivers update ",
        escape_cause=" No test print ",
        five_whys=["Why blank?", " ", " The driver "],
        now=NOW,
    )
    assert (cause.root_cause, cause.escape_cause) == ("Drivers update", "No test print")
    assert cause.five_whys == ["Why blank?", "The driver"]
    assert (cause.written_by, cause.written_at) == (floor.tech, NOW)
    event = incident.events.last()
    assert event is not None and (event.kind, event.words) == (EventKind.CAUSE, "Drivers update")
    assert event.data == {
        "escape_cause": "No test print",
        "changed": {
            "root_cause": [None, "Drivers update"],
            "escape_cause": [None, "No test print"],
            "five_whys": [None, ["Why blank?", "The driver"]],
        },
    }


def test_one_may_be_written_before_the_other(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    fixes.write_cause(number, by=floor.tech, root_cause="", escape_cause="No test print")
    both = fixes.write_cause(number, by=floor.supervisor, root_cause="Drivers update", escape_cause="")
    assert (both.root_cause, both.escape_cause) == ("Drivers update", "No test print")
    assert Cause.objects.count() == 1


def test_the_chain_stays_when_it_is_not_sent_again(floor: Floor) -> None:
    number = reach(floor, Status.CONTAINED).number
    fixes.write_cause(number, by=floor.tech, root_cause="a", escape_cause="b", five_whys=["Why?"])
    assert fixes.write_cause(number, by=floor.tech, root_cause="c", escape_cause="").five_whys == ["Why?"]


def test_every_version_stays_on_the_timeline(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    for words in ("The printer", "The driver"):
        fixes.write_cause(incident.number, by=floor.tech, root_cause=words, escape_cause="")
    written = incident.events.filter(kind=EventKind.CAUSE).order_by("id")
    assert [event.words for event in written] == ["The printer", "The driver"]


def test_nothing_is_not_a_cause(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        fixes.write_cause(
            reach(floor, Status.CONTAINED).number, by=floor.tech, root_cause=" ", escape_cause=""
        )
    assert refusal.value.code == "empty"


def test_a_stale_screen_writes_nothing(floor: Floor) -> None:
    with pytest.raises(Stale):
        fixes.write_cause(
            reach(floor, Status.CONTAINED).number,
            by=floor.tech,
            root_cause="a",
            escape_cause="b",
            seen_version=1,
        )
    assert not Cause.objects.exists()
