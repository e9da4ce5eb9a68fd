"""What is open in your place, for whoever comes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation.gsm7 import Flexible
from escalation.messages.notices.notice import Notice
from escalation.models import Notification
from incidents.models import Impact, Status
from incidents.readings import sentence
from plant.wording import moment, names

Found = Mapping[str, Any]


def words(notification: Notification, now: datetime) -> Notice:
    data = notification.data
    at, worst = moment(datetime.fromisoformat(data["at"]), now), data["worst"]
    total = sum(count for _word, count in data["counts"])
    counted = ", ".join(f"{count} {word_of(word)}" for word, count in data["counts"])
    return Notice(
        subject=_("Your shift start: %(counted)s") % {"counted": counted},
        sms=[
            Flexible(_opening(at, total, counted), (8,)),
            *(_short(one, nth=number) for number, one in enumerate(worst)),
        ],
        lines=[
            _("Open in your place at %(time)s: %(counted)s.") % {"time": at, "counted": counted},
            *(_long(one) for one in worst),
            *_more(total - len(worst)),
        ],
        path=reverse("work") if data["is_it"] else reverse("incidents"),
        label=_("Open my work") if data["is_it"] else _("Open the list"),
        why=_why(data, at),
    )


def word_of(word: str) -> str:
    """The screen word of how bad something is, or that product moves."""
    return str(Impact(word).label if word in Impact.values else Status.CONTAINED.label)


def _opening(at: str, total: int, counted: str) -> tuple[str, str]:
    return (
        _("OPEN %(time)s: %(counted)s.") % {"time": at, "counted": counted},
        _("OPEN %(time)s: %(count)d.") % {"time": at, "count": total},
    )


def _short(one: Found, *, nth: int) -> Flexible:
    """The worst keeps its words longest; the third goes first."""
    code, what = one["code"], sentence(one["what"])
    forms = (
        f"{code} {one['place']}: {what}",
        f"{code} {one['short']}: {what}",
        f"{code} {one['short']}.",
        "",
    )
    gives = ((3, 6, 9), (2, 3, 4), (1, 2, 2))[nth]
    return Flexible(forms, gives, cuts=nth == 0)


def _long(one: Found) -> str:
    who = _("%(name)s has it.") % {"name": one["owner"]} if one["owner"] else _("Nobody has it yet.")
    return f"{one['code']} {word_of(one['word'])}: {one['where']}. {sentence(one['what'])} {who}"


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield ngettext("And %(count)d more.", "And %(count)d more.", count) % {"count": count}


def _why(data: Found, at: str) -> str:
    others: Sequence[str] = data["instead_of"]
    if others:
        said = {"time": at, "names": names(others)}
        return _("You get this because you stand in for %(names)s from %(time)s on.") % said
    return _("You get this because your shift began at %(time)s.") % {"time": at}
