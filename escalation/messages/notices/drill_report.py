"""Who would not have been reached in a practice, and why: `templates/messages/site/drill_report.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from escalation.drills import words as found_words
from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification
from escalation.wording import role_name


def words(notification: Notification, now: datetime) -> Notice:
    found = notification.data
    facts = {
        "place": str(found["place"]),
        "found": found_words.in_a_sentence(found),
        "missed": [f"{found_words.missed_names(found, most=most)}." for most in (3, 2) if found["people"]],
        "people": [(_person(one), found_words.why_not(one["why"])) for one in found["people"]],
        "empty": found_words.empty_levels(found["empty"]),
        "ending": found_words.ending(found),
    }
    return notice_of("drill_report", facts, path=f"/drills/{found['drill']}/")


def _person(one: Mapping[str, Any]) -> str:
    role = role_name(one["role"])
    return f"{one['name']} ({role})" if role else str(one["name"])
