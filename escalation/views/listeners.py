"""Chat rooms and programs that hear what happens: the list, one of them with what was posted, adding one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escalation.models import Listener, ListenerKind, PostState
from escalation.webhooks import lifecycle
from escalation.webhooks.forms import ListenerForm
from opsdesk.errors import Missing, Refused
from opsdesk.htmx import form_of, show
from plant.views.places import Where, person_of, put_into_form, where_of

SHOWN = 30
"""Posts on the page of a listener."""


@login_required
@require_safe
def listeners(request: HttpRequest) -> HttpResponse:
    """Every room and program of the site, and how each is doing."""
    where = where_of(request)
    lifecycle.refuse_unless_set_up(where.person, where.site)
    oldest = Min("posts__queued_at", filter=Q(posts__state=PostState.QUEUED))
    found = Listener.objects.filter(site=where.site).select_related("area").annotate(oldest=oldest)
    with timezone.override(where.site.tz):
        context = {
            "where": where,
            "rooms": [one for one in found if one.kind == ListenerKind.CHAT],
            "programs": [one for one in found if one.kind == ListenerKind.WEBHOOK],
        }
        return show(request, "escalation/listeners/list.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponseBase:
    """A program's secret is shown on the answer to this one form, and never again."""
    where = where_of(request)
    lifecycle.refuse_unless_set_up(where.person, where.site)
    if kind not in ListenerKind.values:
        raise Missing("unknown_kind", _("There is no such room or program."))
    form = ListenerForm(request.POST or None, kind=kind, areas=where.site.areas.order_by("name"))
    refused: Refused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            made, secret = lifecycle.add(by=where.person, site=where.site, kind=kind, **given)
        except Refused as refusal:
            refused = refusal
            put_into_form(form, refusal)
        else:
            if secret:
                return _page(request, where, made, secret=secret)
            messages.success(request, _("It hears what happens from now on. Test it."))
            return redirect("listener", made.pk)
    context = {"where": where, "form": form, "kind": ListenerKind(kind)}
    status = 400 if form.is_bound else 200
    return show(request, "escalation/listeners/new.html", context, refusal=refused, status=status)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def listener(request: HttpRequest, pk: int) -> HttpResponseBase:
    """How it is doing, what was posted, and what it hears, to be changed."""
    found = lifecycle.find(pk, by=person_of(request))
    where = Where(person_of(request), found.site, [])
    form, refused = None, None
    if request.method == "POST":
        areas = found.site.areas.order_by("name")
        form = ListenerForm(request.POST, kind=found.kind, areas=areas, kept=found)
        if form.is_valid():
            try:
                lifecycle.change(pk, by=where.person, **form.cleaned_data)
                messages.success(request, _("Saved."))
                return redirect("listener", pk)
            except Refused as refusal:
                refused = refusal
                put_into_form(form, refusal)
    return _page(request, where, found, form=form, refusal=refused)


@login_required
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponseBase:
    post = lifecycle.try_out(pk, by=person_of(request))
    if post.state == PostState.SENT:
        messages.success(request, _("The test got through."))
    else:
        messages.error(request, _("The test did not get through. %(why)s") % {"why": post.error})
    return redirect("listener", pk)


@login_required
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = lifecycle.switch(pk, by=person_of(request), on=request.POST.get("on") == "1")
    said = _("It hears what happens from now on.") if found.is_active else _("It hears nothing more.")
    messages.success(request, said)
    return redirect("listener", pk)


@login_required
@never_cache
@form_of(lambda _request, pk: reverse("listener", args=[pk]))
def secret(request: HttpRequest, pk: int) -> HttpResponseBase:
    made = lifecycle.new_secret(pk, by=person_of(request))
    found = lifecycle.find(pk, by=person_of(request))
    return _page(request, Where(person_of(request), found.site, []), found, secret=made)


@login_required
@require_POST
def resend(request: HttpRequest, pk: int, post: int) -> HttpResponseBase:
    lifecycle.resend(pk, post, by=person_of(request))
    messages.success(request, _("It goes out once more."))
    return redirect("listener", pk)


def _page(
    request: HttpRequest,
    where: Where,
    found: Listener,
    *,
    form: ListenerForm | None = None,
    secret: str = "",
    refusal: Refused | None = None,
) -> HttpResponse:
    kept = form or ListenerForm(kind=found.kind, areas=found.site.areas.order_by("name"), kept=found)
    context: dict[str, Any] = {
        "where": where,
        "listener": found,
        "form": kept,
        "secret": secret,
        "posts": found.posts.select_related("event__incident")[:SHOWN],
    }
    with timezone.override(found.site.tz):
        status = 400 if form is not None else 200
        return show(request, "escalation/listeners/listener.html", context, refusal=refusal, status=status)
