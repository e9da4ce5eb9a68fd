"""A real Chromium against the real web server, on this test's database; the test drives the engine itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PASSWORD = "opsdesk"

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """The system's Chromium. A machine without one fails these tests: a skipped main job proves nothing.

    Playwright keeps an event loop in this thread until it stops; the test's queries are made between its
    turns, and Django is told that this is so. Tests of other modules get their thread back.
    """
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(f"No Chromium in PATH ({', '.join(CHROMIUM)}); bin/have-browser installs one.")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=20_000)  # as the clicks: a machine that is busy is not a fault of the page
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def plant(transactional_db: None, settings: Any) -> None:
    """The places and people of the demo plant, with nothing wrong anywhere."""
    from django.utils import timezone

    from escalation.demo.story import load
    from plant.seed import seed_plant

    # The web server checks passwords with Django's own hashers, not with the quick one of other tests.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    seed_plant(load(), now=timezone.now())
    put_on_shift("vela", "crowe", "brandt", "boone")


def put_on_shift(*usernames: str) -> None:
    """These people work round the clock, so that the same people are told at whatever hour the tests run."""
    from plant.models import Person, Site
    from tests.factories import crew_of, make_pattern, put_on_roster

    site = Site.objects.get(code="MBK")
    always = make_pattern(site=site, shifts={"ALL": (0, 0)}, crews={"ALL": ["ALL"]})
    for person in Person.objects.filter(username__in=usernames):
        put_on_roster(person, crew_of(always, "ALL"))


@pytest.fixture(scope="module")
def server(database_env: dict[str, str]) -> Iterator[str]:
    """Where the web server of this module's tests answers: one start, and each test its own plant."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    env = {**database_env, "PORT": str(port), "BASE_URL": address}
    server = subprocess.Popen([sys.executable, "-m", "opsdesk.serve", "web"], cwd=ROOT, env=env)
    try:
        _wait_until_it_answers(address)
        yield address
    finally:
        server.terminate()
        server.wait(15)


@pytest.fixture
def address(plant: None, server: str, settings: Any) -> str:
    """Where the web server answers; links in messages lead there."""
    settings.BASE_URL = server
    return server


def _wait_until_it_answers(address: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{address}/healthz", timeout=2).close()
            return
        time.sleep(0.1)
    pytest.fail("The web server did not start.")


@pytest.fixture
def new_page(browser: Browser, address: str) -> Iterator[NewPage]:
    """Opens a device of its own: `new_page(viewport=…, locale=…)`. It must stay free of errors."""
    errors: list[str] = []
    contexts = []

    def on_console(message: ConsoleMessage) -> None:
        refused = "409" in message.text  # a refusal is an answer, though the browser notes it as an error
        if message.type == "error" and not refused:
            errors.append(message.text)

    def open_one(**device: Any) -> Page:
        context = browser.new_context(base_url=address, **device)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", on_console)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def sign_in() -> Callable[[Page, str], None]:
    def sign_in(page: Page, username: str) -> None:
        page.goto("/login/")
        page.locator("#id_username").fill(username)
        page.locator("#id_password").fill(PASSWORD)
        page.locator("form.pin button.primary").click()
        page.wait_for_url(lambda url: "/login/" not in url)

    return sign_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
