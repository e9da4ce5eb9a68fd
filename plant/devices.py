"""Which station a tablet stands at, remembered by the device itself.

The square code on a station opens `/q/<station code>`; that page leaves a signed cookie, so that raising at
this station needs no search and, on this device, no login. It is forgotten after 400 days without a scan.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from plant.models import Station

COOKIE = "station"
SALT = "opsdesk.station"
REMEMBERED_SECONDS = 400 * 24 * 3600  # the most a browser keeps a cookie


def remember_station(response: HttpResponseBase, station: Station) -> None:
    response.set_signed_cookie(
        COOKIE,
        station.code,
        salt=SALT,
        max_age=REMEMBERED_SECONDS,
        httponly=True,
        samesite="Lax",
    )


def forget_station(response: HttpResponseBase) -> None:
    response.delete_cookie(COOKIE, samesite="Lax")


def station_of(request: HttpRequest) -> Station | None:
    """The station this device stands at, or None when no code was scanned here or the station is gone."""
    code = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=REMEMBERED_SECONDS)
    if not code:
        return None
    return Station.objects.select_related("line__area__site").filter(code=code).first()
