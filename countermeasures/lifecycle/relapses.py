"""A repeat is weighed: what it says about the fix of the old incident (domain §3).

The engine calls `weigh_due` every second, when nothing else is due. What waits is a row written with the
raise, and it goes in the transaction that draws the conclusion: a crash in between costs a second, never a
rule, and nothing happens twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from countermeasures.exposure import is_being_proved
from countermeasures.lifecycle import mistakes
from countermeasures.lifecycle.proving import did_not_hold
from countermeasures.models import Countermeasure, Kind, Stage
from incidents import families
from incidents.lifecycle.moves import touch
from incidents.models import EventKind, Incident, Status, UnweighedRepeat

logger = logging.getLogger(__name__)

MOST = 50
"""Repeats looked at in one go."""

AT_ONCE = 0.2
"""Seconds after which a go ends, so that whoever calls looks whether something more urgent is due: each
repeat costs a look through its family, and a storm brings hundreds."""

PAUSE = timedelta(seconds=30)
"""One that cannot be weighed is tried again after this long, so that it holds up no other."""


def weigh_due(now: datetime) -> int:
    """Weigh what waits, for a moment: returns how many were weighed, 0 when nothing is left that can be.

    One that fails is set aside and tried again.
    """
    weighed, end = 0, time.monotonic() + AT_ONCE
    for pk in list(UnweighedRepeat.objects.due(now).values_list("pk", flat=True)[:MOST]):
        if weighed and time.monotonic() > end:
            break
        try:
            weighed += weigh(pk, now=now)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("Repeat %s cannot be weighed; it is tried again.", pk)
            UnweighedRepeat.objects.filter(pk=pk).update(not_before=now + PAUSE, failures=F("failures") + 1)
    return weighed


@transaction.atomic
def weigh(incident_id: int, *, now: datetime) -> bool:
    """Say on the old incident that it is here again; a fix inside its window did not hold, and it reopens.

    What a wrong tap had said is taken back with it.

    False when this one was weighed before, somebody weighs it right now, or somebody is at work on an old
    one: the next turn tries again. The engine never waits here, or a stopped line would wait with it.
    """
    waits = UnweighedRepeat.objects.select_for_update(skip_locked=True).filter(pk=incident_id).first()
    if waits is None:
        return False
    repeat = Incident.objects.with_place().annotate(old_number=F("repeat_of__number")).get(pk=incident_id)
    if _was_a_wrong_tap(repeat):
        if not _hold(mistakes.failed_by(repeat)):
            return False
        mistakes.take_back(repeat, now=now)
    else:
        # Oldest first, as whoever locks two of a family does: nobody waits in a circle.
        proving = _being_proved_in_family(repeat)
        numbers = sorted(proving | ({repeat.old_number} if repeat.old_number else set()))
        if not _hold(numbers):
            return False
        for number in numbers:
            old = Incident.objects.locked(number)
            _call_into_question(old, repeat, now=now, is_proving=number in proving)
    waits.delete()
    return True


def _hold(numbers: Sequence[int]) -> bool:
    """Lock these incidents, unless somebody has one of them."""
    free = Incident.objects.select_for_update(skip_locked=True).filter(number__in=numbers).order_by("number")
    return len(free.values_list("pk", flat=True)) == len(numbers)


def _was_a_wrong_tap(repeat: Incident) -> bool:
    return repeat.status == Status.CLOSED and repeat.acknowledged_at is None


def _being_proved_in_family(repeat: Incident) -> set[int]:
    """Numbers of the one it repeats, and of all others of the family, of which a fix is being proved.

    What begins to be proved after this was read began after the repeat, which says nothing about it.
    """
    proving = Countermeasure.objects.filter(stage=Stage.CHECKING)
    found = proving.filter(incident=repeat.repeat_of_id)
    if (family := families.of(repeat)) is not None:
        others = family.incidents().filter(raised_at__lte=repeat.raised_at).exclude(pk=repeat.pk)
        found = proving.filter(Q(incident=repeat.repeat_of_id) | Q(incident__in=others))
    return set(found.order_by().values_list("incident__number", flat=True))


def _call_into_question(old: Incident, repeat: Incident, *, now: datetime, is_proving: bool) -> None:
    """The same again is written on the old one; each fix that had to hold at that moment did not."""
    again = {"repeat": repeat.number}
    touch(old, kind=EventKind.REPEATED, by=None, now=now, words=repeat.where, data=again)
    for fix in _being_proved(old, repeat.raised_at) if is_proving else ():
        did_not_hold(fix, by=None, measured=f"{repeat.code}: {repeat.title}", now=now, data=again)


def _being_proved(old: Incident, at: datetime) -> list[Countermeasure]:
    """The permanent ones come last: failing, they open the incident again."""
    fixes = list(Countermeasure.objects.with_people().filter(incident=old).exclude(kind=Kind.CONTAINMENT))
    for fix in fixes:
        fix.incident = old
    return sorted(
        (fix for fix in fixes if is_being_proved(fix, at)), key=lambda fix: fix.kind == Kind.PERMANENT
    )
