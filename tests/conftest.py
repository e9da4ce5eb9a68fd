"""Real PostgreSQL and Redis for every run: the given ones, or embedded ones that its workers share."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsdesk import embedded

# The first process of a run makes the folder; xdist's workers inherit its name through the environment.
_OWNER = "OPSDESK_TEST_HOME" not in os.environ
if _OWNER:
    os.environ["OPSDESK_TEST_HOME"] = tempfile.mkdtemp(prefix="opsdesk-test-", dir="/tmp")
HOME = embedded.Home(Path(os.environ["OPSDESK_TEST_HOME"]).resolve(), durable=False)
os.environ["OPSDESK_HOME"] = str(HOME.path)
# Here and not in pyproject: settings must be read after the home is known.
os.environ["DJANGO_SETTINGS_MODULE"] = "opsdesk.settings"
for _name in ("EMAIL_URL", "SMS_URL", "BASE_URL", "SENTRY_DSN", "HEARTBEAT_URL", "DEBUG", "PORT"):
    os.environ.pop(_name, None)
# As in the web server (`opsdesk.asgi`): an eighth of the tests' time went there.
gc.set_threshold(50_000, 20, 20)
# Some hundred processes are started: each would compile OpsDesk anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    embedded.attach(HOME)
    from django.conf import settings

    settings.NUDGE_ENGINE = False  # a test that wants it switches it on
    settings.DUTY_BOOK_SECONDS = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure(config: pytest.Config) -> None:
    embedded.detach(HOME)
    if _OWNER:
        end = time.monotonic() + 10
        while embedded.keeper_lives(HOME) and time.monotonic() < end:
            time.sleep(0.05)  # a worker of this run is still leaving
        shutil.rmtree(HOME.path, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The demo plant first: shared out at the end of a run, its tests would build one in each process."""
    items.sort(key=lambda item: item.path.parent.name != "seed")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """As in the web server: what is loaded by now stays, and is not walked through under each test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """A migrated database for this process, in place of pytest-django's: see `tests.database`."""
    from tests import database

    with django_db_blocker.unblock():
        database.set_up(HOME.path)
    yield
    if "DATABASE_URL" in os.environ:  # else the server goes with all its databases
        with django_db_blocker.unblock():
            database.drop()


@pytest.fixture(scope="session")
def database_env(django_db_setup: None) -> dict[str, str]:
    """Environment for real processes (manage.py, Celery) that work on the tests' database."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    host, user = connection.settings_dict["HOST"], connection.settings_dict["USER"]
    secret, port = connection.settings_dict["PASSWORD"], connection.settings_dict["PORT"]
    where = f"/{name}?host={host}" if str(host).startswith("/") else f"{host}:{port or 5432}/{name}"
    url = f"postgres://{user}:{secret}@{where}" if secret else f"postgres://{user}@{where}"
    return {**os.environ, "DATABASE_URL": url}


@pytest.fixture
def process_env(transactional_db: None, database_env: dict[str, str]) -> dict[str, str]:
    """`database_env` for a test whose processes see what it commits."""
    return database_env


@pytest.fixture(autouse=True)
def _plain_words_and_utc() -> Iterator[None]:
    """No test finds the language or the time zone that a request of the one before has left behind."""
    from django.utils import timezone, translation

    yield
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture
def nudged(settings: Any) -> None:
    """The engine is nudged on commit, as in production."""
    settings.NUDGE_ENGINE = True


@pytest.fixture
def lasting_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links in messages of a clock that stands at some day of the past open all the same."""
    from escalation import answering  # Django's apps are not loaded yet when this file is

    for name in ("LINK_LASTS", "CLOSED_LINK_LASTS"):
        monkeypatch.setattr(answering, name, timedelta(days=36_500))


@pytest.fixture
def floor(db: None) -> Any:
    """A site with one area, line and station, and a person for every role that is asked for."""
    from tests.factories import make_floor

    return make_floor()
