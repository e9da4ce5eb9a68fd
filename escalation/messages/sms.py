"""One message in one segment. What it says, and what gives way first, is in `templates/messages/sms/`."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import get_template

from escalation.gsm7 import Part, fit
from escalation.messages.facts import Facts
from incidents.models import Incident


def sms(incident: Incident, facts: Facts) -> str:
    """At most 160 septets. Number, state and link never give way."""
    parts: list[Part] = []
    name = "messages/sms/news.txt" if facts.is_news else "messages/sms/alert.txt"
    words = {
        "parts": parts,
        "facts": facts,
        "number": str(incident.number),
        "ask": f"{facts.ask}:",
        "replies": settings.SMS_REPLIES,
    }
    get_template(name).render(words)
    return fit(parts)
