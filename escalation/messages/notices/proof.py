"""The code or link that proves a number or an address, and the test message."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from escalation.contact.proving import LASTS, code_for
from escalation.messages.notices.notice import Notice
from escalation.models import Notification
from plant.models import Channel
from plant.wording import moment


def verify(notification: Notification, now: datetime) -> Notice:
    """By SMS the code comes first: it is read in the preview of a locked phone."""
    until = {"time": moment(notification.created_at + LASTS, now)}
    if notification.data["channel"] == Channel.SMS:
        said = {**until, "code": code_for(notification)}
        line = _("%(code)s is your OpsDesk code, until %(time)s. Enter it here:") % said
        return _notice(notification, _("Your OpsDesk code"), line, reverse("contact"), _("Enter the code"))
    return _notice(
        notification,
        _("Is this your email address?"),
        _("Press the button until %(time)s, and alerts count on this address.") % until,
        reverse("prove", args=[notification.token]),
        _("This is my address"),
    )


def test(notification: Notification, now: datetime) -> Notice:
    at = {"time": moment(notification.created_at, now)}
    return _notice(
        notification,
        _("Test from OpsDesk, nothing is wrong"),
        _("TEST from OpsDesk %(time)s. Nothing is wrong. Say that it came:") % at,
        reverse("prove", args=[notification.token]),
        _("It reached me"),
    )


def _notice(notification: Notification, subject: str, line: str, path: str, label: str) -> Notice:
    by = str(notification.data.get("by", ""))
    why = _("You get this because %(name)s asked for it. If you do not know why, ignore it.") % {"name": by}
    return Notice(subject=subject, sms=[line], lines=[line], path=path, label=label, why=why)
