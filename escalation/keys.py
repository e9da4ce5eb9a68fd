"""What in a message acts for its reader: links that answer, codes that prove a number, the mark of a mail.

Whoever reads a message of somebody else, on a screen or by a program, reads it without these.
"""

from __future__ import annotations

import re

from escalation.contact.proving import DIGITS

_LINK = re.compile(r"/([apv])/[A-Za-z0-9]+")
"""Answers (`a`), says what became of a promise (`p`), proves an address (`v`): see `escalation.urls`."""

_CODE = re.compile(rf"^\d{{{DIGITS}}}\b")
"""What proves a number stands first in its message; nothing else of ours begins with six digits."""

_MAIL_MARK = re.compile(r"(?<=[-+])([0-9a-f]{1,15})-[0-9a-f]{16}(?=@)")
"""By which an answer by mail is known, see `channels.mail_token`: with it and a forged sender it answers."""


def without_links(text: str) -> str:
    """The text with the part cut out of each link that acts for its reader."""
    return _LINK.sub(r"/\1/…", text)


def without_keys(text: str) -> str:
    """Words or reference of a message of ours as somebody else may read them."""
    return _MAIL_MARK.sub(r"\1-…", _CODE.sub("…", without_links(text)))
