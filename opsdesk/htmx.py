"""One address, one template: the whole page, or the fragment of it that htmx asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from opsdesk.errors import Refused

# Masked anew at every rendering; without this no fragment with a form would ever be unchanged.
CSRF = re.compile(rb"""(csrfmiddlewaretoken["'] value=["']|X-CSRFToken[^A-Za-z0-9]+)[A-Za-z0-9]{64}""")


def wanted_fragment(request: HttpRequest, fragments: Collection[str]) -> str | None:
    """The fragment that htmx will put into the page, when it is one of ``fragments``; None for the whole
    page."""
    htmx = getattr(request, "htmx", None)
    if not htmx or htmx.boosted or htmx.history_restore_request:
        return None
    return htmx.target if htmx.target in fragments else None


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragments: Collection[str] = (),
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page, or the one of its ``fragments`` (template partials named like their element ids) asked
    for.

    ``refusal`` puts the sentence of a refused verb into the context and its status on the answer, so that a
    view can draw the fresh state together with the reason. An unchanged fragment that is polled is answered
    304 without a body.
    """
    fragment = wanted_fragment(request, fragments)
    name = f"{template}#{fragment}" if fragment else template
    body = render_to_string(name, {**(context or {}), "refusal": refusal}, request)
    response = HttpResponse(body, status=refusal.status if refusal else status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    response["Cache-Control"] = "no-cache, private"
    if fragment and request.method == "GET" and response.status_code == 200:
        return _unless_unchanged(request, response)
    return response


def form_of(page: Callable[..., str]) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., Any]]:
    """A view that takes one form of the page at ``page(request, …)``, and draws that page when it refuses.

    The browser then stands at the form's own address: opened again without the form, it leads to the page.
    """

    def take(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
        @wraps(view)
        def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
            return view(request, **named) if request.method == "POST" else redirect(page(request, **named))

        return require_http_methods(["GET", "HEAD", "POST"])(answer)

    return take


def next_page(request: HttpRequest) -> str:
    """Where a form was asked from (`next`); empty for an address that is not ours."""
    target = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else ""


def etag_of(body: bytes) -> str:
    """A weak ETag of what the person sees: the CSRF mask, new at every rendering, does not count."""
    return f'W/"{hashlib.blake2b(CSRF.sub(b"", body), digest_size=12).hexdigest()}"'


def _unless_unchanged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    etag = etag_of(response.content)
    if etag not in [known.strip() for known in request.headers.get("If-None-Match", "").split(",")]:
        response["ETag"] = etag
        return response
    unchanged = HttpResponseNotModified(headers={"ETag": etag, "Cache-Control": response["Cache-Control"]})
    unchanged["Vary"] = response["Vary"]
    return unchanged
