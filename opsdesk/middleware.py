"""What happens to every request on its way in and out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from prometheus_client import Histogram

from opsdesk import refusals

GetResponse = Callable[[HttpRequest], HttpResponse]

log = logging.getLogger(__name__)
FOR_PROGRAMS = ("/api/", "/mail/")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = Histogram(
    "opsdesk_request_seconds",
    "Time to answer a request, by the name of its view",
    ["method", "view", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


def measure(get_response: GetResponse) -> GetResponse:
    """Count and time every request for /metrics; by view name, so that numbers in addresses make no new
    series."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = get_response(request)
        match = request.resolver_match
        view = (match.view_name or "unnamed") if match else "none"
        method = request.method if request.method in METHODS else "other"
        SECONDS.labels(method, view, response.status_code).observe(time.perf_counter() - began)
        return response

    return middleware


def limit_body(get_response: GetResponse) -> GetResponse:
    """Refuse what is too large before reading it (413), and NUL characters, which PostgreSQL cannot store
    (400)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        is_form = (request.content_type or "") == "multipart/form-data"
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.UPLOAD_LIMIT if is_form else settings.BODY_LIMIT
        if length.isdigit() and int(length) > limit:
            return refusals.answer(request, refusals.TOO_LARGE)
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return refusals.answer(request, refusals.MALFORMED)
        return get_response(request)

    return middleware


def speak_their_language(get_response: GetResponse) -> GetResponse:
    """A person who has signed in reads their own language, whatever the tablet is set to."""

    def middleware(request: HttpRequest) -> HttpResponse:
        language = getattr(request.user, "language", "") if "_auth_user_id" in request.session else ""
        if language and language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return get_response(request)

    return middleware


class RefusalMiddleware:
    """A refusal raised anywhere in a view becomes its sentence with its status."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """A form with a NUL character in a field is refused (400); programs are told by field."""
        if request.path.startswith(FOR_PROGRAMS):
            return None
        is_bad = any("\0" in text for _name, texts in request.POST.lists() for text in texts)
        return refusals.answer(request, refusals.MALFORMED) if is_bad else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        refusal = refusals.as_refusal(error)
        return refusals.answer(request, refusal) if refusal else None
