"""The code or link that proves a number or an address, and the test message: `verify.txt`, `test.txt`."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from escalation.contact.proving import LASTS, code_for
from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Notification
from plant.models import Channel
from plant.wording import moment


def verify(notification: Notification, now: datetime) -> Notice:
    """A code to type for a number, a button to press for an address."""
    is_sms = notification.data["channel"] == Channel.SMS
    facts = {
        "name": _asker(notification),
        "time": moment(notification.created_at + LASTS, now),
        "code": code_for(notification) if is_sms else "",
    }
    return notice_of("verify", facts, path=reverse("contact") if is_sms else _prove(notification))


def test(notification: Notification, now: datetime) -> Notice:
    facts = {"name": _asker(notification), "time": moment(notification.created_at, now)}
    return notice_of("test", facts, path=_prove(notification))


def _asker(notification: Notification) -> str:
    return str(notification.data.get("by", ""))


def _prove(notification: Notification) -> str:
    return reverse("prove", args=[notification.token])
