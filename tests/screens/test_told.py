"""Before Send is tapped: who is told at once, and who next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.models import Incident
from plant.devices import COOKIE
from tests import factories as make
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
MORE = "Who else, and when"
GENERAL = "The right people are told at once."


def told(client: Client, **asked: str) -> Any:
    return client.get("/raise/told/", asked)


def test_it_names_who_hears_at_once_and_who_next(world: Any, as_: As) -> None:
    response = told(
        as_("petty"), where=f"station:{world.station.code}", category="label_print", impact="stopped"
    )
    assert words(response) == f"Told at once: Vela and Jimenez. No answer in 5 min: Brandt and Kowal. {MORE}"
    assert "<b>Vela</b>" in response.content.decode()
    assert not Incident.objects.exists()


def test_the_place_may_be_named_by_its_kind(world: Any, as_: As) -> None:
    assert "Vela" in words(told(as_("petty"), station=world.station.code, impact="stopped"))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"where": "station:NOWHERE", "impact": "stopped"},
        {"where": "nonsense", "impact": "stopped"},
        {"where": "", "impact": "terrible"},
    ],
)
def test_while_something_is_missing_it_stays_general(world: Any, as_: As, asked: dict[str, str]) -> None:
    assert words(told(as_("petty"), **asked)) == GENERAL


def test_a_gap_is_said_before_it_matters(world: Any, as_: As) -> None:
    world.now = world.at("23:30")
    make.make_cover(world["sorensen"], starts_at=world.now, stand_in=None)
    text = words(told(as_("petty"), where=f"station:{world.station.code}", impact="stopped"))
    assert "Off shift now, called all the same." in text


def test_names_are_for_people_and_tablets_of_the_plant_only(world: Any, client: Client) -> None:
    asked = {"where": f"station:{world.station.code}", "impact": "stopped"}
    assert words(told(client, **asked)) == GENERAL
    client.get(f"/q/{world.station.code}")
    assert COOKIE in client.cookies
    assert "Told at once" in words(told(client, **asked))
