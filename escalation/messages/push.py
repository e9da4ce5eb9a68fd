"""A push: a short title and two or three sentences. Phones cut what is longer, so the first words count.

The last word of the text is where a tap leads; `channels.push` takes it out again.
"""

from __future__ import annotations

from django.template.loader import get_template

from escalation.messages.facts import Facts, base_url
from escalation.messages.notices.notice import Notice

TITLE = 80
"""Characters; a locked phone shows about 40 of them, a desktop all."""

BODY = 280


def push(facts: Facts) -> tuple[str, str]:
    """Title and text about an incident: state, how long and where; then what, who has it, what comes next."""
    title, _end, body = get_template("messages/push.txt").render({"facts": facts}).strip().partition("\n")
    return _cut(title, TITLE), f"{_cut(body, BODY)}\n{facts.answer_link}"


def push_notice(said: Notice) -> tuple[str, str]:
    """Title and text of a message about a site."""
    lines = said.more if len(said.subject) <= TITLE else said.lines
    return _cut(said.subject, TITLE), f"{_cut(' '.join(lines), BODY)}\n{base_url()}{said.path}"


def _cut(text: str, most: int) -> str:
    """At a word, with dots where something is left out."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0].rstrip(".,;:") + "…"
