"""The numbers of the default policies as domain §4 has them, written down a second time on purpose.

Minutes after the clock's base at which each step is due; the last number is how long after the end of the
ladder everybody on it is told again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

SEVERITY = {"safety": "S1", "stopped": "S1", "at_risk": "S2", "workaround": "S3", "none": "S4"}

LADDERS: dict[str, dict[str, tuple[list[int], int]]] = {
    "S1": {
        "response": ([0, 5, 10], 15),
        "containment": ([15, 30, 60, 120], 60),
        "update": ([0, 10, 20], 30),
        "closure": ([480], 480),
    },
    "S2": {
        "response": ([0, 15, 30], 30),
        "containment": ([60, 120, 240], 120),
        "update": ([0, 30], 120),
        "closure": ([1440], 1440),
    },
    "S3": {
        "response": ([0, 60], 240),
        "containment": ([480], 480),
        "update": ([0, 60], 480),
        "closure": ([4320], 4320),
    },
    "S4": {"response": ([480], 1440), "closure": ([10080], 10080)},
}

WORD_EVERY: dict[str, timedelta | None] = {
    "S1": timedelta(minutes=30),
    "S2": timedelta(hours=2),
    "S3": timedelta(hours=8),
    "S4": None,
}
"""How often the owner owes a word (domain §2)."""

CLOCKS = ("response", "containment", "update", "closure")
"""The clocks that a policy has; the engine has others of its own, without a ladder."""

LONGEST_PAUSE = timedelta(hours=8)
COUNTED = timedelta(days=30)
"""How often the same was here is counted over a month."""
REMEMBERED = timedelta(days=90)
"""What was closed longer ago is not called into question (domain §2)."""
PROVED_OVER = timedelta(days=30)
"""How long each fix of the random days has to hold: as one of S1 does (domain §3)."""
LINK_LASTS = timedelta(days=30)
"""An older link answers for nobody: the newest message about it does."""
ON_TIME = timedelta(seconds=60)
LEASE_AT_MOST = timedelta(seconds=90)
WATCHER_SPEAKS_AFTER = timedelta(seconds=30)
WATCHER_IS_QUIET_FOR = timedelta(seconds=10)
"""The engine turns every second: ten without a turn are no reason to alarm anybody yet."""
LATE_AFTER = timedelta(seconds=60)
REPAIRED_WITHIN = timedelta(seconds=60)
SAID_AGAIN_AFTER = timedelta(hours=1)
"""The same repair of the same incident is not reported again before."""

MORNING = timedelta(hours=8)
"""What is promised for a day is asked about at eight the next morning."""
LONGEST_CHASE_GAP = timedelta(days=7)
"""Between two questions about an open promise whose day has passed (domain §3)."""

MAY_TAKE = {"it_tech", "it_specialist", "it_lead", "it_manager"}
MAY_ASSIGN = {"it_lead", "it_manager"}
MAY_DECIDE = {"production_manager", "materials_manager", "plant_manager"}
MAY_REOPEN = {"team_leader", "supervisor", *MAY_DECIDE}
MAY_CLOSE = MAY_TAKE | MAY_REOPEN

DETROIT = ZoneInfo("America/Detroit")


def shortest_gap(severity: str, clock: str) -> timedelta:
    """The shortest time between two steps of the ladder, its repeat included."""
    steps, repeat = LADDERS[severity][clock]
    gaps = [two - one for one, two in pairwise(steps)]
    return timedelta(minutes=min([*gaps, repeat]))


def longest_gap(severity: str, clock: str) -> timedelta:
    """The longest the clock may be quiet while it runs, from its base or from its last step."""
    steps, repeat = LADDERS[severity][clock]
    gaps = [two - one for one, two in pairwise(steps)]
    return timedelta(minutes=max([steps[0], *gaps, repeat]))


def shift_at(at: datetime) -> str:
    """Which of the three shifts it is by the clock on the wall: 06-14, 14-22, 22-06."""
    hour = at.astimezone(DETROIT).hour
    return "SH1" if 6 <= hour < 14 else "SH2" if 14 <= hour < 22 else "SH3"
