"""One countermeasure: what, who, by when, how it is proved, and everything that ever happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from countermeasures.history import history
from countermeasures.measured import measured
from countermeasures.models import Cause, Countermeasure
from countermeasures.offers import may_measure
from countermeasures.where_else import progress_of
from countermeasures.wording import unit_words
from escalation.views import live, proofs
from incidents.models import Incident
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import Missing
from plant.models import Person


@login_required
@require_safe
def countermeasure(request: HttpRequest, pk: int) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    found = (
        Countermeasure.objects.with_people().select_related("removed_by", "created_by").filter(pk=pk).first()
    )
    if found is None:
        raise Missing("unknown_countermeasure", _("There is no such countermeasure."))
    found.incident = Incident.objects.numbered(found.incident.number)
    refuse_unless(person, Action.ADD_WORDS, found.incident)
    now = timezone.now()
    with timezone.override(found.incident.site.tz):
        return live.show_unless_unchanged(
            request,
            "escalation/countermeasure.html",
            fragments=["countermeasure-live"],
            tag=lambda: live.incident_tag(found.incident, person, now),
            context=lambda: _context(found, person, now),
        )


def _context(found: Countermeasure, person: Person, now: datetime) -> dict[str, Any]:
    incident = found.incident
    others = list(
        Countermeasure.objects.filter(incident=incident).exclude(pk=found.pk).with_people().order_by("id")
    )
    for one in others:
        one.incident = incident
    return {
        "one": found,
        "incident": incident,
        "now": now,
        "unit": unit_words(found.exposure_unit),
        "measured": measured(found, now),
        "photos": list(found.photos.all()) if found.in_place_at else [],
        "may_measure": may_measure(found, person),
        "row": proofs.row(found, now=now, reader=person),
        "others": proofs.rows(others, now=now),
        "elsewhere": progress_of([found]).get(found.pk),
        "cause": Cause.objects.filter(incident=incident).first(),
        "history": history(found),
    }
