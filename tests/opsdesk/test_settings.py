"""Settings that follow from others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("given", "demo"),
    [
        ({}, "True"),
        ({"DEBUG": "0"}, "False"),
        ({"DEBUG": "0", "DEMO": "1"}, "True"),
        ({"DEMO": "0"}, "False"),
    ],
)
def test_the_demo_and_its_logins_are_for_trying_out_only(given: dict[str, str], demo: str) -> None:
    known = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "DEMO")}
    ask = "from opsdesk import settings; print(settings.DEMO)"
    env = {**known, "SECRET_KEY": "only for this test", **given}
    said = subprocess.run([sys.executable, "-c", ask], env=env, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == demo


@pytest.mark.parametrize(
    ("before", "limit"),
    [
        pytest.param("", "60", id="a worker"),
        pytest.param("import django; django.setup()", "None", id="whoever has its settings already"),
    ],
)
def test_the_limit_of_a_worker_stays_with_workers(before: str, limit: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "DB_STATEMENT_SECONDS"}
    ask = f"{before}\nimport os, opsdesk.celery; print(os.environ.get('DB_STATEMENT_SECONDS'))"
    said = subprocess.run([sys.executable, "-c", ask], env=env, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == limit
