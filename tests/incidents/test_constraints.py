"""What the database refuses whoever writes it: raw SQL against every "X implies Y" of the incident."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from incidents.models import Impact, Incident, Status
from tests.factories import Floor, raise_, reach

BROKEN = [
    (Status.RAISED, "status = 'acknowledged'", "owned_status_has_owner_and_time"),
    (Status.ACKNOWLEDGED, "owner_id = NULL", "owned_status_has_owner_and_time"),
    (Status.ACKNOWLEDGED, "acknowledged_at = NULL", "owned_status_has_owner_and_time"),
    (Status.ACKNOWLEDGED, "status = 'contained'", "contained_has_time"),
    (Status.CONTAINED, "contained_at = NULL", "contained_has_time"),
    (Status.CONTAINED, "status = 'resolved'", "resolved_has_time"),
    (Status.RESOLVED, "contained_at = NULL", "contained_has_time"),
    (Status.RESOLVED, "status = 'closed'", "closed_exactly_when_it_has_a_time"),
    (Status.RAISED, "closed_at = now()", "closed_exactly_when_it_has_a_time"),
    (Status.RAISED, "impact = 'safety', severity = 'S2'", "safety_is_always_s1"),
    (Status.RAISED, "shelved_until = now()", "a_pause_has_a_name_and_a_reason_and_is_never_safety"),
    (Status.RAISED, "waiting_on = 'part'", "waiting_has_a_name_and_a_time"),
    (Status.RAISED, "waiting_on = 'part', waiting_until = now()", "waiting_has_a_name_and_a_time"),
    (Status.CONTAINED, "no_fix_accepted_by_id = owner_id", "no_fix_has_a_reason_and_a_review"),
]


def write(incident: Incident, changes: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE incidents_incident SET {changes} WHERE id = %s", [incident.pk])


@pytest.mark.parametrize(("status", "changes", "constraint"), BROKEN)
def test_a_half_truth_is_refused(floor: Floor, status: Status, changes: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        write(reach(floor, status), changes)


def test_safety_is_never_paused(floor: Floor) -> None:
    incident = raise_(floor, Impact.SAFETY)
    paused = (
        f"shelved_by_id = {floor.manager.pk}, shelved_at = now(), shelved_reason = 'x', shelved_until = now()"
    )
    with pytest.raises(IntegrityError, match="never_safety"):
        write(incident, paused)
    write(raise_(floor, Impact.STOPPED), paused)


def test_two_incidents_never_share_a_number_or_a_client_id(floor: Floor) -> None:
    first, second = raise_(floor), raise_(floor)
    with pytest.raises(IntegrityError, match="number"):
        write(second, f"number = {first.number}")
    client_id = "8e6c4f6e-3f2b-4b52-9d0a-2b8a5e0c1d11"
    write(first, f"client_id = '{client_id}'")
    with pytest.raises(IntegrityError, match="client_id"):
        write(second, f"client_id = '{client_id}'")


def test_one_stop_runs_per_line_and_ends_after_it_began(floor: Floor) -> None:
    stop = raise_(floor).downtimes.get()
    columns = "incident_id, line_id, started_at, ended_at"
    values = f"{stop.incident_id}, {stop.line_id}, '2026-01-02T00:00Z'"
    for ended, constraint in (
        ("NULL", "one_running_downtime_per_line"),
        ("'2026-01-01T00:00Z'", "downtime_ends_after_start"),
    ):
        with (
            pytest.raises(IntegrityError, match=constraint),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"INSERT INTO incidents_downtime ({columns}) VALUES ({values}, {ended})")
