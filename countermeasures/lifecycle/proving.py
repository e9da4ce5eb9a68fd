"""From "it is in, here is the evidence" to proved, or back again when it did not hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.exposure import counted
from countermeasures.lifecycle.moves import locked_for, move, needed, refuse, write
from countermeasures.models import Countermeasure, Kind, Stage
from countermeasures.wording import held_for
from incidents.lifecycle.closing import came_back
from incidents.lifecycle.moves import needs_reason, touch
from incidents.models import EventKind, Photo
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import NotAllowed, Refused
from plant.models import Person
from plant.wording import day_words


@transaction.atomic
def put_in_place(
    pk: int,
    *,
    by: Person,
    evidence: str,
    photo: UploadedFile | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """It is in, and here is the evidence, with a photo if there is one (the form has checked that it is one).

    A permanent one starts being proved at once.
    """
    found = locked_for(pk, by=by, seen_version=seen_version)
    evidence = needed(evidence, "evidence", _("Say how one can see that it is in place."))
    if found.owner is None:
        refuse("owner", "no_owner", _("Say who does it."))
    if found.kind != Kind.CONTAINMENT and not found.is_planned_check_complete:
        raise Refused(
            "no_check_planned",
            _("Plan the check first: what is measured, what you want to see, and who checks it."),
        )
    if found.checker is not None and found.checker == by:
        raise NotAllowed(
            "own_work",
            _("You are to check this, so somebody else puts it in place. Or name another checker."),
        )
    if not found.is_strong_enough:
        raise Refused(
            "too_weak",
            _(
                "This needs something that stops the problem by itself. "
                "Make it stronger, or ask a manager to accept it."
            ),
        )
    now = now or timezone.now()
    if photo is not None:
        _keep_photo(found, photo, by=by, now=now)
    placed = move(
        found,
        to=Stage.IN_PLACE,
        by=by,
        now=now,
        did="in_place",
        words=evidence,
        evidence=evidence,
        in_place_at=now,
        placed_by=by,
    )
    if placed.kind == Kind.CONTAINMENT:
        return placed
    return move(placed, to=Stage.CHECKING, by=by, now=now, did="checking", checking_from=now, exposed=0)


def _keep_photo(found: Countermeasure, image: UploadedFile, *, by: Person, now: datetime) -> None:
    """One of the incident's photos, and the evidence of this countermeasure."""
    incident, caption = found.incident, found.what[:200]
    kept = Photo.objects.create(incident=incident, by=by, at=now, image=image, caption=caption)
    found.photos.add(kept)
    touch(incident, kind=EventKind.PHOTO_ADDED, by=by, now=now, words=caption, data={"photo": kept.pk})


@transaction.atomic
def waive(
    pk: int,
    *,
    by: Person,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """A manager accepts a weaker countermeasure, and says why."""
    found = Countermeasure.objects.locked(pk)
    refuse_unless(by, Action.WAIVE, found.incident)
    found.incident.refuse_if_stale(seen_version)
    reason = needs_reason(reason)
    if found.kind == Kind.CONTAINMENT or found.stage == Stage.WITHDRAWN or not found.is_pursued:
        raise Refused("not_needed", _("Nobody has to accept this: it is not waiting to be strong enough."))
    return write(
        found,
        by=by,
        now=now,
        did="waived",
        words=reason,
        waived_by=by,
        waived_reason=reason,
    )


@transaction.atomic
def check(
    pk: int,
    *,
    by: Person,
    effective: bool,
    measured: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """The second, separate sign-off, never by the owner. What did not hold opens the incident again."""
    found = Countermeasure.objects.locked(pk)
    if by == found.owner:
        raise NotAllowed("own_work", _("You own this, so somebody else has to check it."))
    if by == found.placed_by:
        raise NotAllowed("own_work", _("You put this in place, so somebody else has to check it."))
    refuse_unless(by, Action.CHECK, found.incident)
    found.incident.refuse_if_stale(seen_version)
    if found.kind == Kind.CONTAINMENT:
        raise Refused("not_proved", _("A bandage is not proved. Take it off, or let it stay longer."))
    measured = needed(measured, "measured", _("Say what you measured."))
    now = now or timezone.now()
    if effective:
        exposed = counted(found, now)
        _refuse_before_window_ends(found, now, exposed)
        return move(
            found,
            to=Stage.EFFECTIVE,
            by=by,
            now=now,
            did="effective",
            words=measured,
            checked_by=by,
            checked_at=now,
            measured=measured,
            exposed=exposed,
        )
    return did_not_hold(found, by=by, measured=measured, now=now)


def _refuse_before_window_ends(found: Countermeasure, now: datetime, exposed: int) -> None:
    if found.stage != Stage.CHECKING or found.is_window_over(now, exposed=exposed):
        return
    found.exposed = exposed  # what is said is what was just counted
    figures = {
        "held": held_for(found, now),
        "day": day_words(found.proved_on, weekday=False) if found.proved_on else "",
    }
    if found.days_proved(now) < (found.window_days or 0):
        sentence = _("It has held for %(held)s. It is proved on %(day)s at the earliest.")
    else:
        sentence = _("It has held for %(held)s. Both must be reached before it is proved.")
    raise Refused("window_not_over", sentence % figures)


def did_not_hold(
    found: Countermeasure,
    *,
    by: Person | None,
    measured: str,
    now: datetime | None,
    data: dict[str, Any] | None = None,
) -> Countermeasure:
    """The fix failed: the boxes are empty again, and the incident comes back if it was thought to be safe.

    A manager's word that a weaker one is enough ends with it: it was a bet on this fix, and it is lost.
    """
    lost = {"waived_by": None, "waived_reason": ""} if found.waived_by_id else {}
    failed = move(
        found,
        to=Stage.NOT_EFFECTIVE,
        by=by,
        now=now,
        did="not_effective",
        words=measured,
        data=data,
        measured=measured,
        checked_by=by,
        checked_at=now or timezone.now(),
        placed_by=None,
        exposed=0,
        **lost,
    )
    if found.kind == Kind.PERMANENT and failed.incident.is_moving:
        reason = _("The fix did not hold: %(what)s") % {"what": found.what}
        told = {**(data or {}), "failed_fix": found.what}  # so that each reads it in their language
        came_back(failed.incident, by=by, reason=str(reason), now=now, data=told)
    return failed
