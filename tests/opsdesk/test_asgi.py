"""The web server's process, once it is loaded."""

from __future__ import annotations

import subprocess
import sys

LOOK = "import gc, opsdesk.asgi; print(gc.get_freeze_count(), *gc.get_threshold())"


def test_what_is_loaded_at_the_start_is_not_walked_through_under_a_page() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=60
    )
    frozen, *thresholds = map(int, done.stdout.split())
    assert frozen > 100_000, "all pages are read before"
    assert thresholds[0] > 10_000, "a page of ten thousand objects starts no walk"
