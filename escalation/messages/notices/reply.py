"""What came of an answer by mail: `templates/messages/site/reply.txt`."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    facts = {"text": data["text"], "code": data.get("code", "")}
    page = reverse("incident", args=[data["number"]]) if "number" in data else reverse("incidents")
    return notice_of("reply", facts, path=page)
