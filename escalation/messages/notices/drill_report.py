"""To the IT manager after a practice: who would not have been reached, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from escalation.drills import words as found_words
from escalation.gsm7 import Flexible, cut
from escalation.messages.notices.notice import Notice
from escalation.models import Notification
from escalation.wording import role_name


def words(notification: Notification, now: datetime) -> Notice:
    found = notification.data
    place, said = str(found["place"]), found_words.in_a_sentence(found)
    return Notice(
        subject=_("Practice in %(place)s: %(found)s") % {"place": place, "found": said},
        sms=[
            _("PRACTICE"),
            cut(f"{place}:", (3, 40), (5, 24)),
            said,
            Flexible((_who(found, 3), _who(found, 2), ""), (2, 4)),
            Flexible((found_words.empty_levels(found["empty"]), ""), (1,)),
        ],
        lines=[
            said,
            *(_person(one) for one in found["people"]),
            *filter(None, [found_words.empty_levels(found["empty"]), found_words.ending(found)]),
        ],
        path=f"/drills/{found['drill']}/",
        label=_("Open the report"),
        why=_("You get this because you look after who is told at this site."),
    )


def _who(found: Mapping[str, Any], most: int) -> str:
    return f"{found_words.missed_names(found, most=most)}." if found["people"] else ""


def _person(one: Mapping[str, str]) -> str:
    who = f"{one['name']} ({role_name(one['role'])})" if role_name(one["role"]) else one["name"]
    return f"{who}: {found_words.why_not(one['why'])}"
