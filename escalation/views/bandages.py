"""The bandage register: everything that keeps product moving for now, what should be off first."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from countermeasures.bandages import MOST, register, worn_by
from countermeasures.models import Countermeasure
from countermeasures.offers import Offer, offers
from escalation.views.dashboard import site_of
from incidents.models import Incident, Status
from opsdesk.htmx import show
from plant.models import Person


@login_required
@require_safe
def bandages(request: HttpRequest) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    site, sites = site_of(request, person)
    now = timezone.now()
    with timezone.override(site.tz):
        rows = register(worn_by(person).filter(incident__site=site)[:MOST], now)
        accepted = (
            Incident.objects.filter(site=site, status=Status.CLOSED, no_fix_accepted_by__isnull=False)
            .with_place()
            .select_related("no_fix_accepted_by")
            .order_by("review_on", "number")[:MOST]
        )
        context = {
            "site": site,
            "sites": sites,
            "now": now,
            "today": timezone.localdate(),
            "rows": [(row, _moves(row.one, person)) for row in rows],
            "expired": sum(row.is_expired for row in rows),
            "accepted": list(accepted),
        }
        return show(request, "escalation/bandages.html", context)


def _moves(one: Countermeasure, person: Person) -> list[Offer]:
    return [offer for offer in offers(one, person) if offer.verb in ("extend", "take-off")]
