"""Who can be reached: the ways messages take, and each person an alert could go to."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from escalation.reach import reach_of
from opsdesk.htmx import show
from plant.permissions import refuse_reach
from plant.views.places import where_of


@login_required
@require_safe
def reach(request: HttpRequest) -> HttpResponse:
    """For the IT manager of the site: what is wrong with whom, worst first, and what to do about it."""
    where, now = where_of(request), timezone.now()
    refuse_reach(where.person, where.site)
    with timezone.override(where.site.tz):
        context = {"where": where, "reach": reach_of(where.site, now), "now": now}
        return show(request, "plant/roster/reach.html", context)
