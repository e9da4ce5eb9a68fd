"""An email: one table, inline styles, no images, and a plain text part with the same words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.template.loader import get_template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from escalation.messages.audience import FLOOR
from escalation.messages.context import Context
from escalation.messages.facts import Facts
from escalation.messages.lines import ladder_lines
from escalation.models import Notification
from plant.wording import moment

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
        "can_reply": settings.EMAIL_REPLIES and notification.about.is_open,
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
    """The three questions of every screen, in their order; the floor has a fourth."""
    said = [
        (_("The problem"), facts.reading.problem),
        (_("What we’re doing"), facts.reading.doing),
        (_("Progress"), facts.reading.progress),
    ]
    return [*said, (_("What to do now"), facts.reading.floor)] if facts.audience == FLOOR else said
