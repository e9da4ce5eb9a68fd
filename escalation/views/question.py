""" "Bring someone in?" behind the link in a message: one tap names who should help, another says not now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from escalation.answering import Link
from escalation.messages.facts import bring_someone
from escalation.models import Reason
from incidents import lifecycle
from incidents.lifecycle.working import WORKED_ON
from incidents.models import Event, EventKind
from incidents.who_helps import choices, named, numbers
from plant.models import Vendor
from plant.wording import moment, names


def is_asked(link: Link) -> bool:
    """Whether this link is the question, and it is still this person's to answer."""
    is_question = link.notification.reason == Reason.BRING_SOMEONE
    return is_question and link.is_mine and link.incident.status in WORKED_ON


def page(link: Link, now: datetime) -> dict[str, Any]:
    """What the page shows instead of its one button: who can be asked; after the answer, who was."""
    if not link.was_answered:
        return {
            "said": "",
            "question": bring_someone(),
            "choices": choices(link.incident, by=link.person, now=now),
            "offer": "not_now",
        }
    found = _asked(link)
    if found is None:
        return {
            "said": _("Thanks, %(name)s.") % {"name": link.person.get_short_name()},
            "said_more": _("You can bring someone in at any time. Open %(code)s for it.")
            % {"code": link.incident.code},
            "offer": "",
        }
    asked = {"who": _who(found), "time": moment(found.at, now)}
    seen = _("You keep it; they help. %(code)s says when they have seen it.")
    call = _("You keep it. Call them now: a vendor gets no message from here.")
    return {
        "said": _("Asked %(time)s: %(who)s.") % asked,
        "said_more": call if "vendor" in found.data else seen % {"code": link.incident.code},
        "numbers": _numbers(found),
        "offer": "",
    }


def answer(link: Link, said: Mapping[str, str], now: datetime | None = None) -> None:
    """Ask who was tapped; nothing for "not now". Raises what `lifecycle.ask_help` refuses."""
    if is_asked(link) and said.get("who"):
        lifecycle.ask_help(link.incident.number, by=link.person, who=named(said["who"]), now=now)


def _asked(link: Link) -> Event | None:
    """The last one this person asked since the question."""
    events = link.incident.events.filter(kind=EventKind.HELP_ASKED, by=link.person)
    return events.filter(at__gte=link.notification.created_at).order_by("-at", "-pk").first()


def _who(event: Event) -> str:
    return str(event.data["to"]) or names(one["name"] for one in event.data["people"])


def _numbers(event: Event) -> tuple[Any, ...]:
    vendor = Vendor.objects.filter(code=event.data.get("vendor", "")).first()
    return numbers(vendor) if vendor else ()
