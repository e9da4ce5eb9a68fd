"""What keeps product moving for now: how long it may stay on, and taking it off."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.lifecycle.moves import locked_for, refuse, refuse_strangers, write
from countermeasures.models import Countermeasure, Kind, Stage
from incidents.lifecycle.moves import needs_reason
from incidents.models import Incident, SeverityRule
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import Refused
from plant.models import Person
from plant.wording import day_words


@transaction.atomic
def extend(
    pk: int,
    *,
    by: Person,
    expires_on: date,
    reason: str,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """A manager lets a bandage stay on longer, and says why."""
    found = Countermeasure.objects.locked(pk)
    refuse_unless(by, Action.EXTEND, found.incident)
    found.incident.refuse_if_stale(seen_version)
    reason = needs_reason(reason)
    if found.kind != Kind.CONTAINMENT or found.removed_at is not None or found.stage == Stage.WITHDRAWN:
        raise Refused("not_a_bandage", _("Only a bandage that is on can be extended."))
    today = (now or timezone.now()).astimezone(found.incident.site.tz).date()
    if expires_on <= max(today, found.expires_on or today):
        refuse(
            "expires_on",
            "not_later",
            _("The new day has to be later than the old one."),
        )
    latest = latest_end(found.incident, now)
    if expires_on > latest:
        refuse(
            "expires_on",
            "too_long",
            _("Until %(day)s at the latest. Then it is looked at again.")
            % {"day": day_words(latest, weekday=False)},
        )
    data = {"was": found.expires_on.isoformat() if found.expires_on else None}
    return write(
        found,
        by=by,
        now=now,
        did="extended",
        words=reason,
        data=data,
        expires_on=expires_on,
    )


def latest_end(incident: Incident, now: datetime | None = None) -> date:
    """The last day to which a bandage of this incident may be extended today, on the plant's calendar."""
    today = (now or timezone.now()).astimezone(incident.site.tz).date()
    return today + timedelta(days=SeverityRule.of(incident.severity).extension_days)


@transaction.atomic
def take_off(
    pk: int, *, by: Person, seen_version: int | None = None, now: datetime | None = None
) -> Countermeasure:
    """The bandage is off."""
    found = locked_for(pk, by=by, seen_version=seen_version)
    if found.kind != Kind.CONTAINMENT:
        raise Refused("not_a_bandage", _("Only a bandage is taken off."))
    if found.removed_at is not None:
        return found
    if found.stage in (Stage.PLANNED, Stage.IN_WORK, Stage.WITHDRAWN):
        raise Refused("not_on", _("This bandage is not on. Give it up when it is not needed."))
    now = now or timezone.now()
    return write(found, by=by, now=now, did="taken_off", removed_at=now, removed_by=by)


@transaction.atomic
def name_owner(
    pk: int,
    *,
    by: Person,
    owner: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Countermeasure:
    """Somebody else looks after the bandage: who did has left, or is away. The day it ends stays."""
    found = locked_for(pk, by=by, seen_version=seen_version)
    if found.kind != Kind.CONTAINMENT or found.stage != Stage.IN_PLACE or found.removed_at is not None:
        raise Refused("not_on", _("Only a bandage that is on is handed over."))
    refuse_strangers(found.incident, owner=owner)
    if owner == found.owner:
        return found
    return write(found, by=by, now=now, did="owner_named", owner=owner)
