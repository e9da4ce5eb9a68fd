"""What a practice found, in sentences: for its page, the message to the IT manager and the timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation import wording
from escalation.drills.report import Ended, Why
from incidents.models import Event, EventKind
from plant.wording import names


def in_a_sentence(found: Mapping[str, Any]) -> str:
    """ "3 of 14 would not have been reached." `found` is a report or its summary."""
    counts = {"missed": found["missed"], "asked": found["asked"]}
    if not counts["asked"]:
        return _("It ended before anybody had time to answer.")
    if not counts["missed"]:
        said = ngettext("The one who was asked answered.", "All %(asked)d answered.", counts["asked"])
    else:
        said = ngettext(
            "%(missed)d of %(asked)d would not have been reached.",
            "%(missed)d of %(asked)d would not have been reached.",
            counts["missed"],
        )
    return said % counts


def ending(found: Mapping[str, Any]) -> str:
    """How it ended, with who stopped it or what was real."""
    why = found.get("why", "")
    if why == Ended.REAL and found.get("real"):
        return _("It was stopped because of %(code)s, which is real.") % {"code": found["real"]}
    if why == Ended.STOPPED and found.get("by"):
        return _("%(name)s stopped it.") % {"name": found["by"]}
    return str(Ended(why).label) if why in Ended.values else ""


def why_not(code: str) -> str:
    """ "did not answer"; empty for who was reached."""
    return str(Why(code).label) if code in Why.values else ""


def empty_levels(roles: list[str]) -> str:
    """ "Nobody was on shift as IT lead." Empty when somebody was in every role."""
    if not roles:
        return ""
    return _("Nobody was on shift as %(roles)s.") % {"roles": wording.roles_in_a_sentence(roles)}


def nobody_now(roles: list[str]) -> str:
    """The same, before it happens."""
    if not roles:
        return ""
    return _("Nobody is on shift as %(roles)s.") % {"roles": wording.roles_in_a_sentence(roles)}


def missed_names(found: Mapping[str, Any], *, most: int) -> str:
    return names((one["name"] for one in found["people"]), most=most)


def of_event(event: Event) -> str:
    """What the timeline says of an event of a practice; empty for all other events."""
    if event.data.get("would_take"):
        return _("would take it.")
    if not event.data.get("practice"):
        return ""
    if event.kind == EventKind.ACKNOWLEDGED:
        return _("Everybody was asked who should take it. It goes on as if somebody had.")
    if event.by is not None:
        return _("stopped the practice.")
    return _("The practice is over. %(how)s") % {"how": ending(event.data)}
