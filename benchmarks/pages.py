"""Raising through the API and opening pages, over HTTP, while the engine runs beside it."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from rest_framework.authtoken.models import Token

from benchmarks import fixes
from benchmarks.figures import percentiles
from incidents.models import Category, Incident
from plant.models import Person, Station

RAISES = 500
OPENINGS = 200
WARM_UP = 20
COUNTERMEASURES = 100_000
ADDITIONS = 500_000
"""A few milliseconds of one core."""

WORDS = ("label", "scanner", "torque", "INC-1042", "press 7", "Wi-Fi", "camera", "login")


class Browser:
    """One kept-alive connection, as a tablet or a program has it."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self._headers = dict(headers)

    def timed(self, method: str, path: str, body: bytes | None = None, *, wanted: int) -> float:
        """Seconds from the first byte sent to the last received; another status is an error."""
        started = time.perf_counter()
        self._connection.request(method, path, body=body, headers=self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        seconds = time.perf_counter() - started
        if answer.status != wanted:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:300]!r}")
        return seconds

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _as_program(address: str) -> Iterator[Browser]:
    token, _created = Token.objects.get_or_create(user=Person.objects.get(username="hutchins"))
    browser = Browser(address, {"Authorization": f"Token {token.key}", "Content-Type": "application/json"})
    yield browser
    browser.close()


@contextmanager
def _as_person(address: str, username: str) -> Iterator[Browser]:
    person = Person.objects.get(username=username)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    browser = Browser(address, {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"})
    yield browser
    browser.close()


def raise_api(address: str) -> dict[str, float]:
    """POST incidents/ one after the other: most are small, as on a real day; one in twenty stops a line."""
    stations = cycle(Station.objects.order_by("code").values_list("code", flat=True))
    categories = cycle(Category.objects.values_list("code", flat=True))
    impacts = cycle(["workaround"] * 12 + ["none"] * 5 + ["at_risk"] * 2 + ["stopped"])
    with _as_program(address) as browser:

        def one() -> float:
            body = {
                "station": next(stations),
                "category": next(categories),
                "impact": next(impacts),
                "words": "The screen is frozen since the shift start.",
                "client_id": str(uuid.uuid4()),
            }
            return browser.timed("POST", "/api/v1/incidents/", json.dumps(body).encode(), wanted=201)

        return _measure(one, RAISES)


def dashboard_page(address: str) -> dict[str, float]:
    with _as_person(address, "tillery") as browser:
        return _measure(lambda: browser.timed("GET", "/dashboard/", wanted=200), OPENINGS)


def countermeasures_board(address: str) -> dict[str, float]:
    """With 100,000 countermeasures, 3,000 of them open: all of it, and what is late, in turn."""
    fixes.there_are(COUNTERMEASURES)
    shows = cycle(("", "?show=late", "?show=week", "?kind=permanent"))
    with _as_person(address, "tillery") as browser:
        path = "/countermeasures/"
        return _measure(lambda: browser.timed("GET", path + next(shows), wanted=200), OPENINGS)


def ledger_page(address: str) -> dict[str, float]:
    """With 100,000 promises, 2,400 of them open, as a manager sees it: everybody's row."""
    fixes.there_are(COUNTERMEASURES)
    shows = cycle(("", "?show=passed", "?show=week", "?show=kept"))
    with _as_person(address, "tillery") as browser:
        path = "/promises/"
        return _measure(lambda: browser.timed("GET", path + next(shows), wanted=200), OPENINGS)


def incident_page(address: str) -> dict[str, float]:
    """Those of the demo plant, with all that ever happened to them, in turn."""
    numbers = cycle(Incident.objects.filter(number__range=(1001, 1040)).values_list("number", flat=True))
    with _as_person(address, "hutchins") as browser:
        return _measure(lambda: browser.timed("GET", f"/incidents/{next(numbers)}/", wanted=200), OPENINGS)


def list_search(address: str) -> dict[str, float]:
    """The incident list with a word in its search field, over all incidents."""
    words = cycle(word.replace(" ", "+") for word in WORDS)
    with _as_person(address, "hutchins") as browser:
        path = "/incidents/?show=all&q="
        return _measure(lambda: browser.timed("GET", path + next(words), wanted=200), OPENINGS)


def _measure(one: Callable[[], float], count: int) -> dict[str, float]:
    """Of `count` requests, and of as many bare loops right after them.

    Where the bare loop's p95 is far from its own p50, the machine is not steady, and no page can be.
    """
    for _unused in range(WARM_UP):
        one()
    pages = [one() for _unused in range(count)]
    bare = [_bare() for _unused in range(count)]
    return {**percentiles(pages, 50, 95), **percentiles(bare, 50, 95, prefix="bare_")}


def _bare() -> float:
    started = time.perf_counter()
    sum(range(ADDITIONS))
    return time.perf_counter() - started
