"""What grows with the years: the dashboard, and an engine turn beside many armed timers."""

from __future__ import annotations

from benchmarks import crowd, engine, pages, stage
from benchmarks.figures import percentiles

ARMED_EACH = 10
"""One armed timer for so many closed incidents: 100,000 beside 1,000,000."""


def growth_dashboard(_closed: int) -> dict[str, float]:
    """Opening the managers' dashboard while OpsDesk runs."""
    with stage.opsdesk_running() as address:
        found = pages.dashboard_page(address)
    crowd.forget_newest()
    return found


def growth_tick(closed: int) -> dict[str, float]:
    """A turn with nothing due, beside one armed timer for every ten closed incidents."""
    return percentiles(engine.growth_tick(closed // ARMED_EACH), 50, 95)
