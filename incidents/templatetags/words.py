"""Words about an incident in the reader's language."""

from __future__ import annotations

from django import template

from incidents import readings
from incidents.models import Incident

register = template.Library()


@register.filter
def title_of(incident: Incident) -> str:
    """The title; one that nobody wrote is said in the language of the page."""
    return readings.title(incident)


@register.filter
def again(incident: Incident) -> str:
    """ "third time in 30 days"; empty for the first time."""
    return readings.again(incident)
