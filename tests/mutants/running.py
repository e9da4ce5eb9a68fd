"""Running the tests against a copy of the tree with one bug in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalog import Mutant, Patch

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", ".hypothesis", ".*_cache", "__pycache__", "node_modules"
)
TIME_OUT = 1800.0
"""Seconds after which a test that hangs counts as one that failed."""

FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
REASON = re.compile(r"^E +(?:AssertionError: )?(.+)$", re.MULTILINE)


class Outdated(Exception):
    """The text that a patch replaces does not stand exactly once in its file."""


@dataclass(frozen=True)
class Verdict:
    """Which test caught the mutant (empty: none), what it said, and after how many seconds."""

    mutant: Mutant
    caught_by: str
    said: str
    seconds: float


def patched(patch: Patch, root: Path = ROOT) -> str:
    """The file with the bug in it. Raises Outdated."""
    text = (root / patch.path).read_text()
    if text.count(patch.old) != 1:
        raise Outdated(
            f"{patch.path}: this stands {text.count(patch.old)} times in it, not once: {patch.old}"
        )
    return text.replace(patch.old, patch.new)


@contextmanager
def copy_with(patches: Sequence[Patch]) -> Iterator[Path]:
    """A copy of the tree with these bugs; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="opsdesk-mutant-") as folder:
        root = Path(folder) / "tree"
        shutil.copytree(ROOT, root, ignore=LEFT_OUT)
        for patch in patches:
            (root / patch.path).write_text(patched(patch, root))
        yield root


def try_out(mutant: Mutant) -> Verdict:
    """Run its tests until one fails."""
    began = time.monotonic()
    with copy_with(mutant.patches) as root:
        for test in mutant.tests:
            caught, said = run(test, root)
            if caught:
                return Verdict(mutant, caught, said, time.monotonic() - began)
    return Verdict(mutant, "", "", time.monotonic() - began)


def run(test: str, root: Path) -> tuple[str, str]:
    """The test that failed and its first words; empty when all passed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPSDESK_")}
    command = [sys.executable, "-m", "pytest", test, "-x", "-q", "-p", "no:cacheprovider", "-p", "no:logging"]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**env, "OPSDESK_SHRINK": "0"},
            capture_output=True,
            text=True,
            timeout=TIME_OUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return test, "It did not end."
    if done.returncode == 0:
        return "", ""
    failed, reason = FAILED.search(done.stdout), REASON.search(done.stdout)
    if failed is None:
        raise RuntimeError(f"{test} did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed.group(1), reason.group(1)[:160] if reason else ""
