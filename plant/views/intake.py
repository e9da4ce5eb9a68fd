"""Rosters and cover from a file: first what would happen, line by line, then it is done."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from opsdesk.errors import Invalid, Refused
from opsdesk.htmx import show
from plant.permissions import refuse_roster_change
from plant.reach_warnings import warn_about
from plant.roster.reading import decoded, lines_of
from plant.roster.taking_in import Outcome, Result, TakingIn
from plant.views.places import Where, where_of

LARGEST = 512 * 1024


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, or a calendar of absences (.ics), at most 512 kB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.ics,text/csv,text/calendar"}),
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def take_in(request: HttpRequest) -> HttpResponseBase:
    """POST with a file shows what would happen; POST with its text (from that page) does it."""
    where = where_of(request)
    refuse_roster_change(where.person, at=where.site)
    with timezone.override(where.site.tz):
        if request.method != "POST":
            return _page(request, where, FileForm())
        try:
            if "content" in request.POST:
                return _apply(request, where, request.POST["content"])
            form = FileForm(request.POST, request.FILES)
            if not form.is_valid():
                return _page(request, where, form, status=400)
            content = _text(form.cleaned_data["file"])
            lines = lines_of(content, tz=where.site.tz)
            results = TakingIn(where.site, by=where.person).preview(lines)
            return _page(request, where, FileForm(), content=content, results=results)
        except Refused as refusal:
            return _page(request, where, FileForm(), refusal=refusal)


def _text(file: object) -> str:
    size, read = getattr(file, "size", 0), getattr(file, "read")  # noqa: B009 - an uploaded file
    if size > LARGEST:
        raise Invalid("too_large", _("The file is larger than 512 kB. Take it in parts."))
    return decoded(read())


def _apply(request: HttpRequest, where: Where, content: str) -> HttpResponseBase:
    if len(content) > LARGEST or "\0" in content:
        raise Invalid("too_large", _("The file is larger than 512 kB. Take it in parts."))
    taking_in = TakingIn(where.site, by=where.person)
    results = taking_in.apply(lines_of(content, tz=where.site.tz))
    done = sum(1 for result in results if result.is_change)
    said = ngettext("%(count)d line is taken in.", "%(count)d lines are taken in.", done) % {"count": done}
    wrong = [result for result in results if result.outcome == Outcome.WRONG]
    warn_about(request, taking_in.put_on)
    if wrong:
        messages.warning(request, said)
        return _page(request, where, FileForm(), results=wrong, is_done=True)
    messages.success(request, said)
    return redirect(f"{reverse('roster')}?site={where.site.code}")


def _page(
    request: HttpRequest,
    where: Where,
    form: FileForm,
    *,
    content: str = "",
    results: list[Result] | None = None,
    is_done: bool = False,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    found = results or []
    context = {
        "where": where,
        "form": form,
        "content": content,
        "results": found,
        "changes": sum(1 for result in found if result.is_change),
        "wrong": sum(1 for result in found if result.outcome == Outcome.WRONG),
        "is_done": is_done,
        "has_read": results is not None,
    }
    return show(request, "plant/roster/import.html", context, refusal=refusal, status=status)
