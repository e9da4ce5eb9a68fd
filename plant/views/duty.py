"""The board of who would answer, now or at any moment somebody asks about."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from opsdesk.htmx import show
from plant.duty import DutyBook
from plant.permissions import may_change_roster, may_read_reach
from plant.reachability import judged_at
from plant.roster.board import LOOKS_AHEAD, build_board
from plant.roster_forms import WallTimeField
from plant.rotation import ONE_DAY
from plant.views.places import where_of
from plant.visibility import may_read_contacts
from plant.working_time import WorkingTime

FARTHEST = timedelta(days=366)


@login_required
@require_GET
def duty(request: HttpRequest) -> HttpResponse:
    """Everybody of the site sees who is on; numbers are shown to those who may read them."""
    where, now = where_of(request), timezone.now()
    with timezone.override(where.site.tz):
        asked = _asked(request.GET.get("at", ""), now)
        at = asked or now.replace(second=0, microsecond=0)
        book = DutyBook.load(at, until=at + LOOKS_AHEAD + ONE_DAY)
        reads_reach = not asked and may_read_reach(where.person, where.site)
        judged = judged_at(where.site, now) if reads_reach else []
        context = {
            "where": where,
            "board": build_board(WorkingTime.load(book), where.site, where.areas, at),
            "asked": asked,
            "at_value": WallTimeField().prepare_value(at),
            "reads_contacts": may_read_contacts(where.person),
            "may_change": may_change_roster(where.person, where.site),
            "reads_reach": reads_reach,
            "unreached": [one for one in judged if one.faults],
        }
        return show(request, "plant/roster/duty.html", context, fragments=("duty",))


def _asked(text: str, now: datetime) -> datetime | None:
    """The moment somebody wants to know about; None for now, for nonsense and for another year."""
    try:
        at = WallTimeField(required=False).clean(text)
    except ValidationError:
        return None
    return at if at and abs(at - now) <= FARTHEST else None
