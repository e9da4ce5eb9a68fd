"""Nobody on shift ahead, and who is told instead: `templates/messages/site/gap_ahead.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification
from plant.duty_answer import role_in_a_sentence
from plant.models import Role
from plant.wording import moment, names

MOST_NAMES = 3
"""Names of who is told instead in an email; the others are counted. A text has room for two."""

Hole = Mapping[str, Any]


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    holes: list[Hole] = data["holes"]
    facts = {
        "is_change": data["is_change"],
        "begins": _begins(holes[0], now),
        "first_role": role_in_a_sentence(Role(holes[0]["role"])),
        "more": len(holes) - 1,
        "holes": [_hole(one, now) for one in holes],
        "told": names(holes[0]["told"], most=2),
        "told_count": len(holes[0]["told"]),
    }
    return notice_of("gap_ahead", facts, path=_path(data))


def _hole(hole: Hole, now: datetime) -> Hole:
    return {
        "role": str(Role(hole["role"]).label),
        "where": hole["where"],
        "begins": _begins(hole, now),
        "until": _until(hole, now),
        "told": names(hole["told"], most=MOST_NAMES),
    }


def _path(data: Mapping[str, Any]) -> str:
    """The week at that day; the site only where it is not the reader's own, for the sake of the SMS."""
    site = f"site={data['site']}&" if data["site"] else ""
    return f"{reverse('roster')}?{site}day={data['day']}"


def _begins(hole: Hole, now: datetime) -> str:
    return moment(datetime.fromisoformat(hole["from"]), now)


def _until(hole: Hole, now: datetime) -> str:
    """ "06:00", with its day when it is not the one it begins on; nothing when it goes on and on."""
    if not hole["to"]:
        return ""
    begins, ends = (datetime.fromisoformat(hole[name]) for name in ("from", "to"))
    is_near = (ends - begins).total_seconds() < 12 * 3600
    return timezone.localtime(ends).strftime("%H:%M") if is_near else moment(ends, now)
