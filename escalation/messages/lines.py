"""The ladder in an email: who was told before, the reader, and who is next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from escalation.messages.context import Context, Next, Told
from escalation.models import Clock, Notification
from plant.duty_answer import role_in_a_sentence
from plant.models import Role
from plant.wording import moment, names

MOST_LINES = 8
"""Lines about people told before; the page has all of them."""

MOST_NAMES = 4
"""Names in one line; the others are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ladder: when, who, and what came of it. `is_now` is the reader's own."""

    at: str
    who: str
    what: str
    is_now: bool = False


def ladder_lines(notification: Notification, context: Context, now: datetime) -> Iterator[Line]:
    """Who was told, the reader among them, and who is next."""
    at = notification.created_at
    before = [told for told in context.told if told.at < at and told.person_id != notification.person_id]
    yield from list(_told_before(each_once(before), notification, now))[-MOST_LINES:]
    yield _reader(notification, [told for told in context.told if told.at == at], now)
    for step in context.upcoming:
        yield Line(moment(step.at, now), _next_names(step), _condition(step))


def each_once(lines: Iterable[Told]) -> list[Told]:
    """Everybody once, when they were first told, with what came of the last time or an answer to any."""
    found: dict[int, Told] = {}
    for told in lines:
        first = found.get(told.person_id, told)
        answered = first.answered_at or told.answered_at
        found[told.person_id] = replace(
            first, answered_at=answered, waits=told.waits and answered is None, failed=told.failed
        )
    return list(found.values())


def _told_before(lines: Sequence[Told], notification: Notification, now: datetime) -> Iterator[Line]:
    """A line for those who were told at the same time in the same role and of whom the same is known."""
    alike: dict[tuple[datetime, str, str], list[str]] = {}
    for told in lines:
        came_of = _came_of(told, notification, now)
        alike.setdefault((told.at, told.role, came_of), []).append(told.name)
    for (at, role, came_of), people in alike.items():
        yield Line(moment(at, now), _named(names(people, most=MOST_NAMES), role), came_of)


def _came_of(told: Told, notification: Notification, now: datetime) -> str:
    """What became of it: has it, answered, no answer yet, not reached; nothing when nothing is known."""
    incident = notification.about
    if incident.owner_id == told.person_id and incident.acknowledged_at:
        return _("has it since %(time)s") % {"time": moment(incident.acknowledged_at, now)}
    if told.answered_at:
        return _("answered %(time)s") % {"time": moment(told.answered_at, now)}
    if told.failed:
        return _("not reached")
    return _("no answer yet") if told.waits else ""


def _reader(notification: Notification, together: list[Told], now: datetime) -> Line:
    others = [told.name for told in together if told.person_id != notification.person_id]
    who = names([_("You"), *others], most=MOST_NAMES)
    waiting = ""
    if notification.wants_answer:
        waiting = _("waiting for an answer from each of you") if others else _("waiting for your answer")
    return Line(moment(notification.created_at, now), who, waiting, is_now=True)


def _named(name: str, role: str) -> str:
    return f"{name}, {role_in_a_sentence(Role(role))}" if role in Role.values else name


def _next_names(step: Next) -> str:
    if len(step.names) == 1 and len(step.roles) == 1:
        return _named(step.names[0], step.roles[0])
    if step.names:
        return names(step.names, most=MOST_NAMES)
    return names([str(Role(role).label) for role in step.roles if role in Role.values])


_CONDITION = {
    Clock.RESPONSE: gettext_noop("next, if nobody takes it"),
    Clock.CONTAINMENT: gettext_noop("next, if product is not moving"),
    Clock.UPDATE: gettext_noop("next, if there is no news"),
    Clock.CLOSURE: gettext_noop("next, if it is still open"),
}


def _condition(step: Next) -> str:
    return _(_CONDITION[Clock(step.clock)])
