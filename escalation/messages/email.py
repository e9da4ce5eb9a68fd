"""An email: one table, inline styles, no images, and a plain text part with the same words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import get_template
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from escalation.messages.context import Context, Next, Told
from escalation.messages.facts import Facts
from escalation.models import Clock, Notification
from plant.models import Role
from plant.wording import moment, names

MOST_LINES = 8
"""People of the ladder that an email names; the page has all of them."""

SUBJECT_LENGTH = 180

LOOKS = {
    "red": ("■", "#bf1720", "#ffffff"),
    "amber": ("▲", "#f2a516", "#12171a"),
    "safety": ("!", "#920f6c", "#ffffff"),
    "grey": ("●", "#e3e6e8", "#12171a"),
}
"""Shape, ground and ink of the banner, from the design language's light tokens."""


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ladder: when, who, and what came of it. `is_now` is the reader's own."""

    at: str
    who: str
    what: str
    is_now: bool = False


def email(notification: Notification, facts: Facts, context: Context, now: datetime) -> Letter:
    """Subject, plain text and HTML of one email. The words of both parts are the same."""
    shape, ground, ink = LOOKS[facts.tone]
    about = subject(facts, now)
    words = {
        "language": get_language() or "en",
        "facts": facts,
        "subject": about,
        "banner": f"{facts.state.upper()} {facts.how_long}",
        "shape": shape,
        "ground": ground,
        "ink": ink,
        "answers": answers(facts),
        "lines": list(ladder_lines(notification, context, now)),
        "open_label": _("Open %(code)s") % {"code": facts.code},
    }
    return Letter(
        subject=about,
        text=get_template("messages/email.txt").render(words).strip() + "\n",
        html=get_template("messages/email.html").render(words),
    )


def subject(facts: Facts, now: datetime) -> str:
    """State, how long, where, next word: "Line down 30 min: Booth 2. Next word by 07:00 (INC-1042)"."""
    for where in facts.where_forms:
        line = f"{facts.state} {facts.how_long}: {where}. {_next_word(facts, now)}".strip().rstrip(".")
        whole = f"{line} ({facts.code})"
        if len(whole) <= SUBJECT_LENGTH:
            break
    return whole


def _next_word(facts: Facts, now: datetime) -> str:
    due = facts.reading.next_word
    return _("Next word by %(time)s.") % {"time": moment(due, now)} if due and due > now else ""


def answers(facts: Facts) -> list[tuple[str, str]]:
    """The three questions that every message answers, in the order of every screen."""
    return [
        (_("The problem"), facts.reading.problem),
        (_("What we’re doing"), facts.reading.doing),
        (_("Progress"), facts.reading.progress),
    ]


# ---------------------------------------------------------------- the ladder


def ladder_lines(notification: Notification, context: Context, now: datetime) -> Iterator[Line]:
    """Who was told, the reader among them, and who is next."""
    together = [told for told in context.told if told.at == notification.created_at]
    before = [told for told in context.told if told.at < notification.created_at]
    if len(before) > MOST_LINES:
        before = before[-MOST_LINES:]
    for told in before:
        yield Line(moment(told.at, now), _named(told.name, told.role), _came_of(told, notification, now))
    yield _reader(notification, together, now)
    for step in context.upcoming:
        yield Line(moment(step.at, now), _next_names(step), _condition(step))


def _came_of(told: Told, notification: Notification, now: datetime) -> str:
    """What became of it: has it, answered, no answer yet, not reached; nothing when nothing is known."""
    incident = notification.incident
    if incident.owner_id == told.person_id and incident.acknowledged_at:
        return _("has it since %(time)s") % {"time": moment(incident.acknowledged_at, now)}
    if told.answered_at:
        return _("answered %(time)s") % {"time": moment(told.answered_at, now)}
    if told.failed:
        return _("not reached")
    return _("no answer yet") if told.waits else ""


def _reader(notification: Notification, together: list[Told], now: datetime) -> Line:
    others = [told.name for told in together if told.person_id != notification.person_id]
    who = names([_("You"), *others[:4]]) if others else _("You")
    waiting = ""
    if notification.wants_answer:
        waiting = _("waiting for an answer from each of you") if others else _("waiting for your answer")
    return Line(moment(notification.created_at, now), who, waiting, is_now=True)


def _named(name: str, role: str) -> str:
    return f"{name}, {Role(role).label}" if role in Role.values else name


def _next_names(step: Next) -> str:
    if len(step.names) == 1 and len(step.roles) == 1:
        return _named(step.names[0], step.roles[0])
    if step.names:
        return names(step.names)
    return names([str(Role(role).label) for role in step.roles if role in Role.values])


_CONDITION = {
    Clock.RESPONSE: gettext_noop("next, if nobody takes it"),
    Clock.CONTAINMENT: gettext_noop("next, if product is not moving"),
    Clock.UPDATE: gettext_noop("next, if there is no news"),
    Clock.CLOSURE: gettext_noop("next, if it is still open"),
}


def _condition(step: Next) -> str:
    return _(_CONDITION[Clock(step.clock)])
