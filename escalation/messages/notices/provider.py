"""A way by which messages go is down, or works again: `templates/messages/site/provider.txt`."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification
from plant.models import Channel
from plant.wording import moment


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    facts = {
        "channel": Channel(data["channel"]).label,
        "provider": data["provider"],
        "time": moment(datetime.fromisoformat(data["since"]), now),
        "is_down": data["is_down"],
        "others": ", ".join(data["others"]),
        "error": data["error"],
        "brings_nothing": data.get("brings_nothing", False),
    }
    return notice_of("provider", facts, path=f"{reverse('reach')}?site={data['site']}")
