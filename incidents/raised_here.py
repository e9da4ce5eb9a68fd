"""Which incidents this device sent, whoever was signed in: kept in its session, the last twenty."""

from __future__ import annotations

from django.http import HttpRequest

from incidents.models import Incident

KEY = "raised_here"
REMEMBERED = 20


def remember(request: HttpRequest, incident: Incident) -> None:
    numbers = [*request.session.get(KEY, []), incident.number]
    request.session[KEY] = numbers[-REMEMBERED:]


def was_raised_here(request: HttpRequest, incident: Incident) -> bool:
    return incident.number in request.session.get(KEY, [])
