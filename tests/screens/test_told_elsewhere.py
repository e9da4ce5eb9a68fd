"""Who would be told is not said to people of other sites."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from plant.devices import COOKIE
from tests import factories as make
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

GENERAL = "The right people are told at once."


def asked(world: Any) -> dict[str, str]:
    return {"where": f"station:{world.station.code}", "impact": "stopped"}


def test_somebody_of_another_site_reads_no_names(world: Any) -> None:
    client = Client()
    client.force_login(make.make_person("Ola Stranger", site=make.make_site("ELSE")))
    assert words(client.get("/raise/told/", asked(world))) == GENERAL


def test_a_tablet_of_another_site_reads_no_names(world: Any) -> None:
    elsewhere = make.make_area(site=make.make_site("ELSE"))
    station = make.make_station("ELSE-L1-010", line=make.make_line(area=elsewhere))
    client = Client()
    client.get(f"/q/{station.code}")
    assert COOKIE in client.cookies
    assert words(client.get("/raise/told/", asked(world))) == GENERAL
