import pytest
from django.test import Client


def test_healthz_answers_without_a_database(client: Client) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.content == b"ok\n"


@pytest.mark.django_db
def test_tests_run_on_postgresql() -> None:
    from django.db import connection

    assert connection.vendor == "postgresql"
