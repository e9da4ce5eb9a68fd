"""Processor time of a process and all that it started: busy neighbours change it little (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(root: int) -> float:
    """Seconds that the tree of processes has used so far, children that have ended included; 0 elsewhere."""
    children: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for pid, parent, ticks in _processes():
        children.setdefault(parent, []).append(pid)
        used[pid] = ticks / TICKS
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        total += used.get(pid, 0.0)
        waiting += children.get(pid, [])
    return total


def _processes() -> Iterator[tuple[int, int, int]]:
    """Id, parent and ticks of each."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        yield int(path.parent.name), int(fields[1]), sum(map(int, fields[11:15]))
