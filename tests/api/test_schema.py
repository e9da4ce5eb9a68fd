from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

from tests.factories import Floor

VERBS = [
    "acknowledge",
    "assign",
    "arrive",
    "updates",
    "contain",
    "resolve",
    "close",
    "reopen",
    "severity",
    "wait",
    "shelve",
    "help",
]


@pytest.fixture(scope="module")
def schema() -> Any:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return yaml.safe_load(out.getvalue())


def test_the_schema_has_no_warnings(schema: Any) -> None:
    assert schema["openapi"].startswith("3.")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_the_contract_is_in_it(schema: Any, verb: str) -> None:
    call = schema["paths"][f"/api/v1/incidents/{{number}}/{verb}/"]["post"]
    assert call["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "/IncidentWithNextStep"
    )
    assert call["description"]


def test_lists_and_lookups_of_the_contract_are_in_it(schema: Any) -> None:
    for where in (
        "incidents/",
        "incidents/{number}/",
        "incidents/{number}/timeline/",
        "incidents/{number}/notifications/",
        "countermeasures/",
        "escalation/policies/",
        "escalation/preview/",
        "plant/stations/",
        "plant/duty/",
    ):
        assert "get" in schema["paths"][f"/api/v1/{where}"]
    asked = {one["name"] for one in schema["paths"]["/api/v1/incidents/"]["get"]["parameters"]}
    assert {"status", "severity", "site", "line", "owner", "open", "q", "since", "cursor"} <= asked


def test_raising_answers_with_two_kinds_of_success(schema: Any) -> None:
    assert {"200", "201"} <= schema["paths"]["/api/v1/incidents/"]["post"]["responses"].keys()


def test_schema_and_docs_are_served(floor: Floor) -> None:
    client = APIClient()
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200
