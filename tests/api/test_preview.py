from __future__ import annotations

from typing import Any

import pytest

from plant.models import Role
from tests.api.calls import get
from tests.factories import Floor, make_person, make_site

AT = "2026-03-02T14:00:00Z"


def test_who_would_be_told_when_and_how(floor: Floor) -> None:
    tech, supervisor = floor.tech, floor.supervisor
    lead = floor.who(Role.IT_LEAD)
    answer = get(
        floor.operator,
        "escalation/preview/",
        station=floor.station.code,
        category=floor.category.code,
        impact="stopped",
        at=AT,
    )
    assert answer.status_code == 200, answer.json()
    said = answer.json()
    assert (said["severity"], said["place"], said["at"]) == ("S1", floor.station.code, AT)
    first = {person["username"] for person in said["told_at_once"]}
    assert first >= {tech.username, supervisor.username}
    steps = [step for step in said["steps"] if step["clock"] == "response"]
    assert (steps[0]["after"], steps[0]["due_at"], set(steps[0]["roles"])) == (
        "PT0S",
        AT,
        {"it_tech", "supervisor"},
    )
    assert lead.username in {person["username"] for step in steps for person in step["people"]}
    assert all(step["channels"] and isinstance(step["gaps"], list) for step in steps)


@pytest.mark.parametrize("place", ["station", "line", "area", "site"])
def test_any_place_will_do(floor: Floor, place: str) -> None:
    assert floor.tech
    answer = get(floor.operator, "escalation/preview/", impact="none", **{place: getattr(floor, place).code})
    assert answer.json()["place"] == getattr(floor, place).code


def test_where_nobody_is_on_duty_the_gap_is_said(floor: Floor) -> None:
    assert floor.manager
    said = get(floor.operator, "escalation/preview/", site=floor.site.code, impact="stopped", at=AT).json()
    assert any(step["gaps"] for step in said["steps"])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"station": "NOWHERE"}, "station"),
    ({"category": "witchcraft"}, "category"),
    ({"impact": "catastrophic"}, "impact"),
    ({"impact": ""}, "impact"),
    ({"at": "soon"}, "at"),
    ({"at": "9999-12-31T23:59:59Z"}, "at"),
    ({"flow": "sideways"}, "flow"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_what_is_unknown_is_named(floor: Floor, changes: dict[str, Any], field: str) -> None:
    asked = {"station": floor.station.code, "impact": "stopped", **changes}
    answer = get(floor.operator, "escalation/preview/", **asked)
    assert answer.status_code == 400 and field in answer.json()["fields"]


def test_nowhere_is_refused(floor: Floor) -> None:
    answer = get(floor.operator, "escalation/preview/", impact="stopped")
    assert (answer.status_code, answer.json()["code"]) == (400, "no_place")


def test_another_site_is_not_for_them(floor: Floor) -> None:
    stranger = make_person("Visitor", roles=[Role.IT_LEAD], site=make_site())
    answer = get(stranger, "escalation/preview/", station=floor.station.code, impact="stopped")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_site")
