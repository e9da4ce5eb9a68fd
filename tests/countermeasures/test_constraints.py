"""What the database refuses whoever writes it: raw SQL against every "X implies Y" of a countermeasure."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from incidents.models import Status
from tests.factories import Floor, place_fix, plan_fix, reach

BROKEN = [
    ("planned", "checker_id = owner_id", "checker_is_never_the_owner"),
    ("planned", "checked_by_id = owner_id", "checked_by_never_the_owner"),
    ("planned", "placed_by_id = checker_id", "checker_did_not_place_it"),
    (
        "planned",
        "placed_by_id = checker_id, checked_by_id = checker_id, checker_id = NULL",
        "checked_by_did_not_place",
    ),
    ("planned", "kind = 'containment'", "containment_expires"),
    ("planned", "stage = 'in_place'", "in_place_has_evidence"),
    ("placed", "evidence = ''", "in_place_has_evidence"),
    ("placed", "owner_id = NULL", "in_place_has_evidence"),
    ("placed", "in_place_at = NULL", "in_place_has_evidence"),
    ("placed", "checking_from = NULL", "checking_has_a_plan"),
    ("placed", "checker_id = NULL", "checking_has_a_plan"),
    ("placed", "window_days = NULL", "checking_has_a_plan"),
    ("placed", "metric = ''", "checking_has_a_plan"),
    ("placed", "target = ''", "checking_has_a_plan"),
    ("placed", "stage = 'effective'", "effective_was_checked"),
    ("placed", "waived_by_id = owner_id", "waiver_has_a_reason"),
]


@pytest.mark.parametrize(("state", "changes", "constraint"), BROKEN)
def test_a_half_truth_is_refused(floor: Floor, state: str, changes: str, constraint: str) -> None:
    incident = reach(floor, Status.CONTAINED)
    found = (plan_fix if state == "planned" else place_fix)(floor, incident)
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE countermeasures_countermeasure SET {changes} WHERE id = %s", [found.pk])
