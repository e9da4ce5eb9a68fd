"""Every refusal is `{"code", "message", "fields"?}` with the status that says the same."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.settings import api_settings
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle

from incidents.models import Incident, Status
from plant.models import Role
from tests.api.calls import act, get, post, program
from tests.factories import Floor, make_person, make_site, raise_, reach

CALLS = [
    ("get", "incidents/"),
    ("post", "incidents/"),
    ("get", "incidents/1001/"),
    ("post", "incidents/1001/acknowledge/"),
    ("get", "incidents/1001/timeline/"),
    ("get", "incidents/1001/notifications/"),
    ("get", "countermeasures/"),
    ("post", "countermeasures/"),
    ("get", "escalation/policies/"),
    ("post", "escalation/policies/"),
    ("get", "escalation/preview/"),
    ("get", "plant/duty/"),
]


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    said: dict[str, Any] = answer.json()
    assert (answer.status_code, said["code"]) == (status, code), said
    assert set(said) <= {"code", "message", "fields"} and said["message"]
    return said


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "where"), CALLS)
def test_without_a_token_nothing_is_answered(method: str, where: str) -> None:
    answer = getattr(APIClient(), method)(f"/api/v1/{where}")
    check(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Token")


def test_a_wrong_token_is_refused(floor: Floor) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token 0123456789")
    check(client.get("/api/v1/incidents/"), 401, "not_authenticated")


def test_somebody_who_left_is_refused(floor: Floor) -> None:
    client = program(floor.tech)
    floor.tech.is_active = False
    floor.tech.save()
    check(client.get("/api/v1/incidents/"), 401, "not_authenticated")


def test_a_session_will_do(floor: Floor) -> None:
    client = APIClient()
    client.force_login(floor.tech)
    assert client.get("/api/v1/incidents/").status_code == 200


def test_a_session_without_the_csrf_token_changes_nothing(floor: Floor) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(floor.tech)
    incident = raise_(floor)
    answer = client.post(f"/api/v1/incidents/{incident.number}/acknowledge/", content_type="application/json")
    check(answer, 403, "not_allowed")
    assert Incident.objects.get().owner is None


@pytest.mark.parametrize("number", ["999999", "INC-999999", "abc", "-1", "1e3", "99999999999999999999", "¹²"])
def test_an_unknown_number_is_not_found(floor: Floor, number: str) -> None:
    check(get(floor.tech, f"incidents/{number}/"), 404, "unknown_incident")
    check(post(floor.tech, f"incidents/{number}/acknowledge/"), 404, "unknown_incident")


@pytest.mark.parametrize("where", ["nothing/", "incidents/1001/explode/", "countermeasures/x/"])
def test_an_unknown_address_is_json_too(floor: Floor, where: str) -> None:
    check(get(floor.tech, where), 404, "not_found")


def test_a_wrong_method_is_json_too(floor: Floor) -> None:
    check(program(floor.tech).delete(f"/api/v1/incidents/{raise_(floor).number}/"), 405, "method_not_allowed")


MALFORMED = [
    b"{",
    b"not json",
    b'{"a": }',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"NaN",
    b"1" * 10_000,
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: body[:8].decode("latin-1"))
def test_malformed_json_is_one_sentence(floor: Floor, body: bytes) -> None:
    answer = program(floor.operator).generic(
        "POST", "/api/v1/incidents/", cast(str, body), content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["code"] in ("malformed", "invalid")
    assert not Incident.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_json_that_is_no_object_is_refused(floor: Floor, body: Any) -> None:
    for where in ("incidents/", "countermeasures/", "escalation/policies/"):
        answer = program(floor.who(Role.IT_MANAGER)).post(f"/api/v1/{where}", body, format="json")
        assert answer.status_code == 400


def test_ten_megabytes_are_too_much(floor: Floor) -> None:
    body = b'{"words": "' + b"x" * 10_000_000 + b'"}'
    answer = program(floor.operator).generic(
        "POST", "/api/v1/incidents/", cast(str, body), content_type="application/json"
    )
    check(answer, 413, "too_large")
    assert not Incident.objects.exists()


@pytest.mark.parametrize("kind", ["application/xml", "text/plain", "application/x-www-form-urlencoded"])
def test_another_media_type_is_refused(floor: Floor, kind: str) -> None:
    answer = program(floor.operator).generic("POST", "/api/v1/incidents/", "<a/>", content_type=kind)
    check(answer, 415, "unsupported_media_type")


def test_too_many_calls_are_slowed_down(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        UserRateThrottle, "THROTTLE_RATES", {**api_settings.DEFAULT_THROTTLE_RATES, "user": "2/min"}
    )
    answers = [get(floor.tech, "incidents/") for _n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    check(answers[-1], 429, "too_many")
    assert 0 < int(answers[-1]["Retry-After"]) <= 60


def test_a_role_that_may_not_is_told_so(floor: Floor) -> None:
    said = check(act(floor.operator, raise_(floor), "acknowledge"), 403, "wrong_role")
    assert said["message"] == "Your role cannot take this."


def test_another_site_is_not_for_them(floor: Floor) -> None:
    stranger = make_person("Visitor", roles=[Role.IT_LEAD], site=make_site())
    incident = raise_(floor)
    check(act(stranger, incident, "acknowledge"), 403, "wrong_site")
    check(get(stranger, f"incidents/{incident.number}/"), 403, "wrong_site")
    check(get(stranger, f"incidents/{incident.number}/timeline/"), 403, "wrong_site")
    check(get(stranger, f"incidents/{incident.number}/notifications/"), 403, "wrong_site")


def test_a_transition_that_is_not_in_the_table_is_a_conflict(floor: Floor) -> None:
    said = check(act(floor.tech, raise_(floor), "contain", what="Paper"), 409, "wrong_status")
    assert "Raised" in said["message"] and "Product moving" in said["message"]


def test_a_stale_screen_is_a_conflict(floor: Floor) -> None:
    incident = raise_(floor)
    act(floor.operator, incident, "words", words="It smokes")
    check(act(floor.tech, incident, "acknowledge", seen_version=1), 409, "stale")


@pytest.mark.parametrize("seen", ["x", -1, 1.5, [1]])
def test_a_version_is_a_number(floor: Floor, seen: Any) -> None:
    said = check(act(floor.tech, raise_(floor), "acknowledge", seen_version=seen), 400, "invalid")
    assert "seen_version" in said["fields"]


def test_what_is_missing_for_closing_is_listed(floor: Floor) -> None:
    said = check(act(floor.supervisor, reach(floor, Status.CONTAINED), "close"), 409, "not_ready_to_close")
    assert len(said["fields"]["missing"]) == 5
    assert all(sentence in said["message"] for sentence in said["fields"]["missing"])


def test_messages_come_in_the_language_that_is_asked_for(floor: Floor) -> None:
    Token.objects.get_or_create(user=floor.operator)
    client = program(floor.operator)
    incident = raise_(floor)
    where = f"/api/v1/incidents/{incident.number}/acknowledge/"
    english = client.post(where, {}).json()["message"]
    spanish = client.post(where, {}, HTTP_ACCEPT_LANGUAGE="es").json()["message"]
    assert english != spanish


@pytest.mark.parametrize(
    ("where", "asked", "english", "spanish"),
    [
        ("incidents/", {"category": "nope"}, "There is no category “nope”.", "No hay categoría “nope”."),
        ("incidents/", {"station": "{0}"}, "There is no station “{0}”.", "No hay estación “{0}”."),
        ("incidents/{n}/assign/", {"to": "ghost"}, "There is no person “ghost”.", "No hay persona “ghost”."),
        ("escalation/policies/", {"area": "x" * 999}, f"There is no area “{'x' * 59}…”.", "No hay área “xx"),
    ],
)
def test_what_there_is_not_is_named_in_one_plain_sentence(
    floor: Floor, where: str, asked: dict[str, str], english: str, spanish: str
) -> None:
    client, (field,) = program(floor.who(Role.IT_MANAGER)), asked
    address = f"/api/v1/{where.replace('{n}', str(raise_(floor).number))}"
    for language, sentence in (("en", english), ("es", spanish)):
        answer = client.post(address, asked, HTTP_ACCEPT_LANGUAGE=language)
        said = check(answer, 400, "invalid")["fields"][field]
        assert len(said) == 1 and said[0].startswith(sentence)


def test_a_bug_is_json_too(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("incidents.lifecycle.raising.record", broken)
    client = program(floor.operator)
    client.raise_request_exception = False
    asked = {"station": floor.station.code, "category": floor.category.code, "impact": "none"}
    check(client.post("/api/v1/incidents/", asked), 500, "broken")
    assert not Incident.objects.exists()
