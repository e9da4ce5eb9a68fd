from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from incidents import lifecycle
from incidents.models import EventKind, Flow, Impact, Incident, Severity, Status
from incidents.signals import incident_changed
from opsdesk.errors import Invalid, NotAllowed
from plant.models import Role
from tests.factories import NOW, Floor, make_person, make_site, make_station, make_system, raise_

SEVERITIES = [
    (Impact.SAFETY, Severity.S1),
    (Impact.STOPPED, Severity.S1),
    (Impact.AT_RISK, Severity.S2),
    (Impact.WORKAROUND, Severity.S3),
    (Impact.NONE, Severity.S4),
]


@pytest.mark.parametrize(("impact", "severity"), SEVERITIES)
def test_severity_comes_from_the_impact(floor: Floor, impact: Impact, severity: Severity) -> None:
    assert raise_(floor, impact).severity == severity


@pytest.mark.parametrize("role", [Role.IT_TECH, Role.PLANT_MANAGER, Role.TEAM_LEADER])
def test_severity_does_not_come_from_who_calls(floor: Floor, role: Role) -> None:
    assert raise_(floor, Impact.NONE, by=floor.who(role)).severity == Severity.S4


def test_a_station_brings_its_line_area_site_and_flow(floor: Floor) -> None:
    floor.line.flow = Flow.SHIPPING
    floor.line.save()
    incident = raise_(floor, station=floor.station)
    assert (incident.line, incident.area, incident.site) == (floor.line, floor.area, floor.site)
    assert incident.flow == Flow.SHIPPING
    assert incident.place == floor.station


def test_a_line_or_an_area_is_place_enough(floor: Floor) -> None:
    assert raise_(floor, line=floor.line).place == floor.line
    assert raise_(floor, area=floor.area).place == floor.area


def test_a_system_without_a_place_fails_where_the_person_works(floor: Floor) -> None:
    incident = raise_(floor, system=make_system())
    assert (incident.site, incident.line, incident.flow) == (floor.site, None, Flow.PRODUCTION)


def test_nowhere_is_refused(floor: Floor) -> None:
    stray = make_person("Nobody's", site=None)
    with pytest.raises(Invalid) as refusal:
        raise_(floor, by=stray, system=make_system())
    assert refusal.value.code == "no_place"


def test_a_flow_that_was_named_wins_over_the_lines(floor: Floor) -> None:
    assert raise_(floor, flow=Flow.RECEIVING).flow == Flow.RECEIVING


def test_it_starts_raised_without_an_owner_and_with_its_clocks_at_now(floor: Floor) -> None:
    incident = raise_(floor)
    assert (incident.status, incident.owner, incident.version) == (Status.RAISED, None, 1)
    assert incident.raised_at == incident.clocks_from == incident.noticed_at == NOW
    assert incident.next_update_due is None


def test_numbers_count_up(floor: Floor) -> None:
    first, second = raise_(floor), raise_(floor)
    assert second.number == first.number + 1
    assert first.code == f"INC-{first.number}"
    assert Incident.objects.numbered(first.code) == Incident.objects.numbered(str(first.number)) == first


def test_a_title_that_nobody_gave_says_what_and_where(floor: Floor) -> None:
    incident = raise_(floor)
    assert floor.category.name in incident.title
    assert len(incident.title) <= 60


def test_the_timeline_begins_with_it(floor: Floor) -> None:
    incident = raise_(floor, words=" Labels are blank ")
    event = incident.events.get()
    assert (event.kind, event.by, event.at) == (EventKind.RAISED, floor.operator, NOW)
    assert event.words == incident.words == "Labels are blank"


def test_a_line_stop_starts_the_downtime_when_it_was_noticed(floor: Floor) -> None:
    noticed = NOW - timedelta(minutes=7)
    stop = raise_(floor, Impact.STOPPED, noticed_at=noticed).downtimes.get()
    assert (stop.line, stop.started_at, stop.ended_at) == (floor.line, noticed, None)


@pytest.mark.parametrize("impact", [Impact.SAFETY, Impact.AT_RISK, Impact.WORKAROUND, Impact.NONE])
def test_nothing_else_starts_a_downtime(floor: Floor, impact: Impact) -> None:
    assert not raise_(floor, impact).downtimes.exists()


def test_a_tablet_whose_clock_runs_ahead_a_little_is_believed(floor: Floor) -> None:
    assert raise_(floor, noticed_at=NOW + timedelta(minutes=2)).noticed_at == NOW


def test_a_time_in_the_future_is_refused(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        raise_(floor, noticed_at=NOW + timedelta(minutes=3))
    assert refusal.value.code == "noticed_in_future"
    assert not Incident.objects.exists()


def test_an_unknown_impact_is_an_error(floor: Floor) -> None:
    with pytest.raises(ValueError, match="catastrophic"):
        raise_(floor, "catastrophic")  # type: ignore[arg-type]


def test_a_tablet_raises_without_a_person(floor: Floor) -> None:
    incident, is_new = lifecycle.raise_incident(
        by=None, category=floor.category, impact=Impact.STOPPED, station=floor.station
    )
    assert is_new and incident.raised_by is None


def test_nobody_raises_at_a_site_they_do_not_see(floor: Floor) -> None:
    stranger = make_person("Visitor", site=make_site())
    with pytest.raises(NotAllowed) as refusal:
        raise_(floor, by=stranger)
    assert refusal.value.code == "wrong_site"


def test_the_same_client_id_gives_the_same_incident(floor: Floor) -> None:
    client_id = uuid.uuid4()
    asked: dict[str, Any] = {
        "category": floor.category,
        "impact": Impact.STOPPED,
        "station": floor.station,
        "client_id": client_id,
    }
    first, is_new = lifecycle.raise_incident(by=floor.operator, **asked)
    again, is_new_again = lifecycle.raise_incident(by=floor.operator, **asked)
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert first.events.count() == 1


def test_a_client_id_of_another_site_gives_nothing_away(floor: Floor) -> None:
    client_id = uuid.uuid4()
    raise_(floor, client_id=client_id)
    elsewhere = make_station()
    stranger = make_person("Visitor", site=elsewhere.line.area.site)
    with pytest.raises(NotAllowed):
        raise_(floor, by=stranger, station=elsewhere, client_id=client_id)


def test_an_error_that_is_not_the_client_id_is_not_swallowed(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise IntegrityError("something else")

    monkeypatch.setattr("incidents.lifecycle.raising.record", broken)
    with pytest.raises(IntegrityError, match="something else"):
        raise_(floor, client_id=uuid.uuid4())
    assert not Incident.objects.exists()


def test_others_hear_of_it_once_it_is_committed(
    floor: Floor, django_capture_on_commit_callbacks: object
) -> None:
    heard: list[dict[str, object]] = []

    def listen(**said: object) -> None:
        heard.append(said)

    incident_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            incident = raise_(floor)
            assert not heard
    finally:
        incident_changed.disconnect(listen)
    assert [(said["incident_id"], said["number"], said["site_id"]) for said in heard] == [
        (incident.pk, incident.number, floor.site.pk)
    ]


def test_without_a_time_it_is_now(floor: Floor) -> None:
    before = timezone.now()
    incident, _new = lifecycle.raise_incident(
        by=floor.operator, category=floor.category, impact=Impact.NONE, line=floor.line
    )
    assert before <= incident.raised_at <= timezone.now()
