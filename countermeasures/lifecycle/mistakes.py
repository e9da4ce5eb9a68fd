"""A repeat that was none, a wrong tap: the fix that it failed is proved again, as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from countermeasures.exposure import counted
from countermeasures.lifecycle.moves import write
from countermeasures.models import Countermeasure, Stage
from incidents import families
from incidents.lifecycle import holds_after_all
from incidents.lifecycle.moves import needs_reason
from incidents.models import Event, EventKind, Incident
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import NotAllowed, Refused
from plant.models import Person


@transaction.atomic
def restore(
    pk: int, *, by: Person, reason: str, seen_version: int | None = None, now: datetime | None = None
) -> Countermeasure:
    """The repeat that failed it was a mistake: it is being proved again, and so is what else it failed here.

    By somebody who may sign it off, so never its owner, and once the repeat is closed. Whoever was told that
    it did not hold is told that it holds after all.
    """
    found = Countermeasure.objects.locked(pk)
    failure = _failure(found)
    if by == found.owner or (failure is not None and by == _placed_by(found)):
        raise NotAllowed("own_work", _("You own this or put it in place, so somebody else has to say that."))
    refuse_unless(by, Action.CHECK, found.incident)
    if found.stage == Stage.CHECKING:
        return found  # a double tap: before the stale check, on purpose
    found.incident.refuse_if_stale(seen_version)
    reason = needs_reason(reason)
    if failure is None:
        raise Refused("no_repeat", _("No repeat failed it, or it has been promised again since."))
    repeat = Incident.objects.numbered(failure.data["repeat"])
    if repeat.is_open:
        raise Refused(
            "repeat_is_open",
            _("%(code)s, which failed it, is still open. Close that first.") % {"code": repeat.code},
        )
    _put_right(found.incident, repeat, by=by, reason=reason, now=now)
    return Countermeasure.objects.locked(pk)


def take_back(repeat: Incident, *, now: datetime) -> None:
    """Whatever a wrong tap had failed before it was taken back; the caller's transaction does all of it."""
    for number in failed_by(repeat):
        old = Incident.objects.locked(number)
        reason = _("%(code)s was a wrong tap and was taken back.") % {"code": repeat.code}
        _put_right(old, repeat, by=None, reason=str(reason), now=now)


def failed_by(repeat: Incident) -> list[int]:
    """Numbers of those it may have failed, oldest first: who locks two of a family waits in no circle."""
    numbers = {repeat.repeat_of.number} if repeat.repeat_of else set()
    family = families.of(repeat)
    if family is not None:
        failed = family.incidents().filter(
            countermeasures__stage=Stage.NOT_EFFECTIVE, countermeasures__checked_at__gte=repeat.raised_at
        )
        numbers |= set(failed.exclude(pk=repeat.pk).values_list("number", flat=True))
    return sorted(numbers)


def _put_right(
    old: Incident, repeat: Incident, *, by: Person | None, reason: str, now: datetime | None
) -> None:
    restored = [
        _restored(fix, failure, by=by, reason=reason, now=now)
        for fix, failure in _failures(old)
        if failure.data["repeat"] == repeat.number
    ]
    if restored:
        holds_after_all(old, repeat=repeat.number, by=by, reason=reason, now=now)


def _failures(old: Incident) -> Iterator[tuple[Countermeasure, Event]]:
    for fix in Countermeasure.objects.with_people().filter(incident=old, stage=Stage.NOT_EFFECTIVE):
        fix.incident = old  # the locked row, for all of them
        failure = _failure(fix)
        if failure is not None:
            yield fix, failure


def _restored(
    fix: Countermeasure,
    failure: Event,
    *,
    by: Person | None,
    reason: str,
    now: datetime | None,
) -> Countermeasure:
    """The window goes on where it was: what passed in between was time in which it held."""
    fix.stage = Stage.CHECKING
    exposed = counted(fix, now or failure.at)
    fix.stage = Stage.NOT_EFFECTIVE
    return write(
        fix,
        by=by,
        now=now,
        did="restored",
        words=reason,
        data={"repeat": failure.data["repeat"]},
        stage=Stage.CHECKING,
        measured="",
        checked_by=None,
        checked_at=None,
        placed_by=_placed_by(fix),
        exposed=exposed,
        **_waiver(fix, failure),
    )


# --- as the timeline has it ---


def _failure(found: Countermeasure) -> Event | None:
    """The event by which a repeat failed it; None when none did, or when it was promised anew since."""
    if found.stage != Stage.NOT_EFFECTIVE:
        return None
    last = _last(found, "not_effective")
    return last if last is not None and "repeat" in last.data else None


def _placed_by(found: Countermeasure) -> Person | None:
    placed = _last(found, "in_place")
    return placed.by if placed is not None else None


def _waiver(found: Countermeasure, failure: Event) -> dict[str, Any]:
    """A manager's word for a weak one ended with the failure; without the failure it stands."""
    waived = _last(found, "waived") if "waived_by" in failure.data.get("changed", {}) else None
    return {"waived_by": waived.by, "waived_reason": waived.words} if waived is not None else {}


def _last(found: Countermeasure, did: str) -> Event | None:
    events = Event.objects.filter(
        incident_id=found.incident_id,
        kind=EventKind.COUNTERMEASURE,
        data__countermeasure=found.pk,
        data__did=did,
    )
    return events.select_related("by").order_by("-at", "-pk").first()
