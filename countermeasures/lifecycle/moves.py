"""How a countermeasure is locked, moved and written down; its incident's row is the lock of the family."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NoReturn

from django.utils.translation import gettext_lazy as _

from countermeasures.models import Countermeasure, Stage
from countermeasures.promises.follow import follow
from incidents.lifecycle.moves import touch
from incidents.models import EventKind, Incident
from incidents.permissions import Action, can, refuse_unless
from opsdesk.errors import Invalid, Refused
from plant.models import Person

ALLOWED_FROM: dict[Stage, frozenset[Stage]] = {
    Stage.IN_WORK: frozenset({Stage.PLANNED, Stage.NOT_EFFECTIVE}),
    Stage.IN_PLACE: frozenset({Stage.PLANNED, Stage.IN_WORK}),
    Stage.CHECKING: frozenset({Stage.IN_PLACE}),
    Stage.EFFECTIVE: frozenset({Stage.IN_PLACE, Stage.CHECKING}),
    Stage.NOT_EFFECTIVE: frozenset({Stage.IN_PLACE, Stage.CHECKING, Stage.EFFECTIVE}),
    Stage.WITHDRAWN: frozenset({Stage.PLANNED, Stage.IN_WORK, Stage.NOT_EFFECTIVE}),
}
"""To which stage from which (domain §3)."""


def locked_for(pk: int, *, by: Person, seen_version: int | None) -> Countermeasure:
    """The countermeasure for its owner or for somebody who plans countermeasures here."""
    found = Countermeasure.objects.locked(pk)
    if not (by == found.owner and can(by, Action.ADD_WORDS, found.incident)):
        refuse_unless(by, Action.PLAN, found.incident)
    found.incident.refuse_if_stale(seen_version)
    return found


def move(found: Countermeasure, *, to: Stage, did: str, **rest: Any) -> Countermeasure:
    if Stage(found.stage) not in ALLOWED_FROM[to]:
        raise Refused(
            "wrong_status",
            _("“%(what)s” is “%(stage)s” now, so it cannot become “%(wanted)s”.")
            % {
                "what": found.what,
                "stage": found.get_stage_display(),
                "wanted": to.label,
            },
        )
    return write(found, did=did, stage=to, **rest)


def write(
    found: Countermeasure,
    *,
    by: Person | None,
    now: datetime | None,
    did: str,
    words: str = "",
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Countermeasure:
    """Save the named fields and tell the timeline what each was before and is now."""
    changed = changes_of(found, changes)
    for name, value in changes.items():
        setattr(found, name, value)
    found.save(update_fields=list(changes))
    tell(found, by=by, now=now, did=did, words=words, data={"changed": changed, **(data or {})})
    return found


def changes_of(found: Countermeasure, changes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each field that really changes: what it was and what it is now, as the timeline keeps them."""
    pairs = {name: [kept(getattr(found, name)), kept(value)] for name, value in changes.items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def kept(value: Any) -> Any:
    """A value as JSON: people by their name, because the record is read long after they left."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Person):
        return value.name
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def tell(
    found: Countermeasure,
    *,
    by: Person | None,
    now: datetime | None,
    did: str,
    words: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Append the change to the incident's timeline: that is the countermeasure's history."""
    details = {
        "countermeasure": found.pk,
        "did": did,
        "what": found.what,
        "owner": found.owner.name if found.owner else "",
        "due_on": found.due_on.isoformat() if found.due_on else None,
        **(data or {}),
    }
    touch(
        found.incident,
        kind=EventKind.COUNTERMEASURE,
        by=by,
        now=now,
        words=words,
        data=details,
    )
    follow(found, by=by, reason=words, now=now)


def needed(text: str, field: str, sentence: Any) -> str:
    text = text.strip()
    if not text:
        refuse(field, "empty", sentence)
    return text


def refuse(field: str, code: str, sentence: Any) -> NoReturn:
    raise Invalid(code, sentence, fields={field: [sentence]})


def refuse_same(owner: Person | None, checker: Person | None) -> None:
    if owner is not None and owner == checker:
        refuse(
            "checker",
            "own_work",
            _("The checker is never the owner. Choose somebody else."),
        )


def refuse_strangers(incident: Incident, **people: Person | None) -> None:
    """Nobody is named who could not even open the incident."""
    for field, person in people.items():
        if person is not None and not can(person, Action.ADD_WORDS, incident):
            refuse(field, "cannot_take", _("%(name)s does not work at this site.") % {"name": person})
