"""The engine: PostgreSQL remembers, whoever calls `tick` only moves hands.

`tick` may run anywhere, any number of times at once, and may die at any line. What it does for an incident it
does in one transaction that holds the incident's row, so that people and the engine never both win.
"""

from escalation.engine.ticking import Ticked, tick, wait_for_next

__all__ = ["Ticked", "tick", "wait_for_next"]
