"""After Send: who is being told, who comes next if nobody answers, and who picks it up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from escalation import ladder, wording
from escalation.delivery_log import may_read
from escalation.foresight import KNOWS_AHEAD
from escalation.ladder import Ladder
from escalation.views import panel
from incidents.lifecycle.closing import TAKE_BACK_WITHIN
from incidents.models import Incident, Status
from incidents.permissions import Action, refuse_unless
from incidents.raised_here import was_raised_here
from opsdesk.errors import Refused
from opsdesk.htmx import show
from plant.context import Shell
from plant.duty import DutyBook
from plant.models import Person


@require_safe
def sent(request: HttpRequest, number: str) -> HttpResponseBase:
    """For whoever may see the incident, and for the device that sent it, signed in or not."""
    incident, person = Incident.objects.numbered(number), Shell.of(request).person
    is_ours = was_raised_here(request, incident)
    if person is not None:
        refuse_unless(person, Action.ADD_WORDS, incident)
    elif not is_ours:
        return redirect_to_login(request.get_full_path())
    now = timezone.now()
    with timezone.override(incident.site.tz):
        context = _context(incident, person, now, is_ours=is_ours)
        return show(request, "escalation/sent.html", context, fragments=("sent",))


def _context(incident: Incident, person: Person | None, now: datetime, *, is_ours: bool) -> dict[str, Any]:
    drawn, refusal = _drawn(incident, now)
    is_raiser = incident.raised_by == person and (person is not None or is_ours)
    told = _being_told(drawn, now)
    is_fresh = incident.status == Status.RAISED and now <= incident.raised_at + TAKE_BACK_WITHIN
    return {
        "incident": incident,
        "panel": panel.panel(incident, drawn, reader=person, now=now),
        "told": told,
        "first": drawn.upcoming[0] if drawn.upcoming else None,
        "waits": "" if told else _waits(drawn, now),
        "nobody": refusal,
        "can_add": person is not None,
        "may_read_log": may_read(person),
        "can_take_back": is_raiser and is_fresh,
    }


def _waits(drawn: Ladder, now: datetime) -> str:
    """Until when the next step waits, because the place does not work; empty when it does not."""
    step = drawn.next
    return wording.waits_until(step.due_at, step.waits_for, now) if step and step.waits_for else ""


def _drawn(incident: Incident, now: datetime) -> tuple[Ladder, Refused | None]:
    """The ladder; empty, with the sentence, where nobody can be found to tell. What was sent is sent."""
    try:
        return ladder.for_incident(incident, DutyBook.load(now, until=now + KNOWS_AHEAD), now), None
    except Refused as refusal:
        return Ladder((), None, (), None), refusal


def _being_told(drawn: Ladder, now: datetime) -> Sequence[Person]:
    """Whoever was told; in the second before the engine has run, whoever is about to be."""
    told = [line.person for line in drawn.told if line.is_step]
    if not told:
        told = [person for step in drawn.upcoming if step.due_at <= now for person in step.people]
    return list({person.pk: person for person in told}.values())
