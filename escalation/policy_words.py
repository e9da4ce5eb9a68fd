"""A policy in plain words: who is told, after how long, by which way. In the language in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import wording
from escalation.steps import CLOSURE, CONTAINMENT, RESPONSE, SAFETY, UPDATE, Step
from plant.models import Channel
from plant.wording import names, span

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

Names = Mapping[str, str]
"""Usernames and the names of these people."""

CLOCK_NAMES = {
    RESPONSE: gettext_lazy("Nobody has it yet"),
    CONTAINMENT: gettext_lazy("Product is not moving yet"),
    UPDATE: gettext_lazy("News is due"),
    CLOSURE: gettext_lazy("Still open"),
    SAFETY: gettext_lazy("Somebody could get hurt"),
}

CLOCK_HELP = {
    RESPONSE: gettext_lazy("The response clock: from when it was raised until somebody takes it."),
    CONTAINMENT: gettext_lazy("The containment clock: from when it was raised until product moves again."),
    UPDATE: gettext_lazy("The update clock: from when the next word was promised until it is said."),
    CLOSURE: gettext_lazy("The closure clock: from when it was raised until it is closed."),
    SAFETY: gettext_lazy("Told at once, whoever has it and whatever the clocks say."),
}


def length(minutes: timedelta) -> str:
    """A wait as it was set, nothing rounded away: "90 min" is "1 h 30", 36 h stay "36 h", 7 days "7 days"."""
    if minutes < DAY or not minutes % DAY:
        return span(minutes)
    hours, rest = divmod(minutes, HOUR)
    if not rest:
        return _("%(hours)d h") % {"hours": hours}
    return _("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": rest // MINUTE}


def when(step: Step, clock: str) -> str:
    """ "At once", "After 5 min"; for news "When it is due"."""
    if not step.after:
        return _("When it is due") if clock == UPDATE else _("At once")
    return _("After %(length)s") % {"length": length(step.after)}


def who(step: Step, people: Names) -> str:
    """ "IT technician, supervisor and Dana Hutchins"."""
    roles = [_in_a_sentence(wording.role_name(role) or role) for role in step.roles]
    return names([*roles, *(people.get(name, name) for name in step.people)])


def _in_a_sentence(role: str) -> str:
    return role if role[:2].isupper() else role[:1].lower() + role[1:]


def by_which_way(channels: Iterable[str]) -> str:
    """ "by SMS and email"."""
    ways = [_channel(channel) for channel in channels]
    return _("by %(ways)s") % {"ways": names(ways)}


def _channel(channel: str) -> str:
    label = str(Channel(channel).label) if channel in Channel.values else channel
    return label if label.isupper() else label.lower()


def repeats(step: Step) -> str:
    if step.repeat is None:
        return ""
    return _("again every %(length)s") % {"length": length(step.repeat)}


def asks(step: Step) -> str:
    return _("each is asked to answer") if step.answer else ""


def whom_and_how(step: Step, people: Names) -> str:
    """ "IT technician and supervisor by push and SMS, again every 15 min"."""
    said = f"{who(step, people)} {by_which_way(step.channels)}"
    return ", ".join(part for part in (said, repeats(step), asks(step)) if part)


def sentence(step: Step, clock: str, people: Names) -> str:
    """ "After 5 min: IT lead by SMS"."""
    return f"{when(step, clock)}: {whom_and_how(step, people)}"
