"""Sentences about escalation for messages, the ladder and the timeline, in the language in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from escalation.models import Clock, Timer
from escalation.steps import OWNER
from plant.models import Person, Role
from plant.wording import moment, names, span
from plant.working_time import NO_SHIFT, WEEKEND, said_why

NOBODY_ON_SHIFT = "nobody_on_shift"
NOT_REACHED = "not_reached"
NOT_ANSWERED = "not_answered"


def role_name(role: str) -> str:
    """A role as a word: "IT technician", "owner"; empty when there is none."""
    if role == OWNER:
        return _("Owner")
    return str(Role(role).label) if role in Role.values else ""


def roles_in_a_sentence(roles: Iterable[str]) -> str:
    words = [role_name(role) for role in roles]
    return names(word if word[:2].isupper() else word[:1].lower() + word[1:] for word in words if word)


def nobody_on_shift(roles: Iterable[str]) -> str:
    """What `Timer.goes_up_from` keeps when a level resolved to nobody on shift."""
    return f"{NOBODY_ON_SHIFT}:{','.join(roles)}"[:200]


def not_reached(name: str) -> str:
    """What `Timer.goes_up_from` keeps when somebody could not be reached by any channel."""
    return f"{NOT_REACHED}:{name}"[:200]


def not_answered(name: str) -> str:
    """What `Timer.goes_up_from` keeps when somebody was asked again and again and did not answer."""
    return f"{NOT_ANSWERED}:{name}"[:200]


def why_it_goes_up(code: str) -> str:
    """The sentence for `Timer.goes_up_from`; empty when nothing was brought forward."""
    kind, _unused, rest = code.partition(":")
    if kind == NOBODY_ON_SHIFT and not rest:
        return _("Nobody was found for the step before, so this goes up now.")
    if kind == NOBODY_ON_SHIFT:
        return _("Nobody is on shift as %(roles)s, so this goes up now.") % {
            "roles": roles_in_a_sentence(rest.split(","))
        }
    if kind == NOT_REACHED:
        return _("%(name)s could not be reached, so this goes up now.") % {"name": rest}
    if kind == NOT_ANSWERED:
        return _("%(name)s has not answered, so this goes up now.") % {"name": rest}
    return ""


def waits_until(at: datetime, why: str, now: datetime | None = None) -> str:
    """ "waits until Mon 10 Nov 05:00 (weekend)", in the time zone in force; `why` as `said_why` says it."""
    return _("waits until %(time)s (%(why)s)") % {"time": moment(at, now), "why": in_a_sentence(why)}


def in_a_sentence(why: str) -> str:
    """A reason to wait in the middle of a sentence; a name from the calendar keeps its capital."""
    return why.lower() if why in map(said_why, (WEEKEND, NO_SHIFT)) else why


def how_late(timer_due: str, late: timedelta) -> str:
    return _("This was due %(time)s and goes out %(late)s late.") % {"time": timer_due, "late": span(late)}


def lateness(timer: Timer, late: timedelta) -> str:
    """How late a step goes out, in the time zone in force."""
    return how_late(moment(timer.due_at, timezone.localtime(timer.due_at + late)), late)


def asked_again(times: int, due_at: datetime, late_at: datetime | None) -> str:
    """What a message says that asks for an answer once more; `late_at` is now when it goes out late."""
    said = _("Asked %(times)s times, no answer.") % {"times": times}
    if late_at is None:
        return said
    return f"{said} {how_late(moment(due_at, timezone.localtime(late_at)), late_at - due_at)}"


def could_not_reach(person: Person, *, language: str) -> str:
    """Why somebody else is told, in that one's language."""
    with override(language):
        return _("%(name)s could not be reached, so you are told instead.") % {"name": person.name}


def with_others(count: int) -> str:
    """ "in a message with 2 others"."""
    return ngettext("in a message with %(count)d other", "in a message with %(count)d others", count) % {
        "count": count
    }


def clock_name(clock: str) -> str:
    return str(Clock(clock).label) if clock in Clock.values else ""
