"""Whether everybody could see it: /readyz, the dashboard and an open page's red band, on both webs."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

BAND = re.compile(rb'<aside class="banner" data-s="bad" role="alert">')
"""The red band, by what a browser shows of it."""

OPEN_PAGE = re.compile(rb'<div id="alerts"[^>]* hx-get="([^"]+)" hx-trigger="every (\d+)s"')

READY_EVERY = 1.0
DASHBOARD_EVERY = 4.0
"""Seconds. Somebody loads it anew; it costs 50 ms of processor each time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at one screen. `says`: what it says, "" for nothing wrong, "no answer" for none."""

    at: float
    screen: str
    says: str

    @property
    def is_bad(self) -> bool:
        return bool(self.says)


class Screens:
    """Looks until `stop`; `seen` has every look in the order of time, per screen."""

    def __init__(self, addresses: Sequence[str], cookie: str) -> None:
        self.cookie = cookie
        self.seen: dict[str, list[Seen]] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(kind, n, address), daemon=True)
            for n, address in enumerate(addresses, start=1)
            for kind in ("readyz", "dashboard", "open page")
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(12)

    def _watch(self, kind: str, n: int, address: str) -> None:
        name = f"{kind} {n}"
        looks = self.seen.setdefault(name, [])
        eye = Eye(address, self.cookie)
        look, every = self._way(kind, eye)
        while not self._stop.is_set():
            says = look()
            looks.append(Seen(time.time(), name, says))
            self._stop.wait(every)

    def _way(self, kind: str, eye: Eye) -> tuple[Callable[[], str], float]:
        if kind == "readyz":
            return eye.readyz, READY_EVERY
        if kind == "dashboard":
            return lambda: eye.page("/dashboard/"), DASHBOARD_EVERY
        path, every = eye.open_page()
        return lambda: eye.page(path, {"HX-Request": "true", "HX-Target": "alerts"}), every


class Eye:
    """Reads one web over a connection of its own."""

    def __init__(self, address: str, cookie: str) -> None:
        self.line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=8)
        self.cookie = cookie

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        try:
            self.line.request("GET", path, headers={"Cookie": self.cookie, **(headers or {})})
            answer = self.line.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.line.close()
            return 0, b""

    def readyz(self) -> str:
        status, text = self.get("/readyz")
        return _says(status, f"not ready: {text.decode()}" if status == 503 else "")

    def page(self, path: str, headers: Mapping[str, str] | None = None) -> str:
        status, text = self.get(path, headers)
        return _says(status, "red band" if BAND.search(text) else "")

    def open_page(self) -> tuple[str, float]:
        """What a page that is opened now asks for, and how often: read from the page itself."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = OPEN_PAGE.search(self.get("/incidents/")[1])
            if found:
                return found[1].decode(), float(found[2])
            time.sleep(1)
        raise RuntimeError("No page with a place for the red band was answered.")


def _says(status: int, said: str) -> str:
    if status == 0:
        return "no answer"
    return said or ("" if status < 400 else f"error {status}")


def bad_spans(looks: Iterable[Seen]) -> list[tuple[float, float]]:
    """(first look that said it, first look after it that did not) of each time a screen said something."""
    spans: list[tuple[float, float]] = []
    since = None
    for one in looks:
        if one.is_bad and since is None:
            since = one.at
        elif not one.is_bad and since is not None:
            spans.append((since, one.at))
            since = None
    if since is not None:
        spans.append((since, float("inf")))
    return spans
