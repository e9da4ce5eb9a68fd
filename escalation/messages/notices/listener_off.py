"""A chat room or a program hears nothing more: `templates/messages/site/listener_off.txt`."""

from __future__ import annotations

from datetime import datetime

from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import ListenerKind, Notification
from plant.wording import moment


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    facts = {
        "name": data["name"],
        "kind": ListenerKind(data["kind"]).label,
        "time": moment(datetime.fromisoformat(data["since"]), now),
        "error": data["error"],
    }
    return notice_of("listener_off", facts, path=f"/setup/listeners/?site={data['site']}")
