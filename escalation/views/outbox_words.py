"""The words of a message in the outbox: safe to show, and without what would answer for somebody."""

from __future__ import annotations

import re

from django.conf import settings
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from escalation.keys import without_keys

LINK = re.compile(r"https?://[^\s<>\"']+")


def is_sandbox() -> bool:
    """Only where nothing at all goes out: an SMS kept here has the same link as the email that left."""
    return all(url.startswith("sandbox") for url in (settings.EMAIL_URL, settings.SMS_URL))


def without_tokens(text: str) -> str:
    """The text as it is in the sandbox; elsewhere without the part of a link that answers for somebody."""
    return text if is_sandbox() else without_keys(text)


def linked(text: str) -> SafeString:
    """The words with their addresses made into links, everything else escaped."""
    parts, end = [], 0
    for match in LINK.finditer(text):
        address = match.group().rstrip(".,")
        parts += [
            conditional_escape(text[end : match.start()]),
            format_html('<a href="{0}">{0}</a>', address),
        ]
        end = match.start() + len(address)
    return mark_safe("".join([*parts, conditional_escape(text[end:])]))  # noqa: S308 - every part is escaped
