"""Views that refuse, break or echo, to see how the shell answers: the addresses of two test files."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from opsdesk.errors import Invalid, Missing, NotAllowed, Refused, Stale
from opsdesk.htmx import show
from opsdesk.urls import urlpatterns as real

REFUSALS: dict[str, Refused] = {
    "refused": Refused("not_closed_yet", "The check is not done."),
    "stale": Stale("Lena Brandt changed this a moment ago."),
    "not-allowed": NotAllowed("not_your_site", "This is not your site."),
    "missing": Missing("no_such_incident", "There is no INC-1."),
    "invalid": Invalid("bad_date", "That day has passed.", {"until": ["That day has passed."]}),
}


def refuse(request: HttpRequest, kind: str) -> HttpResponse:
    raise REFUSALS[kind]


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a secret of ours")


def board(request: HttpRequest) -> HttpResponse:
    context = {"word": request.GET.get("word", "calm")}
    refusal = REFUSALS["stale"] if request.GET.get("stale") else None
    return show(request, "opsdesk_test/board.html", context, fragments=["rows"], refusal=refusal)


class Shape(serializers.Serializer[dict[str, Any]]):
    station = serializers.CharField()
    impact = serializers.ChoiceField(choices=["stopped", "none"])


class Once(AnonRateThrottle):
    rate = "1/hour"
    scope = "once"


class Open(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request: Request, kind: str = "") -> Response:
        if kind in REFUSALS:
            raise REFUSALS[kind]
        if kind == "broken":
            raise ZeroDivisionError("a secret of ours")
        shape = Shape(data=request.data)
        shape.is_valid(raise_exception=True)
        return Response(shape.validated_data)


class Throttled(Open):
    throttle_classes = [Once]


class Closed(APIView):
    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("refuse/<str:kind>/", refuse),
    path("broken/", broken),
    path("strange-board/", board),
    path("api/open/", Open.as_view()),
    path("api/open/<str:kind>/", Open.as_view()),
    path("api/throttled/", Throttled.as_view()),
    path("api/closed/", Closed.as_view()),
    *real,
]
handler400 = "opsdesk.views.malformed"
handler403 = "opsdesk.views.not_allowed"
handler404 = "opsdesk.views.not_found"
handler500 = "opsdesk.views.broken"
