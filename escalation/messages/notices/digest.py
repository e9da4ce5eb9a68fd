"""Several things in one message: what came too close together, what is still open, and what a storm hit.

The words are in `templates/messages/site/several.txt` and `storm.txt`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from escalation.messages.facts import state_of, where_forms, who_of
from escalation.messages.notices import (
    drill_report,
    gap_ahead,
    listener_off,
    promise,
    proof,
    provider,
    reachability,
    reply,
    shift_start,
)
from escalation.messages.notices.notice import Notice, notice_of
from escalation.models import Delivery, DeliveryState, Notification, Reason, Storm
from incidents import readings
from incidents.models import Impact, Incident
from plant.wording import moment, names

ABOUT_A_SITE: Mapping[str, Callable[[Notification, datetime], Notice]] = {
    Reason.SHIFT_START: shift_start.words,
    Reason.DRILL_REPORT: drill_report.words,
    Reason.GAP_AHEAD: gap_ahead.words,
    Reason.REACHABILITY: reachability.words,
    Reason.PROMISE: promise.words,
    Reason.PROVIDER: provider.words,
    Reason.LISTENER_OFF: listener_off.words,
    Reason.REPLY: reply.words,
    Reason.VERIFY: proof.verify,
    Reason.TEST: proof.test,
}
"""The words of each message about a site that may stand alone or among several things."""

MOST_NAMED = 8
"""Things or places that a text message tries to name: more never fit into one segment."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One incident, or one message about a site, of several; `order` is smaller for what is worse."""

    code: str
    state: str
    how_long: str
    where: str
    short: str
    what: str
    who: str
    order: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A line or another place that a storm hit, and how many incidents are open there."""

    name: str
    code: str
    count: int


def words(notification: Notification, now: datetime) -> Notice:
    """What it carries is read when the words are made: what was not needed any more has been taken out."""
    path = f"/a/{notification.token}"
    things = things_of(carried(notification), now)
    if "storm" in notification.data:
        storm = Storm.objects.select_related("area", "site").get(pk=notification.data["storm"])
        return of_a_storm(storm, hits_of(storm), things, path, now)
    return several(things, path, is_again=bool(notification.data.get("again")))


def carried(notification: Notification) -> list[Notification]:
    """What is said in this message, with all that the words need: four queries."""
    found = (
        Delivery.objects.filter(bundled_into__notification=notification, state=DeliveryState.BUNDLED)
        .select_related("notification__person", "notification__timer", "notification__site")
        .order_by("-queued_at", "-id")
    )
    said = [one.notification for one in found]
    wanted = {one.incident_id for one in said if one.incident_id}
    incidents = {one.pk: one for one in Incident.objects.filter(pk__in=wanted).with_place()}
    readings.attach(list(incidents.values()))
    for one in said:
        one.incident = incidents[one.incident_id] if one.incident_id else None
    return said


def things_of(said: Sequence[Notification], now: datetime) -> list[Thing]:
    """Worst first, each incident once, by the newest message about it."""
    newest = {one.incident_id or f"site {one.pk}": one for one in reversed(said)}
    return sorted((_thing(one, now) for one in newest.values()), key=lambda thing: thing.order)


def _thing(notification: Notification, now: datetime) -> Thing:
    incident = notification.incident
    if incident is None:
        about = ABOUT_A_SITE[notification.reason](notification, now)
        more = " ".join(about.more)
        return Thing("", about.subject, "", "", "", more, "", (9, "", notification.created_at))
    state, how_long = state_of(notification, now)
    forms = where_forms(notification)
    return Thing(
        code=incident.code,
        state=_("Practice: %(state)s") % {"state": state} if incident.is_drill else state,
        how_long=how_long,
        where=incident.where,
        short=forms[-1],
        what=readings.sentence(readings.what(incident)),
        who=who_of(notification, now)[0],
        order=(int(incident.impact != Impact.SAFETY), incident.severity, incident.clocks_from),
    )


# --- several things ---


def several(things: Sequence[Thing], path: str, *, is_again: bool) -> Notice:
    facts = {
        "total": len(things),
        "is_again": is_again,
        "codes": names([one.code or one.state for one in things], most=4),
        "lists": _lists(things),
    }
    return notice_of("several", facts, path=path, rows=[_row(one) for one in things])


def _row(one: Thing) -> tuple[str, str, str]:
    state = f"{one.state} {one.how_long}".strip()
    return (
        one.code or state,
        state if one.code else "",
        " ".join(filter(None, [_stopped(one.where), one.what, one.who])),
    )


def _stopped(text: str) -> str:
    return f"{text}." if text else ""


def _lists(things: Sequence[Thing]) -> list[str]:
    """With their places while there is room; then the least bad ones are only counted."""
    named = min(len(things), MOST_NAMED)
    return [
        _joined(things, named, lambda one: one.where),
        _joined(things, named, lambda one: one.short),
        *(_joined(things, most, lambda _one: "") for most in range(named, 0, -1)),
    ]


def _joined(things: Sequence[Thing], most: int, where: Callable[[Thing], str]) -> str:
    said = [_short(one, where(one)) for one in things[:most]]
    left = len(things) - most
    return "; ".join([*said, _("+%(count)d more") % {"count": left}] if left else said) + "."


def _short(one: Thing, where: str) -> str:
    """ "INC-1042 LINE DOWN 31 min: ASM-D1-060"."""
    head = " ".join(filter(None, [one.code, one.state.upper() if one.code else one.state, one.how_long]))
    return f"{head}: {where}" if where else head


# --- a storm ---


def hits_of(storm: Storm) -> list[Hit]:
    """Where it hit and what is still open there, the most first."""
    here = Incident.objects.open().filter(site=storm.site, area=storm.area, is_drill=False)
    found = here.filter(raised_at__gt=storm.counts_from).select_related("line", "area", "site")
    places = [one.line or one.area or one.site for one in found]
    counts = Counter(place.code for place in places)
    known = {place.code: place.name for place in places}
    return [Hit(known[code], code, count) for code, count in counts.most_common()]


def of_a_storm(
    storm: Storm, hits: Sequence[Hit], things: Sequence[Thing], path: str, now: datetime
) -> Notice:
    facts = {
        "place": storm.place.name,
        "place_code": storm.place.code,
        "time": moment(storm.began_at, now),
        "total": sum(hit.count for hit in hits),
        "hits": _hit_names(hits, len(hits), lambda hit: hit.name),
        "lists": _hit_lists(hits),
    }
    return notice_of("storm", facts, path=path, rows=[_row(one) for one in things])


def _hit_lists(hits: Sequence[Hit]) -> list[str]:
    """By name while there is room for more than one, then by code."""
    named = min(len(hits), MOST_NAMED)
    said = [
        *(_hit_names(hits, most, lambda hit: hit.name) for most in range(named, 1, -1)),
        *(_hit_names(hits, most, lambda hit: hit.code) for most in range(named, 0, -1)),
    ]
    return [f"{one}." for one in said]


def _hit_names(hits: Sequence[Hit], most: int, name: Callable[[Hit], str]) -> str:
    """ "Door Line D1 5, Door Line D2 4, +2 more"."""
    said = [f"{name(hit)} {hit.count}" for hit in hits[:most]]
    left = len(hits) - most
    return ", ".join([*said, _("+%(count)d more") % {"count": left}] if left > 0 else said)
