"""The one-page report of an incident, on the screen and as a PDF, in the reader's language or another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from escalation.a3.facts import facts
from escalation.a3.page import as_pdf, on_screen, paper_for
from incidents.models import Incident
from incidents.permissions import Action, refuse_unless
from plant.models import Person

MOST_PARTS = 10_000_000


@login_required
@require_safe
def page(request: HttpRequest, number: str) -> HttpResponse:
    """HTML that prints on one page."""
    return _drawn(
        request, number, lambda incident, context: HttpResponse(on_screen(incident, request, context))
    )


@login_required
@require_safe
def pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The same as a file. 503 in one sentence where PDFs cannot be made."""
    return _drawn(request, number, _file)


def _file(incident: Incident, context: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(as_pdf(incident, context), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{incident.code}-A3.pdf"'
    return response


def _drawn(
    request: HttpRequest, number: str, draw: Callable[[Incident, dict[str, Any]], HttpResponse]
) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)  # behind login_required
    everybody = ("floor_confirmed_by", "closed_agreed_by", "no_fix_accepted_by")
    incident = Incident.objects.select_related(*everybody).numbered(number)
    refuse_unless(person, Action.ADD_WORDS, incident)
    language = _language(request)
    with timezone.override(incident.site.tz), translation.override(language):
        response = draw(incident, _context(request, incident, language, timezone.now()))
    response["Cache-Control"] = "no-cache, private"
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    return response


def _context(request: HttpRequest, incident: Incident, language: str, now: datetime) -> dict[str, Any]:
    asked = request.GET.copy()
    return {
        **facts(incident, now=now, counted_parts=_counted(request)),
        "paper": paper_for(incident, request.GET.get("paper", "")),
        "language": language,
        "languages": settings.LANGUAGES,
        "counted": _counted(request),
        "query": f"?{asked.urlencode()}" if asked else "",
    }


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    return (
        asked if asked in dict(settings.LANGUAGES) else translation.get_language() or settings.LANGUAGE_CODE
    )


def _counted(request: HttpRequest) -> int | None:
    """Parts that somebody counted; None when the figure is missing or cannot be right."""
    said = request.GET.get("parts", "")
    number = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else None
    return number if number is not None and number <= MOST_PARTS else None
