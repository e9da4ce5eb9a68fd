"""How a "no" reaches whoever asked: the status, a code for programs, one sentence for people."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import translation

from opsdesk.errors import Invalid, Refused
from tests.opsdesk.strange_views import REFUSALS

STATUSES = {"refused": 409, "stale": 409, "not-allowed": 403, "missing": 404, "invalid": 400}


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_a_program_gets_code_and_message(strange: Client, kind: str, status: int) -> None:
    answer = strange.post(f"/api/open/{kind}/")

    assert answer.status_code == status
    assert answer.json()["code"] == REFUSALS[kind].code
    assert answer.json()["message"] == str(REFUSALS[kind].message)


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_a_person_gets_a_page_with_the_sentence(strange: Client, kind: str, status: int) -> None:
    answer = strange.get(f"/refuse/{kind}/", headers={"accept": "text/html"})

    assert answer.status_code == status
    assert str(REFUSALS[kind].message) in answer.content.decode()
    assert "<html" in answer.content.decode()


def test_htmx_puts_the_sentence_where_the_page_keeps_it(strange: Client) -> None:
    answer = strange.get("/refuse/stale/", headers={"hx-request": "true", "accept": "text/html"})

    assert answer.status_code == 409
    assert answer["HX-Retarget"] == "#refusal"
    assert "Lena Brandt changed this a moment ago." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_fields_tell_which_input_was_wrong(strange: Client) -> None:
    assert strange.post("/api/open/invalid/").json()["fields"] == {"until": ["That day has passed."]}

    answer = strange.post("/api/open/", {"impact": "huge"}, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert answer.json()["message"] == "station: This field is required."
    assert set(answer.json()["fields"]) == {"station", "impact"}


def test_malformed_json_is_400(strange: Client) -> None:
    answer = strange.post("/api/open/", '{"station": ', content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"


@pytest.mark.parametrize("body", ["[]", '"x"', "7", "null", "[[]]"])
def test_json_of_the_wrong_kind_is_400(strange: Client, body: str) -> None:
    answer = strange.post("/api/open/", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert answer.json()["message"]


def test_another_media_type_is_415(strange: Client) -> None:
    answer = strange.post("/api/open/", "<x/>", content_type="text/xml")

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


def test_another_method_is_405(strange: Client) -> None:
    assert strange.delete("/api/open/").json()["code"] == "method_not_allowed"


def test_nobody_is_401(strange: Client) -> None:
    answer = strange.get("/api/closed/")

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


def test_too_many_is_429_with_the_time_to_wait(strange: Client) -> None:
    fine = {"station": "A", "impact": "none"}
    strange.post("/api/throttled/", fine, content_type="application/json")

    answer = strange.post("/api/throttled/", fine, content_type="application/json")

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 3000
    assert answer.json()["code"] == "too_many"


def test_a_body_of_ten_megabytes_is_413_before_it_is_read(strange: Client) -> None:
    body = b'{"station": "' + b"x" * 10_000_000 + b'"}'

    program = strange.post("/api/open/", body, content_type="application/json")
    person = strange.post("/strange-board/", body, content_type="text/plain", headers={"accept": "text/html"})

    assert (program.status_code, program.json()["code"]) == (413, "too_large")
    assert person.status_code == 413
    assert "too much at once" in person.content.decode()


def test_a_form_of_many_small_fields_is_413(strange: Client) -> None:
    fields = {f"field-{number}": "x" * 1000 for number in range(2700)}

    answer = strange.post("/api/open/", fields, headers={"accept": "application/json"})

    assert answer.status_code in (413, 415)


def test_nul_characters_in_an_address_are_400(strange: Client) -> None:
    assert strange.get("/strange-board/?word=a%00b", headers={"accept": "text/html"}).status_code == 400


@pytest.mark.parametrize(("path", "is_json"), [("/api/nothing/", True), ("/nothing/", False)])
def test_an_unknown_address_is_404_in_the_right_form(strange: Client, path: str, is_json: bool) -> None:
    answer = strange.get(path, headers={"accept": "*/*" if is_json else "text/html"})

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("application/json" if is_json else "text/html")


@pytest.mark.parametrize("path", ["/broken/", "/api/open/broken/"])
def test_a_bug_is_500_and_tells_nothing_of_itself(strange: Client, path: str) -> None:
    answer = strange.post(path) if "api" in path else strange.get(path, headers={"accept": "text/html"})

    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
    assert "our side" in answer.content.decode()


def test_an_expired_form_says_what_to_do(strange: Client) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/strange-board/", {"a": "b"}, headers={"accept": "text/html"})

    assert answer.status_code == 403
    assert "Load it again" in answer.content.decode()


def test_a_refusal_is_translated_when_it_is_said() -> None:
    refusal = Refused("x", translation.gettext_lazy("Yes"))

    with translation.override("es"):
        assert refusal.as_dict()["message"] == "Sí"
    assert str(refusal) == "Yes"
    assert Invalid("y", "No").as_dict() == {"code": "y", "message": "No"}
