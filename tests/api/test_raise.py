from __future__ import annotations

import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from incidents.models import Event, Incident
from tests.api.calls import post, program
from tests.factories import Floor, make_floor, make_person, make_site, make_station, make_system


def body(floor: Floor, **changes: Any) -> dict[str, Any]:
    return {"station": floor.station.code, "category": floor.category.code, "impact": "stopped", **changes}


def test_a_program_raises(floor: Floor) -> None:
    answer = post(floor.operator, "incidents/", body(floor, words="No labels"))
    assert answer.status_code == 201
    said = answer.json()
    incident = Incident.objects.get()
    assert (said["number"], said["code"], said["version"]) == (incident.number, incident.code, 1)
    assert (said["status"], said["severity"], said["impact"]) == ("raised", "S1", "stopped")
    assert (said["station"], said["line"]) == (floor.station.code, floor.line.code)
    assert (said["site"], said["area"]) == (floor.site.code, floor.area.code)
    assert (said["owner"], said["raised_by"], said["words"]) == (None, floor.operator.username, "No labels")
    assert said["url"].endswith(f"/incidents/{incident.number}/")
    assert said["raised_at"].endswith("Z")


def test_times_are_utc_and_durations_iso(floor: Floor) -> None:
    noticed = timezone.now() - timedelta(minutes=15)
    answer = post(floor.operator, "incidents/", body(floor, noticed_at=noticed.isoformat()))
    assert answer.json()["downtime"].startswith("PT15M")
    assert answer.json()["open_for"] == "PT0S"
    assert answer.json()["downtimes"][0]["ended_at"] is None


def test_who_is_told_next_is_said_at_once(floor: Floor) -> None:
    tech, supervisor = floor.tech, floor.supervisor
    step = post(floor.operator, "incidents/", body(floor)).json()["next_step"]
    assert step["clock"] == "response"
    assert set(step["roles"]) == {"it_tech", "supervisor"}
    assert {person["username"] for person in step["people"]} == {tech.username, supervisor.username}
    assert step["due_at"].endswith("Z")


@pytest.mark.parametrize("place", ["line", "area"])
def test_a_larger_place_will_do(floor: Floor, place: str) -> None:
    asked = {"category": floor.category.code, "impact": "none", place: getattr(floor, place).code}
    assert post(floor.operator, "incidents/", asked).json()[place] == getattr(floor, place).code


def test_a_system_will_do_when_the_place_is_unknown(floor: Floor) -> None:
    asked = {"category": floor.category.code, "impact": "none", "system": make_system("label").code}
    said = post(floor.operator, "incidents/", asked).json()
    assert (said["system"], said["site"], said["line"]) == ("label", floor.site.code, None)


WRONG = [
    ({"station": "ASM-X9-999"}, "station"),
    ({"category": "witchcraft"}, "category"),
    ({"impact": "catastrophic"}, "impact"),
    ({"flow": "sideways"}, "flow"),
    ({"noticed_at": "yesterday"}, "noticed_at"),
    ({"noticed_at": "9999-12-31T23:59:59Z"}, "noticed_at"),
    ({"cover_until": "0001-01-01T00:00:00+14:00"}, "cover_until"),
    ({"client_id": "not-a-uuid"}, "client_id"),
    ({"title": "x" * 121}, "title"),
    ({"words": "x" * 4001}, "words"),
    ({"words": "a\x00b"}, "words"),
    ({"words": ["a"]}, "words"),
    ({"impact": None}, "impact"),
    ({"station": {"code": "x"}}, "station"),
    ({"station": ["x"]}, "station"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_what_is_unknown_or_malformed_is_named(floor: Floor, changes: dict[str, Any], field: str) -> None:
    answer = post(floor.operator, "incidents/", body(floor, **changes))
    assert answer.status_code == 400
    said = answer.json()
    assert said["code"] == "invalid" and list(said["fields"]) == [field] and field in said["message"]
    assert not Incident.objects.exists()


def test_half_a_character_is_refused(floor: Floor) -> None:
    asked = json.dumps(body(floor, words="\ud800"))
    answer = program(floor.operator).generic(
        "POST", "/api/v1/incidents/", asked, content_type="application/json"
    )
    assert answer.status_code == 400 and list(answer.json()["fields"]) == ["words"]


def test_nowhere_is_refused_with_a_sentence(floor: Floor) -> None:
    stray = make_person("Nobody's")
    answer = post(stray, "incidents/", {"category": floor.category.code, "impact": "none"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_place")


def test_another_site_is_refused(floor: Floor) -> None:
    stranger = make_person("Visitor", site=make_site())
    answer = post(stranger, "incidents/", body(floor))
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_site")


def test_a_time_in_the_future_is_refused(floor: Floor) -> None:
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    answer = post(floor.operator, "incidents/", body(floor, noticed_at=soon))
    assert (answer.status_code, answer.json()["code"]) == (400, "noticed_in_future")
    assert "noticed_at" in answer.json()["fields"]


def test_the_same_client_id_again_is_the_same_incident(floor: Floor) -> None:
    asked = body(floor, client_id=str(uuid.uuid4()))
    first = post(floor.operator, "incidents/", asked)
    for _n in range(3):
        again = post(floor.operator, "incidents/", asked)
        assert again.status_code == 200
        assert again.json()["number"] == first.json()["number"]
    assert first.status_code == 201
    assert Event.objects.count() == 1


def test_a_client_id_of_another_site_gives_nothing_away(floor: Floor) -> None:
    asked = body(floor, client_id=str(uuid.uuid4()))
    post(floor.operator, "incidents/", asked)
    elsewhere = make_station()
    stranger = make_person("Visitor", site=elsewhere.line.area.site)
    answer = post(stranger, "incidents/", {**asked, "station": elsewhere.code})
    assert answer.status_code == 403
    assert "number" not in answer.json()


@pytest.mark.django_db(transaction=True)
def test_resending_concurrently_makes_one_incident() -> None:
    floor = make_floor()
    asked, start = body(floor, client_id=str(uuid.uuid4())), threading.Barrier(8)
    clients = [program(floor.operator) for _n in range(8)]
    answers: list[Any] = []

    def send(client: Any) -> None:
        start.wait()
        try:
            answers.append(client.post("/api/v1/incidents/", asked))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert Incident.objects.count() == Event.objects.count() == 1
