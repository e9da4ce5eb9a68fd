from __future__ import annotations

from typing import Any

from escalation.models import Drill, DrillPlan
from plant.models import Role
from tests.api.calls import get, post, program
from tests.factories import Floor, raise_


def start(floor: Floor, **body: Any) -> Any:
    said = {"site": floor.site.code, "area": floor.area.code, "severity": "S1", **body}
    return post(floor.who(Role.IT_MANAGER), "escalation/drills/", said)


def test_an_it_manager_practises_and_stops(floor: Floor) -> None:
    answer = start(floor)
    assert answer.status_code == 201, answer.json()
    said = answer.json()
    assert (said["area"], said["severity"], said["ended_at"]) == (floor.area.code, "S1", None)
    stopped = post(floor.who(Role.IT_MANAGER), f"escalation/drills/{said['id']}/stop/")
    assert stopped.status_code == 200 and stopped.json()["report"]["why"] == "stopped"
    rows = get(floor.manager, "escalation/drills/", site=floor.site.code).json()["results"]
    assert [row["id"] for row in rows] == [said["id"]]
    assert get(floor.manager, "escalation/drills/", running="true").json()["results"] == []


def test_everybody_else_is_refused_as_on_the_screen(floor: Floor) -> None:
    body = {"site": floor.site.code, "severity": "S1"}
    assert post(floor.manager, "escalation/drills/", body).status_code == 403
    assert get(floor.operator, "escalation/drills/").status_code == 403
    drill = start(floor).json()["id"]
    assert post(floor.tech, f"escalation/drills/{drill}/stop/").status_code == 403
    assert post(floor.manager, f"escalation/drills/{drill}/stop/").status_code == 200


def test_beside_something_real_it_is_refused_with_a_sentence(floor: Floor) -> None:
    real = raise_(floor)
    answer = start(floor)
    assert answer.status_code == 409
    assert answer.json()["code"] == "in_the_way" and real.code in answer.json()["message"]
    assert not Drill.objects.exists()


def test_taking_a_practice_moves_nothing_and_working_on_it_is_refused(floor: Floor) -> None:
    number = start(floor).json()["incident"]
    taken = post(floor.tech, f"incidents/{number}/acknowledge/")
    assert taken.status_code == 200 and taken.json()["status"] == "raised"
    refused = post(floor.tech, f"incidents/{number}/contain/", {"what": "Spare"})
    assert (refused.status_code, refused.json()["code"]) == (403, "practice")


def test_the_plan_is_read_and_changed(floor: Floor) -> None:
    manager, where = floor.who(Role.IT_MANAGER), f"escalation/drill-plans/{floor.site.code}/"
    read = get(manager, where).json()
    assert read == {
        "site": floor.site.code,
        "is_on": True,
        "weekday": 2,
        "at": "10:00:00",
        "severity": "S1",
    }
    changed = program(manager).put(
        f"/api/v1/{where}", {"is_on": False, "weekday": 4, "at": "08:00", "severity": "S2"}, format="json"
    )
    assert changed.status_code == 200, changed.json()
    assert DrillPlan.objects.get().is_on is False
    refused = program(floor.manager).put(f"/api/v1/{where}", read, format="json")
    assert refused.status_code == 403
