"""The words of a message about a site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from escalation.gsm7 import Flexible


@dataclass(frozen=True, slots=True)
class Notice:
    """One message in both forms.

    `subject` heads the email; `sms` are the pieces before the link, in their order, with what may give way as
    `Flexible`; `lines` are the paragraphs of the email, `rows` a table under them; `path` and `label` are its
    one button; `why` says why this person gets it.
    """

    subject: str
    sms: Sequence[str | Flexible]
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
