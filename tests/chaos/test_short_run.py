"""`make chaos`, the short way: a sender killed in mid-send, Redis lost, SMTP refusing, within about 40 s."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.nightly
def test_three_faults_under_load_lose_nothing() -> None:
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "--short", "--seconds", "40", "--rate", "5", "--slack", "6"],
        cwd=ROOT,
        env={name: os.environ[name] for name in kept if name in os.environ},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing was lost." in done.stdout
