"""What workers do for countermeasures. They only move hands."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from countermeasures import exposure


@shared_task(ignore_result=True)
def count_shift_starts() -> None:
    """Every few minutes: how many shift starts each fix that is being proved has held for."""
    exposure.count_shift_starts(timezone.now())
