"""Trouble of OpsDesk itself becomes an incident like any other: raised by nobody, for the IT manager on duty.

One open incident per site; what is found while it is open is added to it. It is never about itself.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection, transaction
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from countermeasures.promises.models import Promise
from incidents import lifecycle
from incidents.models import OWN_TROUBLE, Category, EventKind, Flow, Impact, Incident
from incidents.permissions import Action, can
from plant.duty import DutyBook
from plant.models import Person, Role, Site
from plant.wording import names

logger = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(hours=1)
"""The same incident in the same trouble is added once an hour: it is looked at every 30 s."""

NAMED = 20
"""Numbers in the sentence; the others are counted."""


TRIES = 2
"""Of a report: what is mended is not found again, so that one query that was given up must not silence it."""

SHORT = 60
"""Characters of what was promised."""


class Trouble(StrEnum):
    """What may be wrong with an open incident, or with an open promise."""

    SILENT = "silent"
    SET_ASIDE = "set_aside"
    PROMISES = "promises"


@dataclass(frozen=True, slots=True)
class About:
    """What is in trouble: where, by which number it is remembered, and what people call it."""

    site_id: int
    number: int
    name: str


def try_to_report(trouble: Trouble, ids: Sequence[int], now: datetime) -> None:
    """Never in the way of what was mended: what goes wrong here is tried once more, and logged."""
    for _try in range(TRIES):
        try:
            with transaction.atomic():
                report(trouble, ids, now)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("What the auditor found could not be recorded: %s %s", trouble, ids)
        else:
            return


def report(trouble: Trouble, ids: Sequence[int], now: datetime) -> None:
    """Record it at each site concerned. Repeating it is harmless."""
    by_site: dict[int, list[About]] = defaultdict(list)
    for one in _promises(ids) if trouble == Trouble.PROMISES else _incidents(ids):
        by_site[one.site_id].append(one)
    for site_id, found in by_site.items():
        _record(trouble, site_id, found, now)


def _incidents(ids: Sequence[int]) -> list[About]:
    found = Incident.objects.filter(pk__in=ids).exclude(category__code=OWN_TROUBLE).order_by("number")
    return [About(one.site_id, one.number, one.code) for one in found]


def _promises(ids: Sequence[int]) -> list[About]:
    """A promise has no number that people know: they hear what it is, and whose."""
    found = Promise.objects.filter(pk__in=ids).exclude(incident__category__code=OWN_TROUBLE)
    rows = found.select_related("person").order_by("pk")
    return [
        About(one.site_id, one.pk, f"“{Truncator(one.what).chars(SHORT)}” ({one.person})") for one in rows
    ]


@transaction.atomic
def _record(trouble: Trouble, site_id: int, found: Sequence[About], now: datetime) -> None:
    """The site's row is the lock: of two that record at once the second adds to what the first raised."""
    site = Site.objects.select_for_update(of=("self",)).get(pk=site_id)
    with override(settings.LANGUAGE_CODE):
        known = Incident.objects.open().filter(site=site, category__code=OWN_TROUBLE)
        open_one = known.order_by("pk").first()
        if open_one is None:
            open_one = _raise(trouble, site, found, now)
            _add(open_one, trouble, found, now, words="")
            _assign(open_one, site, now)
        elif new := [one for one in found if not _was_said(open_one, trouble, one, now)]:
            _add(open_one, trouble, new, now, words=_sentence(trouble, new))


def _raise(trouble: Trouble, site: Site, found: Sequence[About], now: datetime) -> Incident:
    raised, _created = lifecycle.raise_incident(
        by=None,
        category=_category(),
        impact=Impact.WORKAROUND,
        site=site,
        flow=Flow.RECORDS,
        title=_title(trouble),
        words=_sentence(trouble, found),
        now=now,
    )
    return raised


def _category() -> Category:
    own = {"name": "OpsDesk itself", "name_es": "El propio OpsDesk", "icon": "i-server", "is_active": False}
    return Category.objects.get_or_create(code=OWN_TROUBLE, defaults={**own, "position": 999})[0]


def _assign(raised: Incident, site: Site, now: datetime) -> None:
    """Ask the IT manager on duty to take it: then they are told now, not when the ladder reaches them."""
    person = _it_manager(raised, site, now)
    if person is None:
        return
    lifecycle.touch(
        Incident.objects.locked(raised.number),
        kind=EventKind.ASSIGNED,
        by=None,
        now=now,
        data={"to": person.name, "to_id": person.pk},
        assigned_to=person,
    )


def _it_manager(raised: Incident, site: Site, now: datetime) -> Person | None:
    """None where nobody who may take it is there; then it goes up its ladder like any other."""
    people = DutyBook.load(now).on_duty(Role.IT_MANAGER, site, now).people
    return next((one for one in people if can(one, Action.ACKNOWLEDGE, raised)), None)


def _was_said(open_one: Incident, trouble: Trouble, one: About, now: datetime) -> bool:
    said = open_one.events.filter(kind=EventKind.WORDS_ADDED, at__gt=now - AGAIN_AFTER)
    return said.filter(data__trouble=str(trouble), data__numbers__contains=[one.number]).exists()


def _add(open_one: Incident, trouble: Trouble, found: Sequence[About], now: datetime, *, words: str) -> None:
    """A line of the timeline, which also remembers what was said; the numbers in the technical detail."""
    locked = Incident.objects.locked(open_one.number)
    detail = _technical(trouble, found, now)
    lifecycle.touch(
        locked,
        kind=EventKind.WORDS_ADDED,
        by=None,
        now=now,
        words=words,
        data={"trouble": str(trouble), "numbers": [one.number for one in found]},
        technical="\n".join(filter(None, [locked.technical, detail])),
    )


# --- words ---


def _title(trouble: Trouble) -> str:
    if trouble == Trouble.PROMISES:
        return _("OpsDesk had lost the next question about an open promise")
    if trouble == Trouble.SILENT:
        return _("OpsDesk had lost the next alert of an open problem")
    return _("OpsDesk cannot send the next alert of an open problem")


def _sentence(trouble: Trouble, found: Sequence[About]) -> str:
    codes = {"codes": names((one.name for one in found), most=NAMED)}
    if trouble == Trouble.PROMISES:
        return (
            ngettext(
                "Nobody would have been asked about %(codes)s any more. That is planned again.",
                "Nobody would have been asked about %(codes)s any more. All of that is planned again.",
                len(found),
            )
            % codes
        )
    if trouble == Trouble.SILENT:
        return (
            ngettext(
                "Nobody would have been told of %(codes)s any more. The next alert is planned again.",
                "Nobody would have been told of %(codes)s any more. The next alerts are planned again.",
                len(found),
            )
            % codes
        )
    return (
        ngettext(
            "Nobody is told about %(codes)s until this is mended. Until then, look after it yourself.",
            "Nobody is told about %(codes)s until this is mended. Until then, look after them yourself.",
            len(found),
        )
        % codes
    )


def _technical(trouble: Trouble, found: Sequence[About], now: datetime) -> str:
    codes = ", ".join(one.name for one in found)
    at = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if trouble == Trouble.PROMISES:
        return f"{at}: open promises without an armed question: {codes}. Planned anew."
    if trouble == Trouble.SILENT:
        return f"{at}: open, no armed timer and no unread change: {codes}. Planned anew."
    return f"{at}: set aside after failing again and again: {codes}. See the engine's log."
