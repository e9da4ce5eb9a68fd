"""What the link of a message about several things opens: each incident with the answer it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from escalation import answering
from escalation.answering import ASKING, Link
from escalation.models import Delivery, Notification, Reason
from incidents import readings
from incidents.models import Impact
from opsdesk.errors import Missing
from plant.models import Person, Site

SHOWN = 12
"""Incidents on the page, the worst first: it stays small on a phone with one bar; the list has the rest."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A message about several things, for one person. `more` are those that are not in `links`."""

    notification: Notification
    site: Site
    links: tuple[Link, ...]
    notices: tuple[Notification, ...] = ()
    """What it says about the site itself."""
    more: int = 0

    @property
    def person(self) -> Person:
        return self.notification.person

    @property
    def is_storm(self) -> bool:
        return "storm" in self.notification.data


def open_digest(token: str) -> Digest | None:
    """Look it up; it changes nothing. None when the token is not that of one, or its reader has left."""
    code = answering.code_of(token)
    known = Notification.objects.filter(token=code, reason=Reason.DIGEST, person__is_active=True)
    found = known.select_related("person", "site").first() if code else None
    if found is None or found.site is None or timezone.now() - found.created_at > answering.LINK_LASTS:
        return None
    members = Delivery.objects.filter(bundled_into__notification=found).order_by("id")
    said = [
        one.notification for one in members.select_related("notification__incident", "notification__site")
    ]
    tokens = _tokens([one for one in said if one.incident_id])
    links = tuple(_links(tokens[:SHOWN]))
    readings.attach([link.incident for link in links])
    notices = tuple(one for one in said if one.incident_id is None)
    return Digest(found, found.site, links, notices, max(len(tokens) - SHOWN, 0))


def _tokens(messages: Sequence[Notification]) -> list[str]:
    """Of each incident the newest message that can be answered, or else the newest; the worst first."""
    best: dict[int, Notification] = {}
    for said in messages:
        before = best.get(said.about_id)
        if before is None or said.reason in ASKING or before.reason not in ASKING:
            best[said.about_id] = said
    return [one.token for one in sorted(best.values(), key=_how_bad)]


def _how_bad(notification: Notification) -> tuple[bool, bool, str, int]:
    incident = notification.about
    return not incident.is_open, incident.impact != Impact.SAFETY, incident.severity, incident.number


def _links(tokens: list[str]) -> list[Link]:
    found = []
    for token in tokens:
        try:
            found.append(answering.open_link(token))
        except Missing:
            continue
    return found
