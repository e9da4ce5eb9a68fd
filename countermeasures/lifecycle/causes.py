"""Why it happened and why nothing caught it; and when a person is the cause, the system's part in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from countermeasures.lifecycle.moves import refuse
from countermeasures.models import Cause
from incidents.lifecycle.moves import locked, touch
from incidents.models import EventKind
from incidents.permissions import Action
from plant.models import Person


@transaction.atomic
def write_cause(
    number: int | str,
    *,
    by: Person,
    root_cause: str,
    escape_cause: str,
    five_whys: Sequence[str] = (),
    is_person: bool | None = None,
    made_easy: str = "",
    would_stop: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Cause:
    """Why it happened, and why nothing caught it. What is given empty stays as it was written before.

    `is_person`: a person is the cause, or not; None leaves that as it was. Then `made_easy`, what made it
    easy to get wrong, is needed (Invalid `no_system_part`): people are never the end of a chain of whys.
    """
    incident = locked(number, by=by, action=Action.PLAN, seen_version=seen_version)
    root_cause, escape_cause = root_cause.strip(), escape_cause.strip()
    if not root_cause and not escape_cause:
        refuse("root_cause", "empty", _("Write why it happened, or why nothing caught it."))
    written = {
        "root_cause": root_cause,
        "escape_cause": escape_cause,
        "five_whys": [why.strip() for why in five_whys if why.strip()],
        "made_easy": made_easy.strip(),
        "would_stop": would_stop.strip(),
    }
    was = Cause.objects.filter(incident=incident).values("is_person", *written).first() or {}
    changes: dict[str, Any] = {name: words for name, words in written.items() if words}
    if is_person is not None:
        changes["is_person"] = is_person
    _refuse_blame({**was, **changes})
    cause, _created = Cause.objects.update_or_create(
        incident=incident, defaults={**changes, "written_by": by, "written_at": now or timezone.now()}
    )
    changed = {name: [was.get(name), value] for name, value in changes.items() if value != was.get(name)}
    if not was and changed.get("is_person") == [None, False]:
        del changed["is_person"]
    data = {"escape_cause": escape_cause, "changed": changed}
    touch(incident, kind=EventKind.CAUSE, by=by, now=now, words=root_cause, data=data)
    return cause


def _refuse_blame(said: dict[str, Any]) -> None:
    """A person without the system's part in it leads to a talk with the person, and that holds nothing."""
    if said.get("is_person") and not said.get("made_easy"):
        refuse(
            "made_easy",
            "no_system_part",
            _("When a person is the cause, say what made it easy to get wrong."),
        )
