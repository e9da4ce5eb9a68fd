from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from countermeasures.models import Countermeasure, Promise, Stage
from incidents.models import Status
from plant.models import Role
from tests.api.calls import get, post, program
from tests.factories import NOW, Floor, fresh, make_floor, make_person, make_site, place_fix, plan_fix, reach

TODAY = timezone.now().date()
NEXT_WEEK = (TODAY + timedelta(days=6)).isoformat()


@pytest.fixture
def plan(floor: Floor) -> dict[str, Any]:
    return {
        "kind": "permanent",
        "what": "Pin the driver",
        "owner": floor.tech.username,
        "due_on": NEXT_WEEK,
        "strength": "prevent",
        "metric": "Stops",
        "baseline": "3 a week",
        "target": "None",
        "window": "P60D",
        "window_exposure": 60,
        "exposure_unit": "shift starts",
        "checker": floor.supervisor.username,
    }


def test_from_the_promise_to_the_proof(floor: Floor, plan: dict[str, Any]) -> None:
    incident = reach(floor, Status.CONTAINED)
    made = post(floor.tech, "countermeasures/", {"incident": incident.code, **plan})
    assert made.status_code == 201, made.json()
    said = made.json()
    assert (said["incident"], said["status"], said["kind"]) == (incident.number, "in_work", "permanent")
    assert (said["owner"], said["checker"]) == (floor.tech.username, floor.supervisor.username)
    assert (said["window"], said["held_for"], said["window_exposure"]) == ("P60D", "PT0S", 60)
    assert said["version"] == fresh(incident).version == incident.version + 1
    assert "not proved yet" in said["lacks"]

    where = f"countermeasures/{said['id']}/"
    said = post(floor.tech, where + "in-place/", {"evidence": "Seen", "seen_version": said["version"]}).json()
    assert (said["status"], said["evidence"]) == ("checking", "Seen")
    assert said["proved_on"] == (_local_today(floor) + timedelta(days=60)).isoformat()

    early = post(floor.supervisor, where + "check/", {"effective": True, "measured": "None"})
    assert (early.status_code, early.json()["code"]) == (409, "window_not_over")
    own = post(floor.tech, where + "check/", {"effective": True, "measured": "None"})
    assert (own.status_code, own.json()["code"]) == (403, "own_work")

    Countermeasure.objects.filter(pk=said["id"]).update(checking_from=timezone.now() - timedelta(days=61))
    said = post(floor.supervisor, where + "check/", {"effective": True, "measured": "No stops"}).json()
    assert (said["status"], said["checked_by"], said["lacks"]) == ("effective", floor.supervisor.username, "")


def _local_today(floor: Floor) -> date:
    return timezone.now().astimezone(floor.site.tz).date()


def test_a_fix_that_fails_opens_the_incident_again(floor: Floor) -> None:
    incident = reach(floor, Status.RESOLVED)
    fix = incident.countermeasures.permanent().get()
    body = {"effective": False, "measured": "3 stops"}
    assert (
        post(floor.supervisor, f"countermeasures/{fix.pk}/check/", body).json()["status"] == "not_effective"
    )
    assert fresh(incident).status == Status.REOPENED


def test_promising_planning_and_giving_up(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    asked = {"incident": str(incident.number), "kind": "preventive", "what": "Look at the others"}
    pk = post(floor.tech, "countermeasures/", asked).json()["id"]
    promise = {"owner": floor.tech.username, "due_on": NEXT_WEEK, "strength": "warn"}
    said = post(floor.tech, f"countermeasures/{pk}/start/", promise).json()
    assert (said["status"], said["due_on"], said["strength"]) == ("in_work", NEXT_WEEK, "warn")
    check = {"metric": "Stops", "target": "None", "checker": floor.supervisor.username, "window": "P30D"}
    said = post(floor.tech, f"countermeasures/{pk}/plan-check/", check).json()
    assert (said["metric"], said["window"]) == ("Stops", "P30D")
    said = post(floor.manager, f"countermeasures/{pk}/waive/", {"reason": "Ends in May"}).json()
    assert (said["waived_by"], said["waived_reason"]) == (floor.manager.username, "Ends in May")
    assert (
        post(floor.tech, f"countermeasures/{pk}/withdraw/", {"reason": "x"}).json()["status"] == "withdrawn"
    )


def test_a_bandage_is_extended_and_taken_off(floor: Floor) -> None:
    bandage = reach(floor, Status.CONTAINED).countermeasures.get()
    later = (TODAY + timedelta(days=20)).isoformat()
    body = {"expires_on": later, "reason": "Part is late"}
    refused = post(floor.tech, f"countermeasures/{bandage.pk}/extend/", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_role")
    assert post(floor.manager, f"countermeasures/{bandage.pk}/extend/", body).json()["expires_on"] == later
    said = post(floor.tech, f"countermeasures/{bandage.pk}/take-off/").json()
    assert said["removed_at"] and said["removed_by"] == floor.tech.username


WRONG = [
    ({"incident": "999999"}, 404, "unknown_incident", None),
    ({"incident": "x"}, 404, "unknown_incident", None),
    ({"kind": "magic"}, 400, "invalid", "kind"),
    ({"what": " "}, 400, "invalid", "what"),
    ({"what": "x" * 301}, 400, "invalid", "what"),
    ({"owner": "nobody"}, 400, "invalid", "owner"),
    ({"strength": "magic"}, 400, "invalid", "strength"),
    ({"window": "PT5H"}, 400, "invalid", "window"),
    ({"window": "P36500D"}, 400, "invalid", "window"),
    ({"window": "P0D"}, 400, "invalid", "window"),
    ({"window": "soon"}, 400, "invalid", "window"),
    ({"window_exposure": 0}, 400, "invalid", "window_exposure"),
    ({"window_exposure": 10**30}, 400, "invalid", "window_exposure"),
    ({"due_on": "0001-01-01"}, 400, "invalid", "due_on"),
    ({"seen_version": 0}, 409, "stale", None),
]


@pytest.mark.parametrize(("changes", "status", "code", "field"), WRONG)
def test_what_is_wrong_is_named(
    floor: Floor, plan: dict[str, Any], changes: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    incident = reach(floor, Status.CONTAINED)
    answer = post(floor.tech, "countermeasures/", {"incident": incident.code, **plan, **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert field is None or field in answer.json()["fields"]
    assert not incident.countermeasures.permanent().exists()


def test_an_unknown_one_is_not_found(floor: Floor) -> None:
    for call in (get(floor.tech, "countermeasures/0/"), post(floor.tech, "countermeasures/0/take-off/")):
        assert (call.status_code, call.json()["code"]) == (404, "unknown_countermeasure")


def test_another_site_is_not_for_them(floor: Floor) -> None:
    bandage = reach(floor, Status.CONTAINED).countermeasures.get()
    stranger = make_person("Visitor", roles=[Role.IT_LEAD], site=make_site())
    for call in (
        get(stranger, f"countermeasures/{bandage.pk}/"),
        post(stranger, f"countermeasures/{bandage.pk}/take-off/"),
    ):
        assert (call.status_code, call.json()["code"]) == (403, "wrong_site")
    assert get(stranger, "countermeasures/").json()["results"] == []


def test_the_list_is_filtered(floor: Floor) -> None:
    incident, other = reach(floor, Status.CONTAINED), reach(make_floor(), Status.CONTAINED)
    bandage = incident.countermeasures.get()
    fix, second = plan_fix(floor, incident), place_fix(floor, incident)

    def found(**query: Any) -> set[int]:
        rows = get(floor.operator, "countermeasures/", **query).json()["results"]
        return {row["id"] for row in rows}

    assert found() == {bandage.pk, fix.pk, second.pk}
    assert found(incident=incident.code, kind="containment") == {bandage.pk}
    assert found(incident=other.code) == set()
    assert found(status=Stage.CHECKING) == {second.pk}
    assert found(owner=floor.tech.username, kind="permanent") == {fix.pk, second.pk}
    assert found(live="false") == set()
    assert found(site=floor.site.code) == {bandage.pk, fix.pk, second.pk}
    assert get(floor.operator, "countermeasures/", status="magic").status_code == 400


def test_causes_are_written_one_after_the_other(floor: Floor) -> None:
    incident = reach(floor, Status.CONTAINED)
    where = f"incidents/{incident.number}/cause/"
    assert get(floor.operator, where).json()["root_cause"] == ""
    post(floor.tech, where, {"root_cause": "Drivers update", "five_whys": ["Why?", " ", "Because"]})
    said = post(floor.tech, where, {"escape_cause": "No test print"}).json()
    assert (said["root_cause"], said["escape_cause"]) == ("Drivers update", "No test print")
    assert get(floor.operator, where).json()["five_whys"] == ["Why?", "Because"]
    assert get(floor.operator, where).json()["written_by"] == floor.tech.username
    empty = post(floor.tech, where, {})
    assert (empty.status_code, empty.json()["code"]) == (400, "empty")


def test_the_list_costs_the_same_for_many(floor: Floor, django_assert_max_num_queries: Any) -> None:
    for _n in range(6):
        incident = reach(floor, Status.CONTAINED)
        place_fix(floor, incident, now=NOW)
    client = program(floor.operator)
    with django_assert_max_num_queries(4):
        assert len(client.get("/api/v1/countermeasures/").json()["results"]) == 12


def test_the_measurement_log_is_written_and_read(floor: Floor) -> None:
    where = f"countermeasures/{place_fix(floor, reach(floor, Status.CONTAINED)).pk}/measurements/"
    line = {"value": 2.5, "unit": "stops", "times": 4, "note": "Both at night"}
    made = post(floor.supervisor, where, line)
    assert made.status_code == 201, made.json()
    assert {name: made.json()[name] for name in line} == line
    assert made.json()["by"] == floor.supervisor.username
    assert get(floor.operator, where).json()["results"] == [made.json()]
    refused = post(floor.supervisor, where, {})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["value"])


@pytest.mark.parametrize("field", ["owner", "checker"])
def test_owner_and_checker_never_become_one_by_a_program_nor_in_the_admin(
    floor: Floor, client: Client, field: str
) -> None:
    fix = plan_fix(floor, reach(floor, Status.CONTAINED))
    where, admin = f"countermeasures/{fix.pk}/", floor.who(Role.IT_MANAGER)
    if field == "owner":
        body = {"owner": floor.supervisor.username, "due_on": NEXT_WEEK}
        answers = [post(floor.tech, where + verb, body) for verb in ("start/", "promise/")]
    else:
        body = {"metric": "Stops", "target": "None", "checker": floor.tech.username}
        answers = [post(floor.tech, where + "plan-check/", body)]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "own_work")
    assert program(floor.tech).patch(f"/api/v1/{where}", body).status_code == 405
    admin.is_staff = admin.is_superuser = True
    admin.save(update_fields=["is_staff", "is_superuser"])
    client.force_login(admin)
    person = floor.supervisor if field == "owner" else floor.tech
    page = f"/admin/countermeasures/countermeasure/{fix.pk}/change/"
    assert client.post(page, {field: person.pk}).status_code == 403
    fix.refresh_from_db()
    assert (fix.owner, fix.checker) == (floor.tech, floor.supervisor)


def test_a_program_promises_and_agrees_another_date_with_its_reason(floor: Floor) -> None:
    fix = plan_fix(floor, reach(floor, Status.CONTAINED), owner=None, due_on=None)
    where = f"countermeasures/{fix.pk}/promise/"
    said = post(floor.tech, where, {"owner": floor.tech.username, "due_on": NEXT_WEEK}).json()
    assert (said["status"], said["owner"], said["due_on"]) == ("in_work", floor.tech.username, NEXT_WEEK)
    later = (TODAY + timedelta(days=9)).isoformat()
    bare = post(floor.tech, where, {"due_on": later})
    assert (bare.status_code, bare.json()["code"]) == (400, "no_reason")
    body = {"due_on": later, "reason": "The part is in customs", "in_the_way": "part"}
    assert post(floor.tech, where, body).json()["due_on"] == later
    promise = Promise.objects.get(countermeasure=fix, kind="fix")
    assert (str(promise.due_on), promise.in_the_way, promise.moved) == (later, "part", 1)
    assert promise.changes.get().reason == "The part is in customs"


def test_the_bandage_register_is_a_filter(floor: Floor) -> None:
    on = reach(floor, Status.CONTAINED).countermeasures.get()
    off = reach(floor, Status.CLOSED).countermeasures.containment().get()
    long_ago = reach(floor, Status.CONTAINED).countermeasures.get()
    Countermeasure.objects.filter(pk=on.pk).update(expires_on=TODAY + timedelta(days=2))
    Countermeasure.objects.filter(pk=long_ago.pk).update(expires_on=TODAY - timedelta(days=2))

    def found(**query: object) -> set[int]:
        said = get(floor.tech, "countermeasures/", kind="containment", **query).json()
        return {one["id"] for one in said["results"]}

    assert found(worn="true") == {on.pk, long_ago.pk}
    assert found(worn="false") == {off.pk}
    assert found(worn="true", expired="true") == {long_ago.pk}
