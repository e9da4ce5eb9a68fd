"""`python -m benchmarks [name …] [--runs 3]`: builds an OpsDesk of its own, measures it, removes it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
    Bench("countermeasures_board", 200, {"p95_ms": ("<=", 80)}),
    Bench("ledger_page", 200, {"p95_ms": ("<=", 80)}),
]
ENGINE = [
    Bench("tick_idle", 100, {}),
    Bench("engine_record", 10_000, {"per_s": (">=", 2500)}),
    Bench("engine_scaling", 10_000, {}),
    Bench("engine_lag", 1000, {"recorded_p99_ms": ("<=", 1500), "p99_ms": ("<=", 5000)}),
    Bench("engine_hand_over", 10_000, {"per_s": (">=", 150)}, runs=1),
]
OUTBOUND = [
    Bench("email_hand_over", 3000, {"per_s": (">=", 250)}),
    Bench("sms_hand_over", 3000, {"per_s": (">=", 200)}),
    Bench("dead_provider", 3000, {"ratio": (">=", 0.9)}),
]
GROWTH = [
    Bench("growth_dashboard", 1_000_000, {}),
    Bench("growth_tick", 1_000_000, {"p95_ms": ("<=", 20)}),
]
"""Measured with few and with many closed incidents, before and after everything else."""

FEW, MANY = 10_000, 1_000_000


def main(arguments: Sequence[str]) -> int:
    asked = _parse(arguments)
    report = Report()
    with stage.fresh_home():
        try:
            growth = Growth(_chosen(GROWTH, asked.names))
            _build(report)
            growth.measure(FEW)
            if pages_or_engine := _chosen([*PAGES, *ENGINE, *OUTBOUND], asked.names):
                _add_closed(asked.incidents)
                _measure_all(pages_or_engine, asked.runs, report)
            growth.measure(MANY)
            growth.add_to(report)
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
    unknown = set(asked.names) - {bench.name for bench in PAGES + ENGINE + OUTBOUND + GROWTH}
    if unknown:
        parser.error(f"there is no bench called {', '.join(sorted(unknown))}")
    return asked


def _chosen(benches: list[Bench], names: Sequence[str]) -> list[Bench]:
    return [bench for bench in benches if not names or bench.name in names]


def _build(report: Report) -> None:
    """The demo plant, and a policy that makes one email of one timer."""
    say("building the demo plant")
    boot()
    call_command("migrate", verbosity=0)
    call_command("seed_demo", stdout=io.StringIO())
    _function("engine", "tell_one_by_email")()
    report.facts(_server_facts())


def _add_closed(count: int) -> None:
    """Years of closed incidents behind the demo plant."""
    say(f"making it {count:,} closed incidents")
    crowd.closed_incidents(count)


@dataclass(slots=True)
class Growth:
    """The same measured at two sizes: what it costs at the large one, and how much more that is."""

    benches: Sequence[Bench]
    found: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def measure(self, closed: int) -> None:
        if self.benches:
            _add_closed(closed)
        for bench in self.benches:
            self.found.setdefault(bench.name, []).append(_function("growth", bench.name)(closed))

    def add_to(self, report: Report) -> None:
        for bench in self.benches:
            small, large = self.found[bench.name]
            report.add(Figure(bench.name, bench.n, {**large, **_compared(small, large)}, bench.targets))


def _compared(small: dict[str, float], large: dict[str, float]) -> dict[str, float]:
    return {"small_p50_ms": small["p50_ms"], "ratio": large["p50_ms"] / small["p50_ms"]}


def _server_facts() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), count(*) FROM incidents_incident")
        version, incidents = cursor.fetchone()
    return f"PostgreSQL {version} · the demo plant’s {incidents:,} incidents and what is added"


def _measure_all(benches: Sequence[Bench], runs: int, report: Report) -> None:
    if pages := [bench for bench in PAGES if bench in benches]:
        _measure_pages(pages, runs, report)
    for bench in (bench for bench in ENGINE if bench in benches):
        _measure(bench, _function("engine", bench.name), runs, report)
    for bench in (bench for bench in OUTBOUND if bench in benches):
        _measure(bench, _function("outbound", bench.name), runs, report)


def _measure_pages(benches: Sequence[Bench], runs: int, report: Report) -> None:
    """Over HTTP, while engine and senders work beside."""
    with stage.opsdesk_running() as address:
        for bench in benches:
            _measure(bench, partial(_function("pages", bench.name), address), runs, report)
    _function("fixes", "forget")()
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
