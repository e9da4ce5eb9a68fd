"""Keeping a promise is doing what it is about: each kind by the verb that belongs to it."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from countermeasures import lifecycle as fixes
from countermeasures.models import Elsewhere, Promise
from countermeasures.promises import lifecycle
from countermeasures.promises.follow import follow_own
from countermeasures.promises.models import PromiseKind
from countermeasures.promises.rules import end_of_day
from incidents.lifecycle import review, stop_waiting, wait_on
from incidents.lifecycle.moves import needs_near, needs_reason
from opsdesk.errors import Refused
from plant.models import Person

WITH_EVIDENCE = (PromiseKind.FIX, PromiseKind.WHERE_ELSE)
"""Kinds that are kept by saying how one can see it."""


def keep(promise: Promise, *, by: Person, words: str = "", now: datetime | None = None) -> None:
    """It is done. `words`: how one can see it, where the verb asks for it. Raises what the verb raises."""
    if not promise.is_open:
        return
    pk = int(promise.subject.rpartition(":")[2])
    if promise.kind == PromiseKind.FIX:
        fixes.put_in_place(pk, by=by, evidence=words, now=now)
    elif promise.kind == PromiseKind.BANDAGE:
        fixes.take_off(pk, by=by, now=now)
    elif promise.kind == PromiseKind.WHERE_ELSE:
        row = Elsewhere.objects.select_related("station").get(pk=pk)
        fixes.done_elsewhere(row.countermeasure_id, station=row.station, by=by, evidence=words, now=now)
    elif promise.kind == PromiseKind.WAITING and promise.incident is not None:
        stop_waiting(promise.incident.number, by=by, now=now)
        lifecycle.keep(promise.pk, by=by, now=now)
    elif promise.kind == PromiseKind.CHECK:
        raise Refused("sign_it_off", _("Open the countermeasure and say what you measured."))
    elif promise.kind == PromiseKind.REVIEW:
        raise Refused("look_again", _("Say until when it stays without a permanent fix, or open it again."))
    else:
        lifecycle.keep(promise.pk, by=by, now=now)


@transaction.atomic
def agree_new_date(
    promise: Promise,
    *,
    by: Person,
    due_on: date,
    reason: str,
    in_the_way: str = "",
    now: datetime | None = None,
) -> None:
    """Another day with its reason, by the verb that moves it; `in_the_way` from the short list.

    A bandage stays on longer, and "no permanent fix" stands longer, only when a manager says so. What an
    incident waits on, or is reviewed for, is a date of the incident: that moves, and the promise with it.
    """
    needs_near(due_on, "due_on")
    incident = promise.incident
    if promise.kind == PromiseKind.BANDAGE and promise.countermeasure_id is not None:
        fixes.extend(promise.countermeasure_id, by=by, expires_on=due_on, reason=reason, now=now)
    elif promise.kind == PromiseKind.REVIEW and incident is not None:
        follow_own(review(incident.number, by=by, reason=reason, review_on=due_on, now=now), by, reason, now)
    elif promise.kind == PromiseKind.WAITING and incident is not None:
        reason, until = needs_reason(reason), end_of_day(due_on, promise.site.tz)
        on, name = incident.waiting_on, incident.waiting_name
        follow_own(wait_on(incident.number, by=by, on=on, name=name, until=until, now=now), by, reason, now)
    else:
        lifecycle.agree_new_date(
            promise.pk, by=by, due_on=due_on, reason=reason, in_the_way=in_the_way, now=now
        )
        return
    lifecycle.note_in_the_way(promise.subject, in_the_way, words=reason)
