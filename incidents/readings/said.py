"""What was said last about an incident, what keeps product moving, and how words become sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.utils.translation import gettext as _

from incidents.models import Event, EventKind, Incident, Status, Update

NOTHING_NEEDED = frozenset(
    {
        "",
        "-",
        "–",
        "—",
        "no",
        "none",
        "no needs",
        "nothing",
        "nothing needed",
        "n/a",
        "nada",
        "ninguna",
        "ninguno",
        "no hace falta nada",
        "sin necesidades",
    }
)
"""Ways to say that nothing is needed, in English and Spanish; "no needs" is an answer (domain §2)."""


_LAST_WORD = ("incident", "at", "conditions", "actions", "needs", "technical", "next_update_at")


def attach(incidents: Sequence[Incident]) -> None:
    """Load what the readings need for many incidents: two queries, three when silence took one back."""
    last = {
        update.incident_id: update
        for update in Update.objects.filter(incident__in=incidents)
        .select_related("by")
        .only(*_LAST_WORD, "by__name", "by__username")
        .order_by("incident_id", "-at", "-id")
        .distinct("incident_id")
    }
    for incident in incidents:
        vars(incident)["latest_update"] = last.get(incident.pk)
    prefetch_related_objects(
        [i for i in incidents if "bandages" not in vars(i)],
        Prefetch(
            "countermeasures", queryset=_countermeasures().worn().only("incident", "what"), to_attr="bandages"
        ),
    )
    _attach_lapses([incident for incident in incidents if _is_lapsed(incident)])


@dataclass(frozen=True, slots=True)
class Lapse:
    """Who had it before silence took it back, and since when nothing was said."""

    person_id: int
    name: str
    silent_since: datetime


def _is_lapsed(incident: Incident) -> bool:
    return incident.status == Status.RAISED and incident.missed_updates > 0


def _attach_lapses(lapsed: Sequence[Incident]) -> None:
    if not lapsed:
        return
    events = Event.objects.filter(incident__in=lapsed, kind=EventKind.LAPSED)
    newest = events.order_by("incident_id", "-at", "-id").distinct("incident_id")
    found = {event.incident_id: event.data for event in newest}
    for incident in lapsed:
        data = found.get(incident.pk)
        vars(incident)["lapse"] = data and Lapse(
            data["had_id"], data["had"], datetime.fromisoformat(data["silent_since"])
        )


def lapse(incident: Incident) -> Lapse | None:
    """Who had it until silence took it back; None when somebody has it, or nobody ever had."""
    if not _is_lapsed(incident):
        return None
    if "lapse" not in vars(incident):
        _attach_lapses([incident])
    found: Lapse | None = vars(incident)["lapse"]
    return found


def _countermeasures() -> Any:
    """The manager of countermeasures, reached by the reverse relation: this app does not know theirs."""
    related: Any = Incident._meta.get_field("countermeasures").related_model
    return related.objects


def latest_update(incident: Incident) -> Update | None:
    """The last word about it, from `attach()` or looked up once."""
    known = vars(incident)
    if "latest_update" not in known:
        known["latest_update"] = incident.updates.select_related("by").first() if incident.pk else None
    return known["latest_update"]


def news(incident: Incident) -> Update | None:
    """The last word if it is about now, not about the time before product moved or it came back."""
    last = latest_update(incident)
    since = incident.raised_at
    if incident.is_moving:
        since = incident.closed_at or incident.contained_at or since
    elif incident.reopened_at:
        since = incident.reopened_at
    return last if last and last.at >= since else None


def bandage(incident: Incident) -> str:
    """What keeps product moving for now, in the words of who put it on; empty when nothing does."""
    known = vars(incident)
    if "bandages" not in known:
        known["bandages"] = list(_countermeasures().worn().filter(incident=incident)) if incident.pk else []
    return known["bandages"][-1].what if known["bandages"] else ""


def manager_words(update: Update) -> tuple[str, ...]:
    """An update for managers: how it is, what is done, and what is needed when something is."""
    needed = (
        (_("Needed: %(needs)s") % {"needs": sentence(update.needs)},) if needs_something(update.needs) else ()
    )
    return (sentence(update.conditions), sentence(update.actions), *needed)


def manager_sms_of(update: Update) -> str:
    """The same in one breath. The SMS writer cuts it to the room there is."""
    return " ".join(manager_words(update))


def needs_something(needs: str) -> bool:
    """False when it is one of the ways to say that nothing is needed."""
    return needs.strip().rstrip(".!").casefold() not in NOTHING_NEEDED


def sentence(text: str) -> str:
    """The text on one line, with its first letter large and a stop at the end."""
    text = " ".join(text.split())
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".?!…:" else f"{text}."
