"""Nobody on shift ahead, for the IT managers: role, place, from when until when, and who is told instead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation.gsm7 import Flexible
from escalation.messages.notices.notice import Notice
from escalation.models import Notification
from plant.duty_answer import role_in_a_sentence
from plant.models import Role
from plant.wording import moment, names

MOST_NAMES = 3
"""Names of who is told instead; the others are counted."""

Hole = Mapping[str, Any]


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    holes: list[Hole] = data["holes"]
    begins = moment(datetime.fromisoformat(holes[0]["from"]), now)
    opening = _("ROSTER CHANGED") if data["is_change"] else _("NOBODY ON SHIFT")
    return Notice(
        subject=_subject(holes, begins, is_change=data["is_change"]),
        sms=[
            f"{opening} {begins}:",
            *(_short(hole, now, nth=min(number, 3)) for number, hole in enumerate(holes)),
            Flexible(_told_forms(holes[0]), (2, 2)),
        ],
        lines=[*(_long(hole, now) for hole in holes), _("It is over when somebody is on that shift.")],
        path=_path(data),
        label=_("Open the week"),
        why=_("You get this as IT manager of the site, before it happens."),
    )


def _subject(holes: list[Hole], begins: str, *, is_change: bool) -> str:
    said = ngettext(
        "Nobody on shift as %(role)s from %(time)s",
        "Nobody on shift as %(role)s and %(more)d more from %(time)s",
        len(holes),
    ) % {"role": _role(holes[0]), "time": begins, "more": len(holes) - 1}
    return _("Changed: %(what)s") % {"what": said} if is_change else said


def _role(hole: Hole) -> str:
    return role_in_a_sentence(Role(hole["role"]))


def _told(hole: Hole, most: int) -> str:
    return names(hole["told"], most=most)


def _told_forms(hole: Hole) -> tuple[str, str, str]:
    count = len(hole["told"])
    fewer = ngettext("%(count)d other is told.", "%(count)d others are told.", count) % {"count": count}
    return _("Told: %(names)s.") % {"names": _told(hole, 2)}, fewer, ""


def _path(data: Mapping[str, Any]) -> str:
    """The week at that day; the site only where it is not the reader's own, for the sake of the SMS."""
    site = f"site={data['site']}&" if data["site"] else ""
    return f"{reverse('roster')}?{site}day={data['day']}"


def _until(hole: Hole, now: datetime) -> str:
    """ "06:00", with its day when it is not the one it begins on; nothing when it goes on and on."""
    if not hole["to"]:
        return ""
    begins, ends = (datetime.fromisoformat(hole[name]) for name in ("from", "to"))
    is_near = (ends - begins).total_seconds() < 12 * 3600
    return timezone.localtime(ends).strftime("%H:%M") if is_near else moment(ends, now)


def _short(hole: Hole, now: datetime, *, nth: int) -> Flexible:
    """Role, place and end; later holes give way first, the role of the first last."""
    said = {"role": Role(hole["role"]).label, "where": hole["where"], "time": _until(hole, now)}
    if hole["to"]:
        whole = _("%(role)s, %(where)s, until %(time)s.") % said
        less = _("%(role)s until %(time)s.") % said
    else:
        whole, less = _("%(role)s, %(where)s.") % said, f"{said['role']}."
    least = f"{said['role']}." if nth == 0 else ""
    return Flexible((whole, less, least, ""), ((5, 7, 9), (4, 6, 6), (3, 5, 5), (1, 1, 1))[nth])


def _long(hole: Hole, now: datetime) -> str:
    begins = moment(datetime.fromisoformat(hole["from"]), now)
    said = {
        "role": Role(hole["role"]).label,
        "where": hole["where"],
        "from": begins,
        "until": _until(hole, now),
        "names": _told(hole, MOST_NAMES),
    }
    if hole["to"]:
        return _("%(role)s, %(where)s: from %(from)s until %(until)s. Told instead: %(names)s.") % said
    return _("%(role)s, %(where)s: from %(from)s on, for two days or more. Told instead: %(names)s.") % said
