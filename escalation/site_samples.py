"""What messages about a site would be made of: the newest real one of each kind, else an example.

Examples are filled with what there is: the site's places and people, and the incidents that are open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from countermeasures.models import Promise
from escalation.models import ListenerKind, Notification, Reason
from escalation.rounds import shift_start
from incidents.models import Incident
from plant.models import Channel, Person, Role, Site
from plant.reachability import Fault, Level

REMEMBERED = (
    Reason.GAP_AHEAD,
    Reason.REACHABILITY,
    Reason.PROVIDER,
    Reason.LISTENER_OFF,
    Reason.DRILL_REPORT,
    Reason.PROMISE,
)
"""Kinds whose newest real message is shown again, where there was one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The data of one message. `is_real`: it was really sent."""

    reason: Reason
    data: Mapping[str, Any]
    is_real: bool = False


def samples(
    site: Site, reader: Person, found: Sequence[Incident], *, language: str, now: datetime
) -> list[Sample]:
    """One of each kind, in the order of `Reason`. Three queries."""
    real = _newest(site)
    made = dict(_examples(site, reader, found, language, now))
    kinds = [one for one in Reason if one in real or one in made]
    return [Sample(one, real.get(one) or made[one], is_real=one in real) for one in kinds]


def _newest(site: Site) -> dict[Reason, Mapping[str, Any]]:
    rows = Notification.objects.filter(site=site, reason__in=REMEMBERED).order_by("reason", "-pk")
    return {Reason(one.reason): one.data for one in rows.distinct("reason")}


Example = tuple[Reason, Mapping[str, Any]]


def _examples(
    site: Site, reader: Person, found: Sequence[Incident], language: str, now: datetime
) -> Iterator[Example]:
    if found:
        yield Reason.SHIFT_START, shift_start.data(found, at=now, language=language)
    yield from _about_people(site, reader, found, now)
    yield from _about_ways(site, now)
    promise = Promise.objects.filter(site=site).order_by("-pk").first()
    if promise is not None:
        asked = {"promise": promise.pk, "ask": "owner", "is_ahead": False, "instead_of": ""}
        yield Reason.PROMISE, asked
    if found:
        kept = _("Your words are kept with %(code)s.") % {"code": found[0].code}
        yield Reason.REPLY, {"text": kept, "code": found[0].code, "number": found[0].number}
    for reason in (Reason.VERIFY, Reason.TEST):
        yield reason, {"channel": Channel.SMS.value, "by": str(reader)}


def _about_people(site: Site, reader: Person, found: Sequence[Incident], now: datetime) -> Iterator[Example]:
    area = next((str(one.area) for one in found if one.area), site.name)
    begins = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=12)
    hole = {
        "role": Role.IT_TECH.value,
        "where": area,
        "from": begins.isoformat(),
        "to": (begins + timedelta(hours=8)).isoformat(),
        "told": [str(reader)],
    }
    day = begins.astimezone(site.tz).date().isoformat()
    yield Reason.GAP_AHEAD, {"holes": [hole], "is_change": False, "site": "", "day": day}
    missed = {"name": str(reader), "level": Level.ERROR.value, "faults": [Fault.NO_MOBILE.value]}
    yield Reason.REACHABILITY, {"site": site.code, "people": [missed], "ways": [], "mended": []}
    silent = {"name": str(reader), "role": Role.IT_MANAGER.value, "why": "no_answer"}
    counted = {"asked": 5, "missed": 1, "people": [silent], "empty": [], "why": "played", "real": ""}
    yield Reason.DRILL_REPORT, {**counted, "place": area, "drill": 1}


def _about_ways(site: Site, now: datetime) -> Iterator[Example]:
    since = {"site": site.code, "since": (now - timedelta(minutes=5)).isoformat()}
    down = {"channel": Channel.SMS.value, "provider": "sms.example", "is_down": True, "others": []}
    yield Reason.PROVIDER, {**since, **down, "error": "No answer."}
    room = {"name": "IT", "kind": ListenerKind.CHAT.value, "error": "No answer."}
    yield Reason.LISTENER_OFF, {**since, **room}
