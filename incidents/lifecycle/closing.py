"""From "the fix is in place" to closed, and back again when it came back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from incidents.lifecycle.mistaken import as_it_was
from incidents.lifecycle.moves import ENDS_EVERYTHING, locked, move, needs_near, needs_reason, touch
from incidents.lifecycle.working import next_update_due
from incidents.models import Downtime, EventKind, Impact, Incident, Severity, Status, UnweighedRepeat
from incidents.permissions import Action, can
from opsdesk.errors import Invalid, NotAllowed, Refused
from plant.models import Person

FIX_FIRST = _("The fix must be in place and proved first.")
FLOOR_FIRST = _("Somebody from the floor has to confirm that production runs.")

SMALL = (Severity.S3, Severity.S4)
"""Small things stay small: these close with a cause and "nothing more needed" (domain §2)."""

TAKE_BACK_WITHIN = timedelta(minutes=10)
"""A wrong tap may be taken back for this long, while nobody has picked it up."""


@transaction.atomic
def resolve(
    number: int | str,
    *,
    by: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """The permanent countermeasure is in place and is being proved."""
    incident = locked(number, by=by, action=Action.RESOLVE, seen_version=seen_version)
    if not incident.countermeasures.permanent().in_place().exists():
        raise Refused(
            "no_permanent_fix",
            _("First put a countermeasure in place that stops it coming back, with evidence."),
        )
    now = now or timezone.now()
    return move(
        incident,
        to=Status.RESOLVED,
        kind=EventKind.RESOLVED,
        by=by,
        now=now,
        resolved_at=now,
        next_update_due=None,
    )


@transaction.atomic
def confirm_running(
    number: int | str,
    *,
    by: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Somebody from the floor, who is not the owner, says that production really runs."""
    incident = locked(number, by=by, action=Action.CONFIRM)
    if incident.owner == by:
        raise NotAllowed(
            "own_work",
            _("You own this, so somebody else from the floor has to confirm it."),
        )
    if incident.floor_confirmed_by_id is not None:
        return incident  # a double tap: before the stale check, on purpose
    incident.refuse_if_stale(seen_version)
    if incident.status not in (Status.CONTAINED, Status.RESOLVED):
        raise Refused("wrong_status", _("Product is not moving yet, so there is nothing to confirm."))
    now = now or timezone.now()
    return touch(
        incident,
        kind=EventKind.FLOOR_CONFIRMED,
        by=by,
        now=now,
        floor_confirmed_by=by,
        floor_confirmed_at=now,
    )


@transaction.atomic
def close(
    number: int | str,
    *,
    by: Person,
    cause: str = "",
    agreed_by: Person | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """The fix is proved and the floor agrees; or a small thing needs nothing more.

    With `cause` and `agreed_by` an S3 or S4 is closed straight away. Otherwise everything domain §3 asks for
    must be there; the refusal says exactly what is missing (`fields["missing"]`).
    """
    incident = locked(number, by=by, action=Action.CLOSE)
    if not incident.is_open:
        return incident  # a double tap: before the stale check, on purpose
    incident.refuse_if_stale(seen_version)
    if cause.strip() or agreed_by is not None:
        return _close_small(incident, by=by, cause=cause.strip(), agreed_by=agreed_by, now=now)
    missing = what_is_missing(incident, by=by)
    if missing:
        raise Refused(
            "not_ready_to_close",
            _("%(code)s cannot be closed yet. %(missing)s")
            % {
                "code": incident.code,
                "missing": " ".join(str(sentence) for sentence in missing),
            },
            fields={"missing": missing},
        )
    confirms: dict[str, Any] = {}
    if incident.floor_confirmed_by_id is None:
        confirms = {
            "floor_confirmed_by": by,
            "floor_confirmed_at": now or timezone.now(),
        }
    return _closed(incident, by=by, now=now, **confirms)


class Lack(NamedTuple):
    """One thing that still stands between an incident and closed: as a sentence, and in few words for a text
    message, with the countermeasure it is about."""

    sentence: str
    short: str
    what: str = ""


def what_is_missing(incident: Incident, *, by: Person | None = None) -> list[str]:
    """Plain sentences, one for each thing that is missing."""
    return [lack.sentence for lack in lacks(incident, by=by)]


def lacks(incident: Incident, *, by: Person | None = None) -> list[Lack]:
    """Everything that is missing before it may close, in the order in which it is done.

    When `by` is somebody from the floor who is not the owner, their closing it is the confirmation.
    """
    found: list[Lack] = []
    if incident.status != Status.RESOLVED:
        found.append(Lack(str(FIX_FIRST), gettext("fix in place")))
    gaps = incident.countermeasures.gaps(incident)
    found += [Lack(gap.sentence, gap.short, gap.what) for gap in gaps]
    confirms = by is not None and by != incident.owner and can(by, Action.CONFIRM, incident)
    if incident.floor_confirmed_by_id is None and not confirms:
        found.append(Lack(str(FLOOR_FIRST), gettext("the floor’s word")))
    return found


def _close_small(
    incident: Incident,
    *,
    by: Person,
    cause: str,
    agreed_by: Person | None,
    now: datetime | None,
) -> Incident:
    if incident.severity not in SMALL:
        raise Refused(
            "not_small",
            _("Only small things close this way. Put a countermeasure in place and prove it."),
        )
    if incident.status not in (Status.ACKNOWLEDGED, Status.REOPENED, Status.CONTAINED):
        raise Refused("wrong_status", _("Somebody has to pick it up first."))
    if not cause:
        sentence = _("Write the cause in a sentence.")
        raise Invalid("no_cause", sentence, fields={"cause": [sentence]})
    if agreed_by is None or agreed_by == incident.owner or not can(agreed_by, Action.ADD_WORDS, incident):
        sentence = _("Say who at this site agrees that nothing more is needed. It cannot be the owner.")
        raise Invalid("nobody_agrees", sentence, fields={"agreed_by": [sentence]})
    return _closed(
        incident,
        by=by,
        now=now,
        words=cause,
        closed_cause=cause,
        closed_agreed_by=agreed_by,
    )


def _closed(
    incident: Incident,
    *,
    by: Person | None,
    now: datetime | None,
    words: str = "",
    **changes: Any,
) -> Incident:
    now = now or timezone.now()
    incident.downtimes.filter(ended_at=None, started_at__lte=now).update(ended_at=now)
    return move(
        incident,
        to=Status.CLOSED,
        kind=EventKind.CLOSED,
        by=by,
        now=now,
        words=words,
        closed_at=now,
        **ENDS_EVERYTHING,
        **changes,
    )


@transaction.atomic
def accept_no_fix(
    number: int | str,
    *,
    by: Person,
    reason: str,
    review_on: date,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """A manager accepts that there is no permanent fix, says why, and when it is reviewed. It closes."""
    incident = locked(number, by=by, action=Action.ACCEPT_NO_FIX, seen_version=seen_version)
    reason = needs_reason(reason)
    now = now or timezone.now()
    if incident.status not in (Status.CONTAINED, Status.RESOLVED):
        raise Refused("wrong_status", _("Product has to move first."))
    needs_near(review_on, "review_on")
    if review_on <= now.astimezone(incident.site.tz).date():
        sentence = _("The review has to be on a later day.")
        raise Invalid("bad_review", sentence, fields={"review_on": [sentence]})
    touch(
        incident,
        kind=EventKind.NO_FIX_ACCEPTED,
        by=by,
        now=now,
        words=reason,
        data={"review_on": review_on.isoformat()},
        no_fix_accepted_by=by,
        no_fix_reason=reason,
        review_on=review_on,
    )
    return _closed(incident, by=by, now=now, words=reason)


@transaction.atomic
def reopen(
    number: int | str,
    *,
    by: Person,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """It came back. The owner keeps it, and every clock starts again."""
    incident = locked(number, by=by, action=Action.REOPEN, seen_version=seen_version)
    return came_back(incident, by=by, reason=needs_reason(reason), now=now)


def came_back(
    incident: Incident,
    *,
    by: Person | None,
    reason: str,
    now: datetime | None,
    data: dict[str, Any] | None = None,
) -> Incident:
    """Open a locked incident again; `reopen` asks for permission, a failed check does not need to.

    The event keeps what the incident was before, so that a mistake can be put right (`mistaken`).
    """
    now = now or timezone.now()
    if incident.owner_id is None:
        raise Refused("never_owned", _("Nobody ever had this. Raise it again instead."))
    _stop_its_line(incident, now)
    return move(
        incident,
        to=Status.REOPENED,
        kind=EventKind.REOPENED,
        by=by,
        now=now,
        words=reason,
        data={**(data or {}), "was": as_it_was(incident)},
        reopened_at=now,
        reopen_count=incident.reopen_count + 1,
        clocks_from=now,
        arrived_at=None,
        contained_at=None,
        resolved_at=None,
        closed_at=None,
        floor_confirmed_by=None,
        floor_confirmed_at=None,
        closed_cause="",
        closed_agreed_by=None,
        no_fix_accepted_by=None,
        no_fix_reason="",
        review_on=None,
        missed_updates=0,
        next_update_due=next_update_due(incident, now),
    )


def _stop_its_line(incident: Incident, at: datetime) -> None:
    """A line stop that came back stops its line again, unless somebody said so already."""
    if incident.level != Impact.STOPPED or incident.line is None:
        return
    if not incident.downtimes.filter(line=incident.line, ended_at=None).exists():
        Downtime.objects.create(incident=incident, line=incident.line, started_at=at)


@transaction.atomic
def take_back(
    number: int | str,
    *,
    by: Person | None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """A wrong tap: whoever raised it closes it again, soon, and only while nobody has it.

    `by` is None for a station's tablet where nobody is signed in; the page has checked that it raised it.
    """
    incident = Incident.objects.locked(number)
    now = now or timezone.now()
    if not incident.is_open and incident.owner is None and incident.raised_by == by:
        return incident  # a double tap
    if incident.raised_by != by:
        raise NotAllowed("not_yours", _("Only who raised it can take it back."))
    if incident.status != Status.RAISED or now > incident.raised_at + TAKE_BACK_WITHIN:
        raise Refused(
            "too_late",
            _("It is too late to take it back. Tell whoever has it that it was a mistake."),
        )
    incident.refuse_if_stale(seen_version)
    touch(incident, kind=EventKind.TAKEN_BACK, by=by, now=now)
    if incident.repeat_of_id is not None:
        UnweighedRepeat.objects.get_or_create(incident=incident)  # what it said of an old fix is taken back
    return _closed(incident, by=by, now=now)
