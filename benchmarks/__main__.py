"""`python -m benchmarks [name …] [--runs 3]`: builds an OpsDesk of its own, measures it, removes it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from django.core.management import call_command
from django.db import connection, connections

from benchmarks import crowd, stage
from benchmarks.figures import Figure, Report, median_of, say
from opsdesk import embedded
from opsdesk.boot import boot

Targets = dict[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A name of the contract, how many of what are measured, and the bounds on two cores."""

    name: str
    n: int
    targets: Targets
    runs: int | None = None
    """Runs of a bench that takes minutes; None: as many as asked for."""


PAGES = [
    Bench("dashboard_page", 200, {"p95_ms": ("<=", 80)}),
    Bench("incident_page", 200, {}),
    Bench("list_search", 200, {}),
    Bench("raise_api", 500, {"p95_ms": ("<=", 50)}),
]
ENGINE = [
    Bench("tick_idle", 100, {}),
    Bench("engine_record", 10_000, {"per_s": (">=", 1000)}),
    Bench("engine_lag", 1000, {"recorded_p99_ms": ("<=", 2000), "p99_ms": ("<=", 8000)}),
    Bench("email_hand_over", 3000, {"per_s": (">=", 150)}),
    Bench("engine_hand_over", 10_000, {"per_s": (">=", 150)}, runs=1),
]


def main(arguments: Sequence[str]) -> int:
    asked = _parse(arguments)
    report = Report()
    with stage.fresh_home():
        try:
            _build(asked.incidents, report)
            _measure_all(asked, report)
        finally:
            _leave()
    for miss in report.misses():
        say(f"missed: {miss}")
    return 1 if asked.strict and report.misses() else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="which benches; all when none is named")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many runs is given")
    parser.add_argument("--incidents", type=int, default=100_000, help="closed incidents in the database")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - {bench.name for bench in PAGES + ENGINE}
    if unknown:
        parser.error(f"there is no bench called {', '.join(sorted(unknown))}")
    return asked


def _chosen(benches: list[Bench], names: Sequence[str]) -> list[Bench]:
    return [bench for bench in benches if not names or bench.name in names]


def _build(incidents: int, report: Report) -> None:
    """The demo plant, and years of closed incidents behind it."""
    say("building the demo plant")
    boot()
    call_command("migrate", verbosity=0)
    call_command("seed_demo", stdout=io.StringIO())
    say(f"adding {incidents:,} closed incidents")
    crowd.closed_incidents(incidents)
    report.facts(_server_facts())


def _server_facts() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), count(*) FROM incidents_incident")
        version, incidents = cursor.fetchone()
    return f"PostgreSQL {version} · {incidents:,} incidents"


def _measure_all(asked: argparse.Namespace, report: Report) -> None:
    if pages := _chosen(PAGES, asked.names):
        _measure_pages(pages, asked.runs, report)
    for bench in _chosen(ENGINE, asked.names):
        _measure(bench, _function("engine", bench.name), asked.runs, report)


def _measure_pages(benches: Sequence[Bench], runs: int, report: Report) -> None:
    """Over HTTP, while engine and senders work beside."""
    with stage.opsdesk_running() as address:
        for bench in benches:
            _measure(bench, partial(_function("pages", bench.name), address), runs, report)
    crowd.forget_newest()


def _measure(bench: Bench, one: Callable[[], dict[str, float]], runs: int, report: Report) -> None:
    values = median_of(min(runs, bench.runs or runs), one)
    report.add(Figure(bench.name, bench.n, values, bench.targets))


def _function(module: str, name: str) -> Callable[..., dict[str, float]]:
    """A bench by its name. Its module is loaded only now: it needs Django, which needs the fresh folder."""
    return getattr(import_module(f"benchmarks.{module}"), name)  # type: ignore[no-any-return]


def _leave() -> None:
    """Let go of the embedded servers, so that they end before their folder goes."""
    connections.close_all()
    embedded.detach(embedded.home_from(os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
