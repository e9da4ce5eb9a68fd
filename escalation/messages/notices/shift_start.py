"""What is open in your place, for whoever comes on: `templates/messages/site/shift_start.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification
from incidents.models import Impact, Status
from incidents.readings import sentence
from plant.wording import moment, names

Found = Mapping[str, Any]


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    total = sum(count for _word, count in data["counts"])
    facts = {
        "time": moment(datetime.fromisoformat(data["at"]), now),
        "counted": ", ".join(f"{count} {word_of(word)}" for word, count in data["counts"]),
        "total": total,
        "worst": [_one(found) for found in data["worst"]],
        "more": total - len(data["worst"]),
        "is_it": data["is_it"],
        "names": names(data["instead_of"]),
    }
    return notice_of("shift_start", facts, path=reverse("work") if data["is_it"] else reverse("incidents"))


def word_of(word: str) -> str:
    """The screen word of how bad something is, or that product moves."""
    return str(Impact(word).label if word in Impact.values else Status.CONTAINED.label)


def _one(found: Found) -> Found:
    """An incident, with what a text says of it from long to short."""
    code, what = found["code"], sentence(found["what"])
    forms = (
        f"{code} {found['place']}: {what}",
        f"{code} {found['short']}: {what}",
        f"{code} {found['short']}.",
    )
    return {**found, "what": what, "state": word_of(found["word"]), "forms": forms}
