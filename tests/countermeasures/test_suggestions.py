"""Earlier causes while the five whys are asked: the same family first, then those with like words."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from countermeasures import lifecycle as fixes
from countermeasures.models import Cause
from countermeasures.suggestions import suggest
from incidents import lifecycle
from incidents.models import Impact, Incident, Status
from tests.factories import NOW, Floor, make_category, make_floor, make_station, raise_, reach

LATER = NOW + timedelta(days=200)


def with_cause(floor: Floor, root: str, *, escape: str = "", **asked: object) -> Incident:
    incident = raise_(floor, **asked)  # type: ignore[arg-type]
    fixes.write_cause(incident.number, by=floor.tech, root_cause=root, escape_cause=escape, now=NOW)
    return incident


def causes(incident: Incident, floor: Floor, words: str = "") -> list[str]:
    return [one.root_cause for one in suggest(incident, reader=floor.tech, words=words)]


def test_the_same_family_comes_first_then_like_words(floor: Floor) -> None:
    other = make_station(line=floor.line)
    with_cause(floor, "The print server lost its driver", station=other)
    with_cause(floor, "Somebody pulled the plug")
    incident = raise_(floor, now=LATER)
    found = suggest(incident, reader=floor.tech, words="driver")
    assert [(one.root_cause, one.is_family) for one in found] == [
        ("Somebody pulled the plug", True),
        ("The print server lost its driver", False),
    ]


def test_words_are_matched_by_their_beginning_in_both_causes(floor: Floor) -> None:
    with_cause(floor, "Etiquetas mal cortadas", category=make_category("network"))
    with_cause(floor, "Worn head", escape="No test print after a change", category=make_category("mes"))
    incident = raise_(floor, now=LATER)
    assert causes(incident, floor, "etiqu") == ["Etiquetas mal cortadas"]
    assert causes(incident, floor, "printing is late; test") == ["Worn head"]
    assert causes(incident, floor, "it is of a") == []


def test_without_words_the_incident_s_own_are_used(floor: Floor) -> None:
    with_cause(floor, "Labels were wet", category=make_category("network"))
    incident = raise_(floor, words="Wet labels again", now=LATER)
    assert causes(incident, floor) == ["Labels were wet"]


def test_the_sentence_that_closed_a_small_thing_is_a_cause_too(floor: Floor) -> None:
    small = raise_(floor, Impact.NONE)
    lifecycle.acknowledge(small.number, by=floor.tech, now=NOW)
    lifecycle.close(
        small.number, by=floor.tech, cause="A plug was loose", agreed_by=floor.supervisor, now=NOW
    )
    assert causes(raise_(floor, now=LATER), floor) == ["A plug was loose"]


def test_what_held_is_said_with_the_cause(floor: Floor) -> None:
    reach(floor, Status.CLOSED)
    found = suggest(raise_(floor, now=LATER), reader=floor.tech)
    assert [one.held for one in found] == ["Pin the driver of the print server"]


def test_the_same_cause_is_offered_once_and_its_own_never(floor: Floor) -> None:
    with_cause(floor, "A plug was loose")
    with_cause(floor, "a plug was loose")
    own = with_cause(floor, "Something of its own")
    assert causes(own, floor, "plug something") == ["a plug was loose"]


def test_causes_of_other_sites_and_of_practice_stay_out(floor: Floor) -> None:
    elsewhere = make_floor(name="Harlow Plant")
    with_cause(elsewhere, "A secret of Harlow: driver")
    drill = raise_(floor, is_drill=True)
    Cause.objects.create(incident=drill, root_cause="A practised driver")
    assert causes(raise_(floor, now=LATER), floor, "driver") == []


def test_four_queries_at_most(floor: Floor, django_assert_max_num_queries: object) -> None:
    for n in range(8):
        with_cause(floor, f"Cause number {n} of the driver")
    incident = Incident.objects.numbered(raise_(floor, now=LATER).number)
    assert floor.tech.site_ids
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        assert len(suggest(incident, reader=floor.tech, words="driver")) == 6


def test_an_index_serves_the_words(floor: Floor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM countermeasures_cause WHERE to_tsvector('simple'::regconfig, "
            "COALESCE(root_cause, '') || ' ' || COALESCE(escape_cause, '')) @@ to_tsquery('simple', 'x:*')"
        )
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "cause_words" in plan
