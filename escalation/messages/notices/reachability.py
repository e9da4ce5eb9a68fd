"""Who cannot be reached, for the IT managers: each person, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation.gsm7 import Flexible
from escalation.messages.notices.notice import Notice
from escalation.models import Notification
from plant.models import Channel
from plant.reachability import Fault, Level
from plant.wording import names

MOST = 12
"""People in one email; the page has all of them."""

Found = Mapping[str, Any]


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    people: list[Found] = data["people"]
    return Notice(
        subject=_subject(data),
        sms=[
            _opening(data),
            *(_short(one, nth=min(number, 2)) for number, one in enumerate(people[:3])),
        ],
        lines=[
            *(_way(channel) for channel in data["ways"]),
            *(_long(one) for one in people[:MOST]),
            *_more(len(people) - MOST),
            *_mended(data["mended"]),
        ],
        path=f"{reverse('reach')}?site={data['site']}",
        label=_("Open who can be reached"),
        why=_("You get this as IT manager of the site. It is checked every night, and said when it matters."),
    )


def _count(data: Found, level: Level) -> int:
    return sum(1 for one in data["people"] if one["level"] == level)


def _subject(data: Found) -> str:
    if data["ways"]:
        return _("%(ways)s: alerts do not get out") % {
            "ways": names(Channel(one).label for one in data["ways"])
        }
    if errors := _count(data, Level.ERROR):
        text = ngettext(
            "One person cannot be reached as planned", "%(count)d people cannot be reached as planned", errors
        )
        return text % {"count": errors}
    if doubts := _count(data, Level.WARNING):
        text = ngettext("One person may not be reached", "%(count)d people may not be reached", doubts)
        return text % {"count": doubts}
    return _("Everybody can be reached again")


def _opening(data: Found) -> str:
    return _("REACH: %(what)s.") % {"what": _subject(data)}


def _short(one: Found, *, nth: int) -> Flexible:
    """The second and the third name go first, then what is wrong with the first."""
    label = str(Fault(one["faults"][0]).label)
    forms = (f"{one['name']}: {label}.", f"{one['name']}.", "")
    return Flexible(forms, ((5, 6), (3, 4), (1, 2))[nth])


def _way(channel: str) -> str:
    said = {"way": Channel(channel).label}
    return _("%(way)s: messages do not go out by it. Look at who can be reached, and at the log.") % said


def _long(one: Found) -> str:
    faults = [Fault(code) for code in one["faults"]]
    said = {
        "name": one["name"],
        "what": ", ".join(str(fault.label) for fault in faults),
        "do": " ".join(dict.fromkeys(fault.to_do for fault in faults)),
    }
    return _("%(name)s: %(what)s. %(do)s") % said


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield ngettext("And %(count)d more.", "And %(count)d more.", count) % {"count": count}


def _mended(people: list[str]) -> Iterator[str]:
    if people:
        text = ngettext("%(names)s can be reached again.", "%(names)s can be reached again.", len(people))
        yield text % {"names": names(people, most=6)}
