"""The incident list: what is open, what is mine, what was; filtered and searched by address."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from incidents.listing import Asked, page
from incidents.models import Severity, Status
from opsdesk.htmx import show
from plant.models import Line, Person

SHOWS = {
    "open": _("Open"),
    "mine": _("Mine"),
    "closed": _("Closed"),
    "all": _("All"),
}
HOW_BAD = [
    (Severity.S1, _("1: safety, line down")),
    (Severity.S2, _("2: at risk")),
    (Severity.S3, _("3: workaround")),
    (Severity.S4, _("4: minor")),
]


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
        "shows": [(name, label, asked.address(show=name, status="")) for name, label in SHOWS.items()],
        "severities": HOW_BAD,
        "statuses": [choice for choice in Status.choices if choice[0] != Status.CLOSED],
        "now": timezone.now(),
    }
    return show(request, "incidents/list.html", context, fragments=("rows",))
