"""Real processes on the test's database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """A process that takes commands; `tell` starts one, `answer` waits for its result."""

    def __init__(self, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.worker"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.startswith("{"):
                return dict(json.loads(line))
        raise AssertionError(f"The process ended: {self.process.wait()}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def processes(process_env: dict[str, str]) -> Iterator[Callable[..., list[Worker]]]:
    """`processes(6)`: so many workers that are ready; all are gone after the test."""
    started: list[Worker] = []

    def start(count: int, **env: str) -> list[Worker]:
        new = [Worker({**process_env, **env}) for _unused in range(count)]
        started.extend(new)
        for worker in new:
            assert worker.answer()["ready"]
        return new

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def world(transactional_db: None) -> Any:
    from tests.scenarios.world import build_world  # Django's apps are not loaded yet when this file is

    return build_world()
