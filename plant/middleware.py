"""Every page speaks in the plant's time: the person's site, or that of the station the tablet stands at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from plant.context import Shell
from plant.devices import COOKIE

GetResponse = Callable[[HttpRequest], HttpResponse]


def keep_plant_time(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        zone = _zone(request)
        if zone is None:
            return get_response(request)
        with timezone.override(zone):
            return get_response(request)

    return middleware


def _zone(request: HttpRequest) -> tzinfo | None:
    """None for programs with a token: their times are UTC anyway, and asking would cost them a query."""
    if "_auth_user_id" not in request.session and COOKIE not in request.COOKIES:
        return None
    site = Shell.of(request).site
    return site.tz if site else None
