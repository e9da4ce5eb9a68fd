"""Keeping a promise is doing what it is about: each kind by the verb that belongs to it."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures import lifecycle as fixes
from countermeasures.models import Elsewhere, Promise
from countermeasures.promises import lifecycle
from countermeasures.promises.follow import follow_incidents
from countermeasures.promises.models import PromiseKind
from incidents.lifecycle import review, stop_waiting
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


def agree_new_date(
    promise: Promise,
    *,
    by: Person,
    due_on: date,
    reason: str,
    in_the_way: str = "",
    now: datetime | None = None,
) -> None:
    """Another day with its reason. A bandage stays on longer, and a problem without a permanent fix, only
    when a manager says so."""
    if promise.kind == PromiseKind.BANDAGE and promise.countermeasure_id is not None:
        fixes.extend(promise.countermeasure_id, by=by, expires_on=due_on, reason=reason, now=now)
        return
    if promise.kind == PromiseKind.REVIEW and promise.incident is not None:
        _review(promise.incident.number, by=by, reason=reason, review_on=due_on, now=now)
        return
    lifecycle.agree_new_date(promise.pk, by=by, due_on=due_on, reason=reason, in_the_way=in_the_way, now=now)


@transaction.atomic
def _review(number: int, *, by: Person, reason: str, review_on: date, now: datetime | None) -> None:
    """Looked at again. The promise follows at once: the page that is shown next has the new day."""
    incident = review(number, by=by, reason=reason, review_on=review_on, now=now)
    follow_incidents([incident.pk], now or timezone.now())
