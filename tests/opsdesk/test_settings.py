"""Settings that follow from others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


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


def test_what_the_manual_lists_can_be_set_where_docker_runs_it() -> None:
    root = Path(settings.BASE_DIR)
    manual = (root / "docs/operations.md").read_text().split("## Settings")[1].split("## Providers")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", manual, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    compose = (root / "docker-compose.yml").read_text()
    not_there = {"PORT", "HOST", "OPSDESK_HOME", "STATIC_ROOT", "DEMO", "DEMO_PASSWORD"}  # the image knows
    there = set(re.findall(r"^    ([A-Z_]+?)(?:_FILE)?: ", compose, re.MULTILINE))
    assert names - not_there - there == set()


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
