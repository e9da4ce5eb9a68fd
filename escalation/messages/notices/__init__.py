"""Messages about a site rather than one incident: what is open at shift start, a gap ahead, a drill.

`WORDS` has one function for each such reason, in a module of its own. It makes the words when the message
goes out, in its reader's language and the site's time, from what `Notification.data` holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.template.loader import get_template
from django.utils.translation import get_language

from escalation.gsm7 import fit
from escalation.messages.facts import base_url
from escalation.messages.notices import digest
from escalation.messages.notices.notice import Notice
from escalation.models import Notification, Reason

__all__ = ["WORDS", "Notice", "email", "notice", "sms"]

WORDS: Mapping[str, Callable[[Notification, datetime], Notice]] = {
    Reason.DIGEST: digest.words,
    **digest.ABOUT_A_SITE,
}


def notice(notification: Notification, now: datetime) -> Notice:
    """The words; language and time zone are already active."""
    return WORDS[notification.reason](notification, now)


def sms(said: Notice) -> str:
    """At most 160 septets; the link never gives way."""
    return fit([*said.sms, f"{base_url()}{said.path}"])


def email(said: Notice) -> tuple[str, str, str]:
    """Subject, plain text and HTML, with the same words in both."""
    words = {
        "notice": said,
        "language": get_language() or "en",
        "link": f"{base_url()}{said.path}",
    }
    return (
        said.subject,
        get_template("messages/notice.txt").render(words).strip() + "\n",
        get_template("messages/notice.html").render(words),
    )
