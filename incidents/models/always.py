"""What is always true of an incident's row, whoever writes it: the database refuses the rest."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from incidents.models.terms import OWNED, Impact, Severity, Status

CONSTRAINTS: list[models.BaseConstraint] = [
    models.CheckConstraint(
        condition=~Q(status__in=OWNED) | Q(owner__isnull=False, acknowledged_at__isnull=False),
        name="owned_status_has_owner_and_time",
    ),
    models.CheckConstraint(
        condition=~Q(status__in=[Status.CONTAINED, Status.RESOLVED]) | Q(contained_at__isnull=False),
        name="contained_has_time",
    ),
    models.CheckConstraint(
        condition=~Q(status=Status.RESOLVED) | Q(resolved_at__isnull=False),
        name="resolved_has_time",
    ),
    models.CheckConstraint(
        condition=Q(status=Status.CLOSED, closed_at__isnull=False)
        | (~Q(status=Status.CLOSED) & Q(closed_at__isnull=True)),
        name="closed_exactly_when_it_has_a_time",
    ),
    models.CheckConstraint(
        condition=~Q(impact=Impact.SAFETY) | Q(severity=Severity.S1),
        name="safety_is_always_s1",
    ),
    models.CheckConstraint(
        condition=Q(shelved_until__isnull=True)
        | (
            Q(shelved_by__isnull=False, shelved_at__isnull=False)
            & ~Q(shelved_reason="")
            & ~Q(impact=Impact.SAFETY)
        ),
        name="a_pause_has_a_name_and_a_reason_and_is_never_safety",
    ),
    models.CheckConstraint(
        condition=Q(waiting_on="") | (Q(waiting_until__isnull=False) & ~Q(waiting_name="")),
        name="waiting_has_a_name_and_a_time",
    ),
    models.CheckConstraint(
        condition=Q(no_fix_accepted_by__isnull=True) | (Q(review_on__isnull=False) & ~Q(no_fix_reason="")),
        name="no_fix_has_a_reason_and_a_review",
    ),
    models.CheckConstraint(
        condition=Q(repeat_of=None) | (Q(is_drill=False) & ~Q(repeat_of=F("id"))),
        name="a_repeat_is_no_practice_and_not_its_own",
    ),
]
