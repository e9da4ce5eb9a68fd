"""The measurement log on the page of a countermeasure: its form, its small chart, the same in words."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures import lifecycle as fixes
from countermeasures.measured import number_in
from countermeasures.models import Countermeasure
from incidents.models import Status
from tests.factories import Floor, place_fix, plan_fix, reach
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def as_(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(person: Any, found: Countermeasure) -> Any:
    return as_(person).get(found.get_absolute_url())


@pytest.fixture
def stops(floor: Floor) -> Countermeasure:
    """Two numbers before the fix went in, two since."""
    now = timezone.now()
    found = plan_fix(floor, reach(floor, Status.CONTAINED), now=now - 9 * DAY)
    for days, value in ((8, 9), (7, 6)):
        fixes.log_measurement(
            found.pk, by=floor.supervisor, value=Decimal(value), unit="stops", now=now - days * DAY
        )
    fixes.put_in_place(found.pk, by=floor.tech, evidence="Pinned", now=now - 6 * DAY)
    for days, value in ((3, 1), (1, 0)):
        fixes.log_measurement(
            found.pk, by=floor.supervisor, value=Decimal(value), unit="stops", now=now - days * DAY
        )
    return found


def test_the_chart_is_there_in_words_too(floor: Floor, stops: Countermeasure) -> None:
    html = page(floor.manager, stops).content.decode()
    assert 'role="img" aria-label="Label queue stops: 4 measurements, from 9 on' in html
    assert "Wanted: None." in html
    assert html.count('class="ring"') == 2 and html.count('class="dot"') == 2
    assert html.count('class="goal"') == 1
    assert "In place" in html


def test_one_number_is_a_line_and_no_chart(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    assert "Nothing yet" in words(page(floor.manager, found))
    fixes.log_measurement(found.pk, by=floor.supervisor, value=Decimal("1.5"), unit="min", note="At six")
    response = page(floor.manager, found)
    assert "1.5 min: At six" in words(response)
    assert 'class="chart"' not in response.content.decode()


def test_it_is_logged_with_one_field(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    client, address = as_(floor.supervisor), f"/countermeasures/{found.pk}/measure/"
    assert "It cannot be changed afterwards" in words(client.get(address))
    response = client.post(address, {"value": "2", "next": found.get_absolute_url()})
    assert response.status_code == 302 and response["Location"] == found.get_absolute_url()
    assert found.measurements.get().number == "2"


def test_an_empty_form_comes_back_with_a_sentence(floor: Floor) -> None:
    found = place_fix(floor, reach(floor, Status.CONTAINED))
    response = as_(floor.supervisor).post(f"/countermeasures/{found.pk}/measure/", {})
    assert response.status_code == 400
    assert "Write the number, how often it was tried, or what you saw." in words(response)


def test_the_unit_is_that_of_the_line_before(floor: Floor, stops: Countermeasure) -> None:
    assert (
        'value="stops"' in as_(floor.supervisor).get(f"/countermeasures/{stops.pk}/measure/").content.decode()
    )


def test_who_may_not_write_sees_the_log_without_the_button(floor: Floor, stops: Countermeasure) -> None:
    assert "Log a measurement" in words(page(floor.supervisor, stops))
    assert "Log a measurement" not in words(page(floor.operator, stops))
    assert (
        as_(floor.operator).post(f"/countermeasures/{stops.pk}/measure/", {"value": "1"}).status_code == 403
    )


def test_the_boxes_say_days_and_shift_starts(floor: Floor, stops: Countermeasure) -> None:
    assert "6 of 30 days · 0 of 30 shift starts" in words(page(floor.manager, stops))


@pytest.mark.parametrize(
    ("target", "number"),
    [
        ("None", 0),
        ("0 in 60 shift starts", 0),
        ("≤ 2 per shift", 2),
        ("under 2.5 min", Decimal("2.5")),
        ("menos de 2,5 min", Decimal("2.5")),
        ("ninguno", 0),
        ("No label is blank", None),
        ("Printer P12 stays on", None),
    ],
)
def test_the_target_line_is_drawn_at_the_number_in_the_target(target: str, number: Any) -> None:
    assert number_in(target) == number
