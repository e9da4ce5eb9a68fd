"""Setup: when people are asked about their promises."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from escalation.chasing.forms import ScheduleForm
from escalation.chasing.schedule import change_schedule, refuse_unless_changer, schedule_of
from opsdesk.errors import Refused
from opsdesk.htmx import show
from plant.views.places import put_into_form, where_of


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest) -> HttpResponseBase:
    """Hours before and after a date; a refusal keeps what was typed."""
    where = where_of(request)
    refuse_unless_changer(where.person, where.site)
    form = ScheduleForm(request.POST or None, instance=schedule_of(where.site))
    refused: Refused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            change_schedule(where.site, by=where.person, hours=form.cleaned_data)
        except Refused as refusal:
            refused = refusal
            put_into_form(form, refusal)
        else:
            messages.success(request, _("Saved. From now on people are asked by it."))
            return redirect(f"{reverse('chasing')}?site={where.site.code}")
    context = {"where": where, "form": form, "page": "chasing"}
    status = 400 if form.is_bound else 200
    return show(request, "escalation/chasing.html", context, refusal=refused, status=status)
