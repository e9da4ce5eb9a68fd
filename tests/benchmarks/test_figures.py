"""What `make bench` prints can be read by programs, and says when a target is missed."""

from __future__ import annotations

import json

import pytest

from benchmarks.figures import Figure, median_of, percentiles


def test_a_percentile_is_a_figure_that_was_measured() -> None:
    seconds = [n / 1000 for n in range(1, 101)]
    assert percentiles(seconds, 50, 95, 99) == pytest.approx({"p50_ms": 50, "p95_ms": 95, "p99_ms": 99})


def test_the_percentile_of_one_figure_is_that_figure() -> None:
    assert percentiles([0.25], 50, 99, prefix="recorded_") == {
        "recorded_p50_ms": 250.0,
        "recorded_p99_ms": 250.0,
    }


def test_the_median_of_the_runs_is_taken_for_each_value() -> None:
    p50s, p95s = (1.0, 3.0, 2.0), (9.0, 5.0, 7.0)
    runs = iter({"p50_ms": p50, "p95_ms": p95} for p50, p95 in zip(p50s, p95s, strict=True))
    assert median_of(3, lambda: next(runs)) == {"p50_ms": 2.0, "p95_ms": 7.0}


def test_a_line_has_the_name_the_values_and_how_many() -> None:
    line = Figure("raise_api", 500, {"p50_ms": 12.3456, "p95_ms": 30.0}, {}).as_json()
    assert json.loads(line) == {"bench": "raise_api", "p50_ms": 12.346, "p95_ms": 30.0, "n": 500}


def test_a_missed_target_is_said_whichever_way_it_points() -> None:
    targets = {"p95_ms": ("<=", 50.0), "per_s": (">=", 150.0)}
    assert Figure("a", 1, {"p95_ms": 50.0, "per_s": 150.0}, targets).misses() == []
    assert len(Figure("a", 1, {"p95_ms": 50.1, "per_s": 149.9}, targets).misses()) == 2
