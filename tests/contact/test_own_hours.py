"""Working hours by the clock on the wall, also past midnight and on the nights when the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from plant.models import Person
from plant.own_hours import opens_at

DETROIT = ZoneInfo("America/Detroit")
DAY = Person(works_from=time(7), works_until=time(16), works_days=[0, 1, 2, 3, 4])
TUESDAYS = Person(works_from=time(7), works_until=time(8), works_days=[1])
NIGHT = Person(works_from=time(22), works_until=time(6), works_days=[0, 1, 2, 3, 4])


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=DETROIT).astimezone(UTC)


@pytest.mark.parametrize(
    ("person", "now", "opens"),
    [
        (Person(), "2025-11-04 03:00", "2025-11-04 03:00"),
        (DAY, "2025-11-04 10:00", "2025-11-04 10:00"),
        (DAY, "2025-11-04 06:59", "2025-11-04 07:00"),
        (DAY, "2025-11-04 16:00", "2025-11-05 07:00"),
        (DAY, "2025-11-07 20:00", "2025-11-10 07:00"),
        (NIGHT, "2025-11-08 03:00", "2025-11-08 03:00"),
        (NIGHT, "2025-11-08 06:00", "2025-11-10 22:00"),
        (DAY, "2025-10-31 23:00", "2025-11-03 07:00"),
        (DAY, "2026-03-06 23:00", "2026-03-09 07:00"),
        (
            TUESDAYS,
            "2025-11-04 08:00",
            "2025-11-11 07:00",
        ),
    ],
)
def test_what_is_not_urgent_waits_for_the_next_hours(person: Person, now: str, opens: str) -> None:
    assert opens_at(person, DETROIT, wall(now)) == wall(opens)
