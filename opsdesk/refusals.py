"""How a refusal reaches whoever asked: JSON for programs, a page or a sentence in the page for people."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from opsdesk.errors import Refused

NOT_FOUND = Refused("not_found", _("There is nothing here. The address may be mistyped."), status=404)
NOT_ALLOWED = Refused("not_allowed", _("You do not have the role for this."), status=403)
TOO_LARGE = Refused("too_large", _("That is too much at once. Send less, or smaller pictures."), status=413)
MALFORMED = Refused("malformed", _("The request could not be read."), status=400)
BROKEN = Refused(
    "broken", _("Something broke on our side. It is written down. Try again in a minute."), status=500
)

API_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "malformed",
    exceptions.ValidationError: "invalid",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "not_allowed",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.Throttled: "too_many",
}


def as_refusal(error: BaseException) -> Refused | None:
    """The refusal that an exception stands for; None for a bug."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Http404):
        return NOT_FOUND
    if isinstance(error, PermissionDenied):
        return NOT_ALLOWED
    if isinstance(error, RequestDataTooBig):
        return TOO_LARGE
    return None


def answer_api(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler: ``{"code", "message", "fields"?}`` with the right status."""
    refusal = as_refusal(error)
    if refusal:
        set_rollback()
        return Response(refusal.as_dict(), status=refusal.status)
    response = exception_handler(error, context)
    if response is not None and isinstance(error, exceptions.APIException):
        response.data = _body(error)
    return response


def _body(error: exceptions.APIException) -> dict[str, Any]:
    code = next((code for kind, code in API_CODES.items() if isinstance(error, kind)), "refused")
    if not isinstance(error, exceptions.ValidationError):
        return {"code": code, "message": str(error.detail)}
    fields = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
    return {"code": code, "message": str(_first_sentence(fields)), "fields": fields}


def _first_sentence(detail: Any) -> Any:
    """``station: This field is required.``: enough for a log line; ``fields`` has the rest."""
    if isinstance(detail, dict) and detail:
        name, value = next(iter(detail.items()))
        sentence = _first_sentence(value)
        return sentence if name == "non_field_errors" else f"{name}: {sentence}"
    if isinstance(detail, list) and detail:
        return _first_sentence(next((item for item in detail if item), detail[0]))
    return detail or MALFORMED.message


def is_for_a_program(request: HttpRequest) -> bool:
    """Whether JSON is wanted: the API and the intake, or whoever asks for JSON before HTML."""
    if request.path.startswith(("/api/", "/intake/")):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def answer(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The refusal as JSON, as a sentence for the page's ``#refusal`` (htmx), or as a page of its own."""
    if is_for_a_program(request):
        return JsonResponse(refusal.as_dict(), status=refusal.status)
    context = {"refusal": refusal}
    if not getattr(request, "htmx", False):
        return render(request, "refused.html", context, status=refusal.status)
    response = render(request, "refused.html#sentence", context, status=refusal.status)
    response["HX-Retarget"] = "#refusal"
    response["HX-Reswap"] = "innerHTML"
    return response
