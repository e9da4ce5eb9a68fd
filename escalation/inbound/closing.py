"""Closing by text or by mail, and what is said when a verb refuses: the same to both."""

from __future__ import annotations

from datetime import datetime

from escalation.gsm7 import cut, fit
from escalation.inbound import acts, replies
from escalation.inbound.once import Heard
from escalation.models import Did
from incidents.lifecycle.closing import lacks
from incidents.models import Incident
from opsdesk.errors import NotAllowed, Refused
from plant.models import Person


def close(incident: Incident, words: str, *, by: Person, now: datetime) -> Heard:
    """Closed, or closed already. Raises what the verb refuses."""
    was_open = incident.is_open
    done = acts.close(incident.number, words, by=by, now=now)
    if not was_open:
        return Heard(Did.CLOSED, replies.closed(done.incident, now), incident=done.incident)
    return Heard(done.did, replies.closed_it(done, by), incident=done.incident)


def refused(number: int, refusal: Refused, *, by: Person, now: datetime) -> Heard:
    """In the refusal's own words; what is missing before closing in as few as a text has room for."""
    incident = Incident.objects.numbered(number)
    if not incident.is_open and not isinstance(refusal, NotAllowed):
        return Heard(Did.CLOSED, replies.closed(incident, now), incident=incident)
    if refusal.code == "not_ready_to_close":
        missing = lacks(incident, by=by)
        agrees = acts.is_small(incident) and incident.owner is not None and incident.owner != by
        return Heard(Did.REFUSED, replies.not_ready(incident, missing, is_small=agrees), incident=incident)
    return Heard(Did.REFUSED, fit([cut(str(refusal), (1, 150))]), incident=incident)
