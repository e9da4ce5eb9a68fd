"""What the incident page says about silence and help: when it goes back to everybody, and who was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from escalation.models import Notification, Reason
from incidents.models import Event, EventKind, Incident
from incidents.who_helps import Number, numbers
from plant.models import Vendor
from plant.wording import moment

SHOWN = 6
"""People and vendors asked to help that are shown, the newest first; the timeline has the rest."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who was asked to help. `state` is that of the `mark` tag; `numbers` to call a vendor."""

    state: str
    text: str
    more: str
    numbers: tuple[Number, ...] = ()


def goes_back(incident: Incident, lapses_at: datetime | None, now: datetime) -> str:
    """Said once the first word is missed: when the second one is, nobody has it any more."""
    due = incident.next_update_due
    if lapses_at is None or due is None or due > now or incident.is_shelved(now):
        return ""
    return _("If nothing is said by %(time)s it goes back to everybody.") % {"time": moment(lapses_at, now)}


def asked(events: Iterable[Event], told: Iterable[Notification], now: datetime) -> list[Asked]:
    """Who was asked to help, newest first. `events` come newest first, with who did it."""
    about = [event for event in events if event.kind == EventKind.HELP_ASKED]
    if not about:
        return []
    sent = {
        (one.data.get("event"), one.person_id): one
        for one in told
        if one.reason in (Reason.HELP, Reason.ASKED_AGAIN)
    }
    vendors = _vendors(event.data["vendor"] for event in about if "vendor" in event.data)
    return [line for event in about for line in _lines(event, sent, vendors, now)][:SHOWN]


def _vendors(codes: Iterable[str]) -> Mapping[str, Vendor]:
    wanted = set(codes)
    found = Vendor.objects.filter(code__in=wanted).prefetch_related("contacts") if wanted else ()
    return {vendor.code: vendor for vendor in found}


def _lines(
    event: Event,
    sent: Mapping[tuple[object, int], Notification],
    vendors: Mapping[str, Vendor],
    now: datetime,
) -> Iterator[Asked]:
    at, by = moment(event.at, now), event.by.name if event.by else ""
    more = _("by %(name)s") % {"name": by} if by else ""
    if "vendor" in event.data:
        vendor = vendors.get(event.data["vendor"])
        text = _("%(name)s is needed since %(time)s. Call them.") % {"name": event.data["to"], "time": at}
        yield Asked("queued", text, more, numbers(vendor) if vendor else ())
    for one in event.data["people"]:
        yield _person(one, sent.get((event.pk, one["id"])), at, more, now)


def _person(one: Mapping[str, object], told: Notification | None, at: str, more: str, now: datetime) -> Asked:
    said = {"name": one["name"], "time": at}
    if told is not None and told.answered_at is not None:
        seen = {**said, "seen": moment(told.answered_at, now)}
        return Asked("answered", _("%(name)s was asked to help %(time)s, seen %(seen)s.") % seen, more)
    return Asked("queued", _("%(name)s was asked to help %(time)s, not seen yet.") % said, more)
