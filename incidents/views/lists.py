"""The incident list: what is open, what is mine, what was; filtered and searched by address."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from incidents.listing import Asked, page
from incidents.models import Severity, Status
from opsdesk.htmx import show
from plant.models import Line, Person


@login_required
@require_GET
def incidents(request: HttpRequest) -> HttpResponse:
    """The page and, for htmx, its rows (`#rows`): the same address serves both."""
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    asked = Asked.from_address(request.GET.dict())
    lines = Line.objects.select_related("area")
    context = {
        "asked": asked,
        "page": page(asked, person),
        "lines": lines if person.is_corporate else lines.filter(area__site_id__in=person.site_ids),
        "severities": Severity.values,
        "statuses": [choice for choice in Status.choices if choice[0] != Status.CLOSED],
        "now": timezone.now(),
    }
    return show(request, "incidents/list.html", context, fragments=("rows",))
