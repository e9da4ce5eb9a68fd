"""One message in one segment: number, state, how long, where, what, who, reply, link (design language §9)."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from escalation.gsm7 import Flexible, cut, fit
from escalation.messages.facts import TAKES, Facts
from incidents.models import Incident

LONGER = (2, 7)
"""When the longer names of the place give way."""

CODE = 9
"""A code says nothing to most readers: it stands in only after the note and half of the words have gone."""


def sms(incident: Incident, facts: Facts) -> str:
    """At most 160 septets. The small numbers say what gives way first; number, state and link never do."""
    risk, who = (3, (3, 3)) if facts.is_news else (9, (9, 13))
    return fit(
        [
            f"{facts.code} {facts.state.upper()} {facts.how_long}:",
            Flexible(_with_stop(facts.where_forms), (*LONGER[: len(facts.where_forms) - 2], CODE)),
            *_what(facts.what),
            Flexible((facts.risk, ""), (risk,)),
            Flexible((*facts.who, ""), who[-len(facts.who) :]),
            cut(facts.note, (4, 80), (5, 50), (6, 36), (12 if facts.note_matters else 7, 0)),
            Flexible((facts.then, ""), (11 if facts.then_matters else 1,)),
            *_reply(incident, facts),
            facts.answer_link,
        ]
    )


def _what(pieces: tuple[str, ...]) -> list[Flexible]:
    """One sentence keeps most of itself; of how it is, what is done, what is needed the first gives way."""
    if len(pieces) == 1:
        return [cut(pieces[0], (3, 60), (5, 44), (7, 34), (8, 24), (10, 18), (14, 0))]
    levels = (((3, 40), (6, 0)), ((4, 44), (7, 30), (10, 0)), ((5, 44), (9, 30), (14, 0)))
    return [cut(piece, *level) for piece, level in zip(pieces, levels, strict=False)]


def _with_stop(forms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{form}." for form in forms)


def _reply(incident: Incident, facts: Facts) -> list[str | Flexible]:
    """How to answer by text, only where replies are received; and the word that says what the link is for."""
    ask = Flexible((f"{facts.ask}:", ""), (11,))
    if not settings.SMS_REPLIES or not facts.answer:
        return [ask]
    takes = facts.answer == TAKES
    what = _("Reply %(number)s = you take it.") if takes else _("Reply %(number)s = seen.")
    reply = what % {"number": incident.number}
    return [Flexible((reply, ""), (5,)), Flexible((f"{facts.ask}:", ""), (0,))]
