from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents import lifecycle
from incidents.models import Impact, Incident, Status
from plant.models import Role
from tests.api.calls import get
from tests.factories import (
    NOW,
    Floor,
    give_role,
    make_floor,
    make_line,
    make_person,
    make_station,
    raise_,
    reach,
)

CONTRACT = {
    "number",
    "title",
    "status",
    "severity",
    "impact",
    "flow",
    "station",
    "line",
    "owner",
    "version",
    "raised_at",
    "acknowledged_at",
    "contained_at",
    "resolved_at",
    "closed_at",
    "cover_until",
    "next_step",
    "url",
}


def numbers(person: Any, **query: Any) -> list[int]:
    answer = get(person, "incidents/", **query)
    assert answer.status_code == 200, answer.json()
    return [row["number"] for row in answer.json()["results"]]


@pytest.mark.parametrize("status", list(Status))
def test_an_incident_reads_as_the_contract_says(floor: Floor, status: Status) -> None:
    incident = reach(floor, status)
    for address in (str(incident.number), incident.code, incident.code.lower()):
        said = get(floor.operator, f"incidents/{address}/").json()
        assert said.keys() >= CONTRACT
        assert (said["number"], said["status"], said["version"]) == (
            incident.number,
            status,
            incident.version,
        )
    times = ("acknowledged_at", "contained_at", "resolved_at", "closed_at")
    assert [said[name] is not None for name in times] == [
        getattr(incident, name) is not None for name in times
    ]
    assert (said["next_step"] is None) == (status == Status.CLOSED)


def test_the_next_step_names_clock_time_roles_and_people(floor: Floor) -> None:
    roles = {Role.IT_MANAGER, Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER}
    managers = {floor.who(role).username for role in roles}
    step = get(floor.tech, f"incidents/{reach(floor, Status.CONTAINED).number}/").json()["next_step"]
    assert {"clock", "due_at", "roles", "people"} <= step.keys()
    assert (step["clock"], set(step["roles"])) == ("closure", roles)
    assert {person["username"] for person in step["people"]} == managers
    assert all(person["name"] for person in step["people"])


def test_what_waits_and_what_is_paused_is_said(floor: Floor) -> None:
    incident = raise_(floor, Impact.AT_RISK)
    said = get(floor.tech, f"incidents/{incident.number}/").json()
    assert (said["waiting"], said["paused"]) == (None, None)
    until = timezone.now() + timedelta(hours=2)
    lifecycle.wait_on(incident.number, by=floor.tech, on="part", name="Fuser", until=until)
    lifecycle.shelve(incident.number, by=floor.manager, until=until, reason="Planned stop")
    said = get(floor.tech, f"incidents/{incident.number}/").json()
    assert (said["waiting"]["on"], said["waiting"]["name"]) == ("part", "Fuser")
    assert (said["paused"]["by"], said["paused"]["reason"]) == (floor.manager.username, "Planned stop")


def test_the_list_is_newest_first_and_of_ones_own_sites(floor: Floor) -> None:
    here, there = [raise_(floor) for _n in range(3)], raise_(make_floor())
    assert numbers(floor.operator) == [incident.number for incident in reversed(here)]
    corporate = make_person("Everywhere", roles=[Role.IT_DIRECTOR], corporate=True)
    assert numbers(corporate)[0] == there.number


def test_somebody_who_works_at_two_sites_sees_both(floor: Floor) -> None:
    other = make_floor()
    first, second = raise_(floor), raise_(other)
    both = make_person("Both", site=floor.site)
    give_role(both, Role.IT_TECH, site=other.site)
    assert numbers(both) == [second.number, first.number]
    assert numbers(both, site=other.site.code) == [second.number]


@pytest.fixture
def five(floor: Floor) -> dict[str, Incident]:
    other = make_station(line=make_line(area=floor.area))
    return {
        "raised": raise_(floor, Impact.STOPPED, title="Labels are blank", now=NOW - timedelta(days=3)),
        "acknowledged": reach(floor, Status.ACKNOWLEDGED, Impact.AT_RISK, words="The Zebra blinks"),
        "contained": reach(floor, Status.CONTAINED, Impact.WORKAROUND, station=other),
        "closed": reach(floor, Status.CLOSED),
        "minor": raise_(floor, Impact.NONE),
    }


def test_the_list_is_filtered(floor: Floor, five: dict[str, Incident]) -> None:
    def found(**query: Any) -> set[str]:
        rows = set(numbers(floor.operator, **query))
        return {name for name, incident in five.items() if incident.number in rows}

    assert found(status="raised") == {"raised", "minor"}
    assert found(status="acknowledged,closed") == {"acknowledged", "closed"}
    assert found(severity="S1") == {"raised", "closed"}
    assert found(severity="S2,S4") == {"acknowledged", "minor"}
    assert found(site=floor.site.code) == set(five)
    assert found(line=five["contained"].line.code) == {"contained"}  # type: ignore[union-attr]
    assert found(owner=floor.tech.username) == {"acknowledged", "contained", "closed"}
    assert found(open="true") == {"raised", "acknowledged", "contained", "minor"}
    assert found(open="false") == {"closed"}
    assert found(q=five["minor"].code) == found(q=str(five["minor"].number)) == {"minor"}
    assert found(q="labels BLANK") == {"raised"}
    assert found(q="zebra") == {"acknowledged"}
    assert found(since=(NOW - timedelta(days=1)).isoformat()) == set(five) - {"raised"}
    assert found(status="raised", severity="S4", open="true") == {"minor"}
    assert found(q="nothing like it") == set()


WRONG = [
    ("status", "exploded"),
    ("severity", "S9"),
    ("site", "NOWHERE"),
    ("line", "NOWHERE"),
    ("owner", "nobody"),
    ("since", "yesterday"),
    ("q", "x" * 101),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_filter_that_means_nothing_is_refused(floor: Floor, name: str, value: str) -> None:
    answer = get(floor.operator, "incidents/", **{name: value})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid" and name in answer.json()["fields"]


def test_pages_follow_each_other_while_rows_are_added(floor: Floor) -> None:
    raised = [raise_(floor).number for _n in range(5)]
    first = get(floor.operator, "incidents/", limit=2).json()
    raise_(floor)
    second = get(floor.operator, first["next"].split("/api/v1/")[1]).json()
    third = get(floor.operator, second["next"].split("/api/v1/")[1]).json()
    pages = [[row["number"] for row in page["results"]] for page in (first, second, third)]
    assert [n for page in pages for n in page] == raised[::-1]
    assert third["next"] is None


def test_a_page_is_never_longer_than_two_hundred(floor: Floor) -> None:
    assert get(floor.operator, "incidents/", limit=100_000).status_code == 200
    assert get(floor.operator, "incidents/", cursor="nonsense").status_code == 404


def test_the_timeline_is_everything_oldest_first(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    said = get(floor.operator, f"incidents/{incident.number}/timeline/").json()["results"]
    assert [event["kind"] for event in said] == ["raised", "acknowledged", "contained"]
    assert [event["version"] for event in said] == [1, 2, 3]
    assert (said[1]["by"], said[1]["by_name"]) == (floor.tech.username, str(floor.tech))
    assert (said[2]["words"], said[2]["says"]) == ("Spare printer", "Product moving")
    assert said[0]["at"] == "2026-03-02T14:00:00Z"
