"""A person's own shifts, and the secret address at which their calendar program reads them."""

from __future__ import annotations

from datetime import UTC, timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from opsdesk.errors import Missing
from opsdesk.htmx import show
from plant.duty import DutyBook
from plant.models import RosterFeed
from plant.models.shifts import new_secret
from plant.roster.closed import closed_note
from plant.roster.feed import calendar_of
from plant.roster.turns import Turns
from plant.rotation import ONE_DAY
from plant.views.places import person_of, where_of
from plant.working_time import WorkingTime

AHEAD = timedelta(days=28)


@login_required
@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    person, now = person_of(request), timezone.now()
    book = DutyBook.load(now, until=now + AHEAD + 2 * ONE_DAY)
    turns, hours = Turns(book, now, now + AHEAD).of(person), WorkingTime.load(book)
    feed = RosterFeed.objects.filter(person=person).first()
    context = {
        "where": where_of(request),
        "person": person,
        "turns": [(turn, closed_note(hours, turn)) for turn in turns],
        "address": _address(feed) if feed else "",
        "now": now,
    }
    return show(request, "plant/roster/mine.html", context)


@login_required
@require_POST
def new_feed(request: HttpRequest) -> HttpResponseBase:
    """A new address; the one before stops working at once."""
    person = person_of(request)
    RosterFeed.objects.update_or_create(person=person, defaults={"token": new_secret()})
    messages.success(request, _("Here is your calendar address. An earlier one no longer works."))
    return redirect("my-shifts")


@login_required
@require_POST
def end_feed(request: HttpRequest) -> HttpResponseBase:
    RosterFeed.objects.filter(person=person_of(request)).delete()
    messages.success(request, _("Your calendar address no longer works."))
    return redirect("my-shifts")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever knows the address reads the shifts, and nothing else. People who left have none."""
    found = RosterFeed.objects.select_related("person__site").filter(token=token).first()
    if found is None or not found.person.is_active:
        raise Missing("unknown_feed", _("This calendar address does not work any more."))
    person = found.person
    with override(person.language):
        tz = person.site.tz if person.site else UTC
        body = calendar_of(person, tz=tz, now=timezone.now())
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, max-age=300"
    response["Content-Disposition"] = 'inline; filename="shifts.ics"'
    return response


def _address(feed: RosterFeed) -> str:
    return f"{settings.BASE_URL}{reverse('roster-feed', args=[feed.token])}"
