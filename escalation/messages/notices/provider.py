"""A way by which messages go is down, or works again: for the IT managers, by another channel."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from escalation.gsm7 import Flexible
from escalation.messages.notices.notice import Notice
from escalation.models import Notification
from plant.models import Channel
from plant.wording import moment


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    said = {
        "channel": Channel(data["channel"]).label,
        "provider": data["provider"],
        "time": moment(datetime.fromisoformat(data["since"]), now),
    }
    if data["is_down"]:
        opening = _("%(channel)s DOWN since %(time)s: %(provider)s.") % said
        subject = _("%(channel)s: %(provider)s is down since %(time)s") % said
        lines = [_meanwhile(data["others"]), _("Last error: %(error)s") % {"error": data["error"]}]
        lines.append(_("It is tried again every few seconds, and you hear when it works."))
    else:
        opening = _("%(channel)s WORKS again since %(time)s: %(provider)s.") % said
        subject = _("%(channel)s: %(provider)s works again since %(time)s") % said
        lines = [_("Messages go by it again. Nothing needed from you.")]
    return Notice(
        subject=subject,
        sms=[opening, Flexible((lines[0], ""), (2,))],
        lines=lines,
        path=f"{reverse('reach')}?site={data['site']}",
        label=_("Open who can be reached"),
        why=_("You get this as IT manager of the site."),
    )


def _meanwhile(others: list[str]) -> str:
    if others:
        return _("Messages go by %(others)s meanwhile.") % {"others": ", ".join(others)}
    return _("No other is set up for it: what is urgent goes by another channel.")
