"""Who cannot be reached, what is wrong and what to do: `templates/messages/site/reachability.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification
from plant.models import Channel
from plant.reachability import Fault, Level
from plant.wording import names

MOST = 12
"""People in one email; the page has all of them."""

MOST_IN_A_TEXT = 3

Found = Mapping[str, Any]


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    people: list[Found] = data["people"]
    ways = [str(Channel(one).label) for one in data["ways"]]
    facts = {
        "ways": names(ways),
        "each_way": ways,
        "errors": _count(people, Level.ERROR),
        "doubts": _count(people, Level.WARNING),
        "worst": [_forms(one) for one in people[:MOST_IN_A_TEXT]],
        "people": [_person(one) for one in people[:MOST]],
        "more": max(len(people) - MOST, 0),
        "mended": names(data["mended"], most=6),
        "mended_count": len(data["mended"]),
    }
    return notice_of("reachability", facts, path=f"{reverse('reach')}?site={data['site']}")


def _count(people: list[Found], level: Level) -> int:
    return sum(1 for one in people if one["level"] == level)


def _forms(one: Found) -> tuple[str, str]:
    return f"{one['name']}: {Fault(one['faults'][0]).label}.", f"{one['name']}."


def _person(one: Found) -> tuple[str, str, str]:
    """Name, what is wrong, what to do."""
    faults = [Fault(code) for code in one["faults"]]
    wrong = ", ".join(str(fault.label) for fault in faults)
    return one["name"], wrong, " ".join(dict.fromkeys(str(fault.to_do) for fault in faults))
