"""The words of a message about a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import get_template

from escalation.gsm7 import Part
from escalation.templatetags.notice import TAGS


@dataclass(frozen=True, slots=True)
class Notice:
    """One message in all its forms.

    `subject` heads the email and the push; `sms` are the pieces before the link, in their order, with what
    may give way as `Flexible`; `lines` are the paragraphs of the email, `rows` a table under them; `path`
    and `label` are its one button; `why` says why this person gets it.
    """

    subject: str
    sms: Sequence[Part]
    lines: Sequence[str]
    path: str
    label: str
    why: str
    rows: Sequence[Sequence[str]] = ()

    @property
    def more(self) -> list[str]:
        """The paragraphs under a heading that has said the subject already: it is not said twice."""
        heading = f"{self.subject.rstrip('.')}."
        return list(filter(None, (line.removeprefix(heading).strip() for line in self.lines)))


SUBJECT_LENGTH = 180
"""Characters."""


def notice_of(
    name: str, facts: Mapping[str, Any], *, path: str, rows: Sequence[Sequence[str]] = ()
) -> Notice:
    """The words of `templates/messages/site/<name>.txt` about these facts; language and zone are active."""
    pieces: list[Part] = []
    parts: dict[str, list[str]] = {tag: [] for tag in TAGS}
    get_template(f"messages/site/{name}.txt").render({**facts, "pieces": pieces, "parts": parts})
    return Notice(
        subject=" ".join(parts["subject"])[:SUBJECT_LENGTH],
        sms=pieces,
        lines=parts["line"],
        path=path,
        label=" ".join(parts["button"]),
        why=" ".join(parts["why"]),
        rows=rows,
    )
