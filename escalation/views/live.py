"""Screens that refresh themselves: an unchanged one is answered 304 after one cheap question, undrawn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.translation import get_language

from incidents.models import Incident
from opsdesk.htmx import show, wanted_fragment
from plant.models import Person, Site

NEWEST = """
    SELECT (SELECT max(id) FROM incidents_event), (SELECT max(id) FROM escalation_notification),
           (SELECT max(id) FROM escalation_timer)
"""
"""What moves whenever anything happened anywhere: one look at the end of three primary keys."""

OF_INCIDENT = """
    SELECT (SELECT max(id) FROM incidents_event WHERE incident_id = %(id)s),
           (SELECT max(id) FROM escalation_timer WHERE incident_id = %(id)s),
           count(d.id), count(d.sent_at), count(d.delivered_at), count(d.failed_at), max(d.id),
           count(c.sent_at), count(c.delivered_at), count(c.failed_at),
           count(DISTINCT n.id) FILTER (WHERE n.answered_at IS NOT NULL),
           count(*) FILTER (WHERE d.state = 'queued'), count(*) FILTER (WHERE d.state = 'bundled')
    FROM escalation_notification n LEFT JOIN escalation_delivery d ON d.notification_id = n.id
    LEFT JOIN escalation_delivery c ON c.id = d.bundled_into_id
    WHERE n.incident_id = %(id)s
"""
"""Everything an incident page shows that can change without the incident's own version."""

OUTBOX = """
    SELECT max(id), count(sent_at), count(delivered_at), count(failed_at), count(answered_at),
        (SELECT max(id) FROM escalation_inbound),
        (SELECT max(id) FROM escalation_post WHERE state IN ('sent', 'failed'))
    FROM (SELECT d.id, d.sent_at, d.delivered_at, d.failed_at, n.answered_at
          FROM escalation_delivery d JOIN escalation_notification n ON n.id = d.notification_id
          ORDER BY d.id DESC LIMIT 300) AS newest
"""
"""How far the newest messages got; older ones rarely change, and then the next minute shows it."""


def site_tag(site: Site, person: Person, now: datetime) -> str:
    """Changes with anything that happened, and each minute, because screens say "47 min"."""
    return _tag(site.pk, person.pk, now, _ask(NEWEST))


def person_tag(person: Person, now: datetime) -> str:
    return _tag(person.pk, now, _ask(NEWEST))


def incident_tag(incident: Incident, person: Person, now: datetime) -> str:
    return _tag(incident.pk, incident.version, person.pk, now, _ask(OF_INCIDENT, {"id": incident.pk}))


def outbox_tag(person: Person, now: datetime) -> str:
    return _tag(person.pk, now, _ask(OUTBOX))


def _ask(sql: str, parameters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone() or ()


def _tag(*parts: object) -> str:
    said = [f"{part:%Y%m%d%H%M}" if isinstance(part, datetime) else str(part) for part in parts]
    digest = hashlib.blake2b("|".join([*said, get_language() or ""]).encode(), digest_size=12).hexdigest()
    return f'W/"{digest}"'


def show_unless_unchanged(
    request: HttpRequest,
    template: str,
    *,
    fragments: Collection[str],
    tag: Callable[[], str],
    context: Callable[[], Mapping[str, Any]],
) -> HttpResponse:
    """The page, or the fragment that is polled; 304 when its tag is the one the screen has.

    The tag is taken before the context is read, so what changes in between is seen at the next poll.
    """
    if wanted_fragment(request, fragments) is None:
        return show(request, template, context(), fragments=fragments)
    now = tag()
    if now in [known.strip() for known in request.headers.get("If-None-Match", "").split(",")]:
        return HttpResponseNotModified(
            headers={"ETag": now, "Cache-Control": "no-cache, private", "Vary": "HX-Request, HX-Target"}
        )
    response = show(request, template, context(), fragments=fragments)
    response["ETag"] = now
    return response
