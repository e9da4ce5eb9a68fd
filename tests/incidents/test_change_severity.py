from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incidents import lifecycle, readings
from incidents.models import EventKind, Impact, Incident, Severity, Status
from opsdesk.errors import Invalid, Refused, Stale
from plant.models import Role
from tests.factories import NOW, Floor, fresh, raise_, reach

LATER = NOW + timedelta(minutes=10)
SAID: dict[str, Any] = {"conditions": "No labels", "actions": "Swapping", "needs": "No needs"}


@pytest.mark.parametrize("role", [Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER])
@pytest.mark.parametrize("severity", [Severity.S2, Severity.S3, Severity.S4])
def test_theirs_is_the_last_word(floor: Floor, role: Role, severity: Severity) -> None:
    incident = lifecycle.change_severity(
        raise_(floor).number, by=floor.who(role), severity=severity, reason=" Buffer is full ", now=NOW
    )
    assert (incident.severity, incident.impact) == (severity, Impact.STOPPED)
    event = incident.events.last()
    assert event is not None and event.kind == EventKind.SEVERITY_CHANGED
    assert (event.words, event.data) == ("Buffer is full", {"from": "S1", "to": severity})


def test_a_small_thing_may_become_a_big_one(floor: Floor) -> None:
    incident = lifecycle.change_severity(
        raise_(floor, Impact.NONE).number, by=floor.manager, severity="S1", reason="The truck is here"
    )
    assert (incident.severity, incident.level) == (Severity.S1, Impact.STOPPED)


@pytest.mark.parametrize(
    ("said", "severity", "state", "headline"),
    [
        (Impact.WORKAROUND, "S1", "Line down", "is stopped"),
        (Impact.STOPPED, "S3", "Workaround", "runs on a workaround"),
        (Impact.SAFETY, "S1", "Safety", "Someone could get hurt"),
    ],
)
def test_what_everybody_reads_follows_the_last_word(
    floor: Floor, said: Impact, severity: str, state: str, headline: str
) -> None:
    incident = lifecycle.change_severity(
        raise_(floor, said).number, by=floor.manager, severity=severity, reason="The truck is here"
    )
    assert readings.state(incident) == state
    assert headline in readings.headline(incident)


@pytest.mark.parametrize("severity", [Severity.S2, Severity.S3, Severity.S4])
def test_nobody_lowers_safety(floor: Floor, severity: Severity) -> None:
    incident = raise_(floor, Impact.SAFETY)
    with pytest.raises(Refused) as refusal:
        lifecycle.change_severity(incident.number, by=floor.manager, severity=severity, reason="x")
    assert refusal.value.code == "safety_stays_s1"
    assert fresh(incident).severity == Severity.S1


def test_the_same_again_changes_nothing(floor: Floor) -> None:
    incident = raise_(floor)
    again = lifecycle.change_severity(incident.number, by=floor.manager, severity="S1", reason="x")
    assert again.version == incident.version


def test_it_needs_a_reason(floor: Floor) -> None:
    with pytest.raises(Invalid) as refusal:
        lifecycle.change_severity(raise_(floor).number, by=floor.manager, severity="S2", reason="  ")
    assert refusal.value.code == "no_reason"


def test_a_closed_incident_keeps_its_severity(floor: Floor) -> None:
    with pytest.raises(Refused) as refusal:
        lifecycle.change_severity(
            reach(floor, Status.CLOSED).number, by=floor.manager, severity="S2", reason="x"
        )
    assert refusal.value.code == "wrong_status"


def test_before_anybody_has_it_no_word_is_owed(floor: Floor) -> None:
    incident = lifecycle.change_severity(raise_(floor).number, by=floor.manager, severity="S2", reason="x")
    assert incident.next_update_due is None


def test_a_worse_one_owes_word_sooner_counted_from_the_last(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK).number
    incident = lifecycle.change_severity(number, by=floor.manager, severity="S1", reason="x", now=LATER)
    assert incident.next_update_due == NOW + timedelta(minutes=30)


def test_word_that_would_be_overdue_is_owed_now(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK).number
    late = NOW + timedelta(minutes=50)
    incident = lifecycle.change_severity(number, by=floor.manager, severity="S1", reason="x", now=late)
    assert incident.next_update_due == late


def test_a_promise_that_was_made_stands_when_it_is_sooner(floor: Floor) -> None:
    number, soon = reach(floor, Status.ACKNOWLEDGED).number, NOW + timedelta(minutes=15)
    lifecycle.post_update(number, by=floor.tech, next_update_at=soon, now=NOW, **SAID)
    incident = lifecycle.change_severity(number, by=floor.manager, severity="S3", reason="x", now=LATER)
    assert incident.next_update_due == soon


def test_for_a_minor_thing_no_word_is_owed_any_more(floor: Floor) -> None:
    number = reach(floor, Status.ACKNOWLEDGED).number
    incident = lifecycle.change_severity(number, by=floor.manager, severity="S4", reason="x", now=LATER)
    assert incident.next_update_due is None


def test_a_stale_screen_changes_nothing(floor: Floor) -> None:
    incident = reach(floor, Status.ACKNOWLEDGED)
    with pytest.raises(Stale):
        lifecycle.change_severity(
            incident.number, by=floor.manager, severity="S2", reason="x", seen_version=1
        )
    assert Incident.objects.get(pk=incident.pk).severity == Severity.S1
