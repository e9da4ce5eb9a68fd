"""What worked last time: offered where the same stands still again."""

from __future__ import annotations

from datetime import timedelta

from countermeasures import workarounds
from incidents import families, lifecycle
from incidents.models import Incident
from tests.factories import NOW, Floor, make_system, raise_

LATER = NOW + timedelta(days=40)


def kept_moving(floor: Floor, what: str, *, days: int = 0, minutes: int = 22) -> Incident:
    """Raised, taken, and moving again after so many minutes."""
    at = NOW + timedelta(days=days)
    incident = raise_(floor, now=at)
    lifecycle.acknowledge(incident.number, by=floor.tech, now=at)
    lifecycle.contain(incident.number, by=floor.tech, what=what, now=at + timedelta(minutes=minutes))
    return incident


def known(floor: Floor) -> list[str]:
    return [one.what for one in workarounds.of_incident(raise_(floor, now=LATER), now=LATER)]


def test_the_last_ones_that_got_product_moving_come_first_and_are_counted(floor: Floor) -> None:
    kept_moving(floor, "Spare printer")
    kept_moving(floor, "Labels by hand", days=1)
    last = kept_moving(floor, "spare printer.", days=2, minutes=9)
    found = workarounds.of_incident(raise_(floor, now=LATER), now=LATER)
    assert [(one.what, one.times) for one in found] == [("spare printer.", 2), ("Labels by hand", 1)]
    assert (found[0].incident, found[0].after) == (last, timedelta(minutes=9))


def test_what_did_not_keep_it_moving_is_not_offered(floor: Floor) -> None:
    bad = kept_moving(floor, "Turn it off and on")
    lifecycle.reopen(bad.number, by=floor.supervisor, reason="Blank again", now=NOW + timedelta(minutes=40))
    assert known(floor) == []


def test_the_bandage_that_is_on_now_is_not_what_worked_last_time(floor: Floor) -> None:
    incident = kept_moving(floor, "Spare printer")
    assert workarounds.of_incident(Incident.objects.numbered(incident.number), now=LATER) == []


def test_practice_teaches_nothing(floor: Floor) -> None:
    raise_(floor, is_drill=True)
    assert known(floor) == []


def test_the_standing_workaround_of_the_system_is_offered_even_the_first_time(floor: Floor) -> None:
    label = make_system("label", workaround="Handwritten labels, two people check")
    floor.station.systems.add(label, make_system("mes", workaround=""))
    found = workarounds.of_incident(raise_(floor), now=NOW)
    assert [(one.what, one.is_standing) for one in found] == [("Handwritten labels, two people check", True)]


def test_a_system_named_by_the_incident_is_the_only_one_asked(floor: Floor) -> None:
    floor.station.systems.add(make_system("mes", workaround="Paper travellers"))
    label = make_system("label", workaround="By hand")
    incident = raise_(floor, station=floor.station, system=label)
    assert [one.what for one in workarounds.of_incident(incident, now=NOW)] == ["By hand"]


def test_one_query_for_the_whole_history(floor: Floor, django_assert_num_queries: object) -> None:
    for day in range(5):
        kept_moving(floor, f"Way {day}", days=day)
    family = families.of(raise_(floor, now=LATER))
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert len(workarounds.known(family, now=LATER)) == workarounds.MOST
