"""Before Send is tapped: who is told at once, and who next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
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


@pytest.fixture
def friday(plant: Any) -> Any:
    """Half an hour before the last shift of the week ends, at 23:00."""
    plant.now = plant.at("22:30") + timedelta(days=3)
    return plant


SPANISH = {
    "workaround": "Se avisa de inmediato: Ishida. Sin respuesta: espera hasta lun 10 nov 05:00 "
    "(fin de semana), luego Brandt. A quién más, y cuándo",
    "none": "Primer aviso 18:00: Brandt. A quién más, y cuándo",
}


def test_that_the_next_step_waits_does_not_hide_who_is_told_at_once(friday: Any, as_: As) -> None:
    asked = {"where": f"station:{friday.station.code}", "impact": "workaround"}
    waits = "No answer: it waits until Mon 10 Nov 05:00 (weekend), then Brandt."
    assert words(told(as_("petty"), **asked)) == f"Told at once: Ishida. {waits} {MORE}"
    friday["petty"].language = "es"
    friday["petty"].save()
    assert words(told(as_("petty"), **asked)) == SPANISH["workaround"]


def test_who_is_told_first_and_when_is_said_where_nobody_is_told_at_once(plant: Any, as_: As) -> None:
    asked = {"where": f"station:{plant.station.code}", "impact": "none"}
    assert words(told(as_("petty"), **asked)) == f"First told 18:00: Brandt. {MORE}"
    plant["petty"].language = "es"
    plant["petty"].save()
    assert words(told(as_("petty"), **asked)) == SPANISH["none"]


def test_nobody_is_told_now_where_nothing_goes_out_before_the_place_works_again(plant: Any, as_: As) -> None:
    plant.now = plant.at("10:00") + timedelta(days=4)
    text = words(told(as_("petty"), where=f"station:{plant.station.code}", impact="workaround"))
    assert text.startswith("Nobody is told now: it waits until Mon 10 Nov 05:00 (weekend), then ")


def test_after_send_nothing_is_said_to_wait_once_somebody_is_told(
    friday: Any, advance: Callable[..., None], as_: As
) -> None:
    incident = friday.raise_it("workaround")
    advance(minutes=1)
    page = words(as_("petty").get(f"/raise/{incident.number}/sent/"))
    assert "Sent. Ishida is being told." in page and "raise it as line down" not in page


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
