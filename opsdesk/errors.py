"""Refusals: what the domain answers when it will not do what was asked.

A refusal carries a stable ``code`` for programs, one plain translated sentence for people, and the HTTP
status that says the same. Pages, fragments and the API all render it from here, so a rule is worded once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise

Text = str | Promise
Fields = Mapping[str, Sequence[str | Promise]]


class Refused(Exception):
    """The request was understood and is not carried out. ``message`` says what to do about it."""

    def __init__(self, code: str, message: Text, *, status: int = 409, fields: Fields | None = None):
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields

    def __str__(self) -> str:
        return str(self.message)

    def as_dict(self) -> dict[str, Any]:
        """``{"code", "message", "fields"?}``: the error body of every API answer."""
        body: dict[str, Any] = {"code": self.code, "message": str(self.message)}
        if self.fields:
            body["fields"] = {name: [str(text) for text in texts] for name, texts in self.fields.items()}
        return body


class NotAllowed(Refused):
    """The person's role or site does not permit it (403)."""

    def __init__(self, code: str, message: Text):
        super().__init__(code, message, status=403)


class Missing(Refused):
    """There is no such thing, or not for this person (404)."""

    def __init__(self, code: str, message: Text):
        super().__init__(code, message, status=404)


class Stale(Refused):
    """Somebody changed it after this person's screen was drawn (409, code ``stale``)."""

    def __init__(self, message: Text):
        super().__init__("stale", message, status=409)


class Invalid(Refused):
    """The input is malformed (400). ``fields`` maps a field name to its sentences."""

    def __init__(self, code: str, message: Text, fields: Fields | None = None):
        super().__init__(code, message, status=400, fields=fields)
