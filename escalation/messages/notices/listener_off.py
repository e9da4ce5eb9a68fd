"""A chat room or a program hears nothing more: it did not answer for a day."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from escalation.gsm7 import cut
from escalation.messages.notices.notice import Notice
from escalation.models import ListenerKind, Notification
from plant.wording import moment


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    said = {
        "name": data["name"],
        "kind": ListenerKind(data["kind"]).label,
        "time": moment(datetime.fromisoformat(data["since"]), now),
    }
    subject = _("%(kind)s “%(name)s” is switched off") % said
    why = _("Nothing has got through since %(time)s.") % said
    return Notice(
        subject=subject,
        sms=[cut(f"{subject}.", (3, 70), (5, 50)), why],
        lines=[
            f"{subject}. {why}",
            _("The last answer: %(error)s") % {"error": data["error"]},
            _("People are told as before. Mend it, test it, and switch it on again."),
        ],
        path=f"/setup/listeners/?site={data['site']}",
        label=_("Open chat rooms and webhooks"),
        why=_("You get this as IT manager of the site."),
    )
