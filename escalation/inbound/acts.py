"""What an answer does, by text or by mail: the same verbs as the pages', with the same refusals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from escalation import answering
from escalation.models import Did
from incidents import lifecycle, readings
from incidents.lifecycle.closing import SMALL
from incidents.lifecycle.helping import HELPERS
from incidents.models import EventKind, Incident
from incidents.permissions import Action, can
from opsdesk.errors import Refused
from plant.models import Person


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about one incident."""

    did: str
    incident: Incident


def answer(number: int, *, by: Person, channel: str, take: bool, now: datetime) -> Done:
    """Takes it where the person may, else says "seen". Raises what the verbs refuse."""
    incident = answering.answer_about(number, by=by, channel=channel, take=take, now=now)
    return Done(Did.TOOK_IT if incident.owner_id == by.pk else Did.SEEN, incident)


@dataclass(slots=True)
class Tally:
    """What came of answering several."""

    taken: list[Incident] = field(default_factory=list)
    seen: list[Incident] = field(default_factory=list)
    closed: list[Incident] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return len(self.taken) + len(self.seen)


def answer_several(numbers: Iterable[int], *, by: Person, channel: str, take: bool, now: datetime) -> Tally:
    """Each by itself, in the order of their numbers, so that two who do this never wait for each other."""
    tally = Tally()
    for number in sorted(set(numbers)):
        try:
            done = answer(number, by=by, channel=channel, take=take, now=now)
        except Refused as refusal:
            _put_aside(tally, number, refusal)
        else:
            (tally.taken if done.did == Did.TOOK_IT else tally.seen).append(done.incident)
    return tally


def _put_aside(tally: Tally, number: int, refusal: Refused) -> None:
    if refusal.code == "closed":
        tally.closed.append(Incident.objects.numbered(number))
    else:
        tally.refused.append(number)


def say(number: int, words: str, *, by: Person, now: datetime) -> Done:
    """News, from somebody who may give it: how it is and what is needed stay as they were said last.

    Words of anybody else are kept with the incident and sent to nobody. Raises what the verbs refuse.
    """
    incident = Incident.objects.locked(number)
    if not can(by, Action.UPDATE, incident):
        return Done(Did.WORDS, lifecycle.add_words(number, by=by, words=words, now=now))
    last = readings.news(incident)
    updated = lifecycle.post_update(
        number,
        by=by,
        conditions=last.conditions if last else _as_raised(incident),
        actions=words,
        needs=last.needs if last else _("No needs"),
        now=now,
    )
    return Done(Did.UPDATED, updated)


def _as_raised(incident: Incident) -> str:
    return incident.words or readings.what(incident) or incident.title


def keep(number: int, words: str, *, by: Person, now: datetime) -> Done:
    """Words that are no news, such as "no"."""
    return Done(Did.WORDS, lifecycle.add_words(number, by=by, words=words, now=now))


def close(number: int, words: str, *, by: Person, now: datetime) -> Done:
    """Closes it, as the button does. Raises what the verb refuses: `lacks` says it in few words.

    With words a small thing closes with them as its cause, and whoever texts is who agrees; for anything else
    they are kept with the incident when it closes.
    """
    incident = Incident.objects.locked(number)
    if words and incident.is_open:
        if is_small(incident):
            return Done(Did.CLOSED_IT, lifecycle.close(number, by=by, cause=words, agreed_by=by, now=now))
        lifecycle.add_words(number, by=by, words=words, now=now)
    return Done(Did.CLOSED_IT, lifecycle.close(number, by=by, now=now))


def is_small(incident: Incident) -> bool:
    """Small things close with a cause and somebody who agrees (domain §2)."""
    return incident.severity in SMALL


def ask_help(number: int, words: str, *, by: Person, now: datetime) -> Done:
    """Whoever helps first: the specialist on duty there, else the lead. Raises what the verb refuses."""
    trouble: Refused | None = None
    for role in HELPERS:
        try:
            asked = lifecycle.ask_help(number, by=by, who=role, words=words[:200], now=now)
        except Refused as refusal:
            if refusal.code != "nobody_to_help":
                raise
            trouble = refusal
        else:
            return Done(Did.HELP_ASKED, asked)
    assert trouble is not None  # there are helpers
    raise trouble


def who_was_asked(incident: Incident) -> list[str]:
    """Names of the people asked last."""
    event = incident.events.filter(kind=EventKind.HELP_ASKED).order_by("-at", "-pk").first()
    return [str(one["name"]) for one in event.data["people"]] if event else []


def who_closed(incident: Incident) -> tuple[str, datetime | None]:
    """The name of who closed it, and when; no name where it closed by itself."""
    event = incident.events.filter(kind=EventKind.CLOSED).select_related("by").order_by("-at", "-pk").first()
    return (event.by.name if event and event.by else ""), incident.closed_at
