from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from escalation.models import Policy
from plant.models import Role
from tests.api.calls import get, post
from tests.factories import Floor, make_floor


@pytest.fixture
def current(floor: Floor) -> dict[str, Any]:
    answer = get(floor.operator, "escalation/policies/", severity="S1", current="true")
    (row,) = answer.json()["results"]
    return dict(row)


def body_of(policy: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"severity": policy["severity"], "clocks": policy["clocks"], "why": "Nights are thin", **changes}


def test_every_severity_has_a_policy_that_anybody_may_read(floor: Floor) -> None:
    rows = get(floor.operator, "escalation/policies/").json()["results"]
    assert {row["severity"] for row in rows} == {"S1", "S2", "S3", "S4"}
    assert all(row["is_current"] and row["version"] == 1 for row in rows)


def test_steps_are_read_with_iso_durations(current: dict[str, Any]) -> None:
    response = current["clocks"]["response"]
    assert [step["after"] for step in response] == ["PT0S", "PT5M", "PT10M"]
    assert set(response[0]["roles"]) == {"it_tech", "supervisor"}
    assert current["clocks"]["closure"][0]["repeat"] == "PT8H"
    assert set(current["clocks"]) == {"response", "containment", "update", "closure", "safety"}


def test_what_was_read_can_be_published_again(floor: Floor, current: dict[str, Any]) -> None:
    manager = floor.who(Role.IT_MANAGER)
    answer = post(manager, "escalation/policies/", body_of(current, site=floor.site.code))
    assert answer.status_code == 201, answer.json()
    said = answer.json()
    assert (said["site"], said["version"], said["published_by"]) == (floor.site.code, 1, manager.username)
    assert said["clocks"] == current["clocks"]


def test_a_new_version_leaves_the_old_one_readable(floor: Floor, current: dict[str, Any]) -> None:
    manager, sooner = floor.who(Role.IT_MANAGER), deepcopy(current["clocks"])
    sooner["response"][1]["after"] = "PT3M"
    for _n in range(2):
        body = body_of(current, clocks=sooner, site=floor.site.code)
        said = post(manager, "escalation/policies/", body).json()
    assert said["version"] == 2 and said["clocks"]["response"][1]["after"] == "PT3M"
    rows = get(manager, "escalation/policies/", site=floor.site.code).json()["results"]
    assert [(row["version"], row["is_current"]) for row in rows] == [(2, True), (1, False)]
    assert get(manager, f"escalation/policies/{said['id']}/").json() == said


def test_who_began_before_somebody_else_published_is_refused(floor: Floor, current: dict[str, Any]) -> None:
    manager, body = floor.who(Role.IT_MANAGER), body_of(current, site=floor.site.code, seen_version=0)
    assert post(manager, "escalation/policies/", body).status_code == 201
    answer = post(manager, "escalation/policies/", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert post(manager, "escalation/policies/", {**body, "seen_version": 1}).json()["version"] == 2


def test_what_a_version_changed_is_read_in_words(floor: Floor, current: dict[str, Any]) -> None:
    manager, ids = floor.who(Role.IT_MANAGER), []
    for after in ("PT5M", "PT3M", "PT4M"):
        clocks = deepcopy(current["clocks"])
        clocks["response"][1]["after"] = after
        body = body_of(current, clocks=clocks, site=floor.site.code)
        ids.append(post(manager, "escalation/policies/", body).json()["id"])

    (change,) = get(manager, f"escalation/policies/{ids[2]}/diff/").json()
    assert (change["clock"], change["kind"]) == ("response", "changed")
    assert change["sentence"].startswith("After 4 min: ")
    assert "3 min" in "".join(change["details"])
    (change,) = get(manager, f"escalation/policies/{ids[2]}/diff/", since=1).json()
    assert "5 min" in "".join(change["details"])
    assert get(manager, f"escalation/policies/{ids[0]}/diff/").json() == []
    assert get(manager, f"escalation/policies/{ids[0]}/diff/", since=7).status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if role != Role.IT_MANAGER])
def test_nobody_else_publishes(floor: Floor, current: dict[str, Any], role: Role) -> None:
    before = Policy.objects.count()
    answer = post(floor.who(role), "escalation/policies/", body_of(current, site=floor.site.code))
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_role")
    assert Policy.objects.count() == before


def test_an_it_manager_publishes_for_their_own_site(floor: Floor, current: dict[str, Any]) -> None:
    other = make_floor()
    answer = post(floor.who(Role.IT_MANAGER), "escalation/policies/", body_of(current, site=other.site.code))
    assert answer.status_code == 403


def test_an_it_manager_of_one_of_two_sites_does_not_publish_for_both(
    floor: Floor, current: dict[str, Any]
) -> None:
    make_floor()
    answer = post(floor.who(Role.IT_MANAGER), "escalation/policies/", body_of(current))
    assert (answer.status_code, answer.json()["code"]) == (403, "every_site")
    assert "your own site" in answer.json()["message"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"severity": "S9"}, "severity"),
    ({"site": "NOWHERE"}, "site"),
    ({"why": ""}, "why"),
    ({"clocks": {}}, "clocks"),
    ({"clocks": []}, "clocks"),
    ({"clocks": {"response": "x"}}, "clocks"),
    ({"clocks": {"response": [{"after": "soon", "channels": ["sms"]}]}}, "clocks"),
    ({"clocks": {"response": [{"after": "PT30S", "roles": ["it_tech"], "channels": ["sms"]}]}}, "clocks"),
    ({"clocks": {"response": [{"after": "-PT5M", "roles": ["it_tech"], "channels": ["sms"]}]}}, "clocks"),
    ({"clocks": {"response": [{"after": "PT5M", "roles": ["king"], "channels": ["sms"]}]}}, "clocks"),
    ({"clocks": {"response": [{"after": "PT5M", "roles": ["it_tech"], "channels": ["pigeon"]}]}}, "clocks"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_policy_that_makes_no_sense_is_refused(
    floor: Floor, current: dict[str, Any], changes: dict[str, Any], field: str
) -> None:
    before = Policy.objects.count()
    body = body_of(current, **{"site": floor.site.code, **changes})
    answer = post(floor.who(Role.IT_MANAGER), "escalation/policies/", body)
    assert answer.status_code == 400 and answer.json()["code"] in ("invalid", "bad_policy")
    assert field in answer.json()["fields"]
    assert Policy.objects.count() == before


def test_an_unknown_policy_is_not_found(floor: Floor) -> None:
    assert get(floor.operator, "escalation/policies/0/").json()["code"] == "not_found"


def test_an_override_is_taken_back_and_stays_readable(floor: Floor, current: dict[str, Any]) -> None:
    manager = floor.who(Role.IT_MANAGER)
    made = post(manager, "escalation/policies/", body_of(current, site=floor.site.code)).json()
    address = f"escalation/policies/{made['id']}/withdraw/"
    assert post(manager, address, {}).status_code == 400
    assert post(manager, address, {"why": "Wrong site", "seen_version": 2}).json()["code"] == "stale"
    assert post(floor.who(Role.IT_LEAD), address, {"why": "No"}).status_code == 403
    answer = post(manager, address, {"why": "Wrong site", "seen_version": 1})
    assert answer.status_code == 200, answer.json()
    said = answer.json()
    assert (said["is_current"], said["withdrawn_by"], said["withdrawn_why"]) == (
        False,
        manager.username,
        "Wrong site",
    )
    assert get(manager, f"escalation/policies/{made['id']}/").json() == said
    again = post(manager, address, {"why": "Wrong site"})
    assert (again.status_code, again.json()["code"]) == (409, "stale")
    everywhere = post(manager, f"escalation/policies/{current['id']}/withdraw/", {"why": "Enough"})
    assert (everywhere.status_code, everywhere.json()["code"]) == (409, "holds_everywhere")
    assert get(manager, "escalation/policies/", severity="S1", current="true").json()["results"] == [current]
