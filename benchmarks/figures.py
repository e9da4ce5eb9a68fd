"""What was measured: a table for people, one JSON object per line for programs."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

AS_JSON = os.environ.get("BENCH_JSON") == "1"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result; `values` are named as in the contract: p50_ms, p99_ms, per_s …"""

    bench: str
    n: int
    values: dict[str, float]
    targets: dict[str, tuple[str, float]] = field(default_factory=dict)
    """value name → ("<=" or ">=", bound on two cores)."""

    def as_json(self) -> str:
        rounded = {name: round(value, 3) for name, value in self.values.items()}
        return json.dumps({"bench": self.bench, **rounded, "n": self.n})

    def misses(self) -> list[str]:
        """A sentence for each target that was not met."""
        bad = []
        for name, (sign, bound) in self.targets.items():
            value = self.values[name]
            if (value > bound) if sign == "<=" else (value < bound):
                bad.append(f"{self.bench} {name} is {value:.1f}, wanted {sign} {bound:g}")
        return bad


def percentiles(seconds: Sequence[float], *wanted: int, prefix: str = "") -> dict[str, float]:
    """{"p50_ms": …, …} of durations in seconds; the nearest rank, so every figure was really measured."""
    ordered = sorted(seconds)
    ranks = {p: -(-len(ordered) * p // 100) - 1 for p in wanted}
    return {f"{prefix}p{p}_ms": ordered[rank] * 1000 for p, rank in ranks.items()}


def median_of(runs: int, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Each value's median over the runs."""
    found = [measure() for _run in range(runs)]
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


class Report:
    """Prints each figure as soon as it is there."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def facts(self, server: str) -> None:
        if not AS_JSON:
            machine = f"{_cpu()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB"
            print(f"{machine} · Python {platform.python_version()} · {server}")
            print(f"{'bench':<17} {'n':>6}  figures")

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)
        if AS_JSON:
            print(figure.as_json(), flush=True)
            return
        values = [f"{name} {_short(value)}{_target(figure, name)}" for name, value in figure.values.items()]
        print(f"{figure.bench:<17} {figure.n:>6}  {'  '.join(values)}", flush=True)

    def misses(self) -> list[str]:
        return [miss for figure in self.figures for miss in figure.misses()]


def say(text: str) -> None:
    """Progress, for people only."""
    if not AS_JSON:
        print(f"  … {text}", flush=True)


def _target(figure: Figure, name: str) -> str:
    if name not in figure.targets:
        return ""
    sign, bound = figure.targets[name]
    return f" (wanted {sign} {bound:g})"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def _cpu() -> str:
    return next(_lines("/proc/cpuinfo", "model name"), platform.processor() or platform.machine())


def _memory_gb() -> float:
    kilobytes = next(_lines("/proc/meminfo", "MemTotal"), "0 kB").split()[0]
    return int(kilobytes) / 1024 / 1024


def _lines(path: str, start: str) -> Iterator[str]:
    text = Path(path).read_text() if Path(path).exists() else ""
    yield from (line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(start))
