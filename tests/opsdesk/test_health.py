"""What a load balancer, a monitor and Prometheus are told."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from opsdesk import views


def fine() -> str:
    return ""


def late() -> str:
    return "The engine has not ticked for 31 s."


def breaks() -> str:
    raise ZeroDivisionError


@pytest.fixture
def checks(settings: Any) -> Any:
    settings.READY_CHECKS = [f"{__name__}.fine"]
    return settings


def test_healthz_answers_without_a_database(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_tests_run_on_postgresql() -> None:
    assert connection.vendor == "postgresql"


@pytest.mark.django_db
def test_readyz_is_200_when_nothing_is_wrong(client: Client, checks: Any) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "problems": []}


@pytest.mark.django_db
def test_readyz_is_503_and_says_why(client: Client, checks: Any) -> None:
    checks.READY_CHECKS = [f"{__name__}.late", f"{__name__}.breaks", f"{__name__}.fine"]

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["problems"] == [
        "The engine has not ticked for 31 s.",
        f"The check {__name__}.breaks broke.",
    ]


@pytest.mark.django_db
def test_readyz_is_503_when_migrations_are_missing(
    client: Client, checks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_migrated", False)
    monkeypatch.setattr(views.MigrationExecutor, "migration_plan", lambda *_: ["a migration"])

    assert client.get("/readyz").json()["problems"] == [
        "The database misses migrations; run manage.py migrate."
    ]


@pytest.mark.django_db
def test_readyz_is_503_when_the_database_is_away(
    client: Client, checks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> bool:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(views, "_is_migrated", away)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["problems"] == ["The database cannot be reached."]


@pytest.mark.django_db
def test_metrics_count_requests_by_the_name_of_their_view(client: Client) -> None:
    client.get("/healthz")
    client.get("/nothing/of/the/kind/")

    text = client.get("/metrics").content.decode()

    assert 'opsdesk_request_seconds_count{method="GET",status="200",view="healthz"}' in text
    assert 'view="none"' in text
    assert "/nothing/of/the/kind/" not in text


@pytest.mark.django_db
def test_pages_carry_a_strict_content_security_policy(client: Client) -> None:
    policy = client.get("/login/", follow=True)["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy


@pytest.mark.django_db
def test_the_api_documents_itself_without_the_internet(client: Client) -> None:
    schema = client.get("/api/schema/?format=json")
    page = client.get("/api/docs/")

    assert schema.status_code == 200
    assert page.status_code == 200
    assert b"https://" not in page.content
    assert b"swagger-ui-bundle" in page.content


def test_the_tests_reach_no_mail_server_by_accident(settings: Any) -> None:
    assert settings.EMAIL_URL == "sandbox://"
    assert settings.SMS_URL == "sandbox://"
