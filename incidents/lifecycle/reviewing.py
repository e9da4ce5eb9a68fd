"""The day has come on which "there is no permanent fix" is looked at again."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.lifecycle.moves import locked, needs_near, needs_reason, touch
from incidents.models import EventKind, Incident, Status
from incidents.permissions import Action
from opsdesk.errors import Invalid, Refused
from plant.models import Person


@transaction.atomic
def review(
    number: int | str,
    *,
    by: Person,
    reason: str,
    review_on: date,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """A manager looked at it again, and accepts until a later day that there is no permanent fix.

    The other answer is to open it again. Who decided last, why, and until when is on the incident; what was
    decided before stays in the timeline.
    """
    incident = locked(number, by=by, action=Action.ACCEPT_NO_FIX, seen_version=seen_version)
    reason, now = needs_reason(reason), now or timezone.now()
    if incident.status != Status.CLOSED or incident.no_fix_accepted_by_id is None:
        raise Refused("nothing_to_review", _("Nobody accepted that there is no permanent fix for this."))
    needs_near(review_on, "review_on")
    if review_on <= now.astimezone(incident.site.tz).date():
        sentence = _("The review has to be on a later day.")
        raise Invalid("bad_review", sentence, fields={"review_on": [sentence]})
    was = incident.review_on.isoformat() if incident.review_on else None
    return touch(
        incident,
        kind=EventKind.NO_FIX_ACCEPTED,
        by=by,
        now=now,
        words=reason,
        data={"review_on": review_on.isoformat(), "was": was},
        no_fix_accepted_by=by,
        no_fix_reason=reason,
        review_on=review_on,
    )
