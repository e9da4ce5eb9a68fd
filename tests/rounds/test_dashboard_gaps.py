"""The dashboard shows a gap before it begins, to whoever can mend it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tests.rounds.plant import Plant

pytestmark = pytest.mark.django_db


def dashboard(person: Any) -> str:
    client = Client()
    client.force_login(person)
    return client.get("/dashboard/").content.decode()


def test_a_gap_within_half_a_day_is_on_the_dashboard_of_the_it_manager_alone(plant: Plant) -> None:
    begins = timezone.now() + timedelta(hours=2)
    for name in ("vela", "ishida", "sorensen"):
        make.make_cover(plant[name], starts_at=begins, ends_at=begins + timedelta(hours=1))
    page = dashboard(plant["hutchins"])
    assert "Nobody on shift soon" in page and "IT technician" in page and "told instead" in page
    assert "Nobody on shift soon" not in dashboard(plant["vela"])


def test_without_a_gap_nothing_is_said(plant: Plant) -> None:
    assert "Nobody on shift soon" not in dashboard(plant["hutchins"])
