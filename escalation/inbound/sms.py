"""A text message from somebody: who it is, what is meant, what is done, and what is texted back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from escalation.inbound import acts, opting_out, replies
from escalation.inbound.closing import close, refused
from escalation.inbound.once import Heard, message, take
from escalation.inbound.senders import Sender, number_of, people_with, who_is_it
from escalation.inbound.waiting import closed_since, waiting_for
from escalation.inbound.words import Kind, Said, understand
from escalation.models import Did, Inbound
from incidents.models import Incident
from opsdesk.errors import NotAllowed, Refused
from plant.models import Channel, Person

TAKES = frozenset({Kind.ANSWER, Kind.ALL})
LONGEST_NUMBER = 2_147_483_647


def take_sms(
    *,
    sender: str,
    text: str,
    reference: str,
    provider: str,
    to: str = "",
    now: datetime | None = None,
    is_answered_here: bool = False,
) -> Heard:
    """Carry out what somebody texted. `Heard.reply` is what is texted back, empty for nothing.

    `is_answered_here`: whoever brought it gives the reply at once, so that nobody else texts it.
    `reference` is the provider's id of the message: it acts once, ever. Never raises for what is in the
    message; raises DatabaseError when the database fails, and then nothing was done.
    """
    now = now or timezone.now()
    arrived = message(
        Channel.SMS,
        provider=provider,
        reference=reference,
        sender=number_of(sender) or sender,
        to=to,
        text=text,
        now=now,
    )
    arrived.replied_at = now if is_answered_here else None
    return take(arrived, _heard)


def _heard(row: Inbound) -> Heard:
    people = people_with(row.sender)
    said = understand(row.text)
    language = people[0].language if people else settings.LANGUAGE_CODE
    with override(language), timezone.override(_zone(people)):
        if said.kind == Kind.STOP:
            return _stop(row, people)
        if said.kind == Kind.START or (said.is_yes and opting_out.has_stopped(row.sender)):
            return _start(row, people)
        if not people:
            return Heard(Did.UNKNOWN_SENDER, replies.unknown_sender())
        heard = _from_somebody(row, who_is_it(people, said, row.text))
    return replace(heard, reply="") if opting_out.has_stopped(row.sender) else heard


def _zone(people: Sequence[Person]) -> tzinfo:
    site = people[0].site if people else None
    return site.tz if site is not None else timezone.get_default_timezone()


def _stop(row: Inbound, people: Sequence[Person]) -> Heard:
    opting_out.stop(row.sender, now=row.received_at)
    return Heard(Did.STOPPED, replies.stopped() if people else "", next(iter(people), None))


def _start(row: Inbound, people: Sequence[Person]) -> Heard:
    opting_out.start(row.sender)
    return Heard(Did.STARTED, replies.started() if people else "", next(iter(people), None))


# --- from somebody we know, or one of two ---


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who says what, when."""

    person: Person
    said: Said
    now: datetime

    @property
    def takes(self) -> bool:
        return self.said.kind in TAKES


def _from_somebody(row: Inbound, sender: Sender) -> Heard:
    person, said = sender.person, sender.said
    if said.kind == Kind.HOW:
        return Heard(Did.HELP_TEXT, replies.how_it_works(), person)
    if person is None:
        return Heard(Did.WHO, replies.who(sender.may_be, *said.numbers[:1]))
    with override(person.language), timezone.override(_zone([person])):
        asked = _Asked(person, _settled(said, person), row.received_at)
        return replace(_carried_out(asked), person=person)


def _settled(said: Said, person: Person) -> Said:
    """Of numbers in a sentence only those that are incidents this person may see."""
    if not said.is_loose or not said.numbers:
        return said
    seen = Incident.objects.visible_to(person).filter(number__in=_possible(said.numbers))
    numbers = tuple(seen.order_by("-number").values_list("number", flat=True))
    return replace(said, numbers=numbers)


def _possible(numbers: Sequence[int]) -> list[int]:
    return [one for one in numbers if one <= LONGEST_NUMBER]


def _carried_out(asked: _Asked) -> Heard:
    said = asked.said
    if said.kind in (Kind.ALL, Kind.SEEN_ALL):
        return _all(asked)
    if not said.numbers:
        return _without_number(asked)
    if len(said.numbers) > 1:
        return _several(asked)
    number = said.numbers[0]
    incident = Incident.objects.filter(number__in=_possible([number])).with_place().first()
    if incident is None:
        return Heard(Did.NOT_UNDERSTOOD, replies.no_such(number, waiting_for(asked.person)))
    return _about(incident, asked)


def _about(incident: Incident, asked: _Asked) -> Heard:
    """One incident: whatever is refused is said in its own words."""
    with timezone.override(incident.site.tz):
        try:
            with transaction.atomic():
                return _ACTS[asked.said.kind](incident, asked)
        except Refused as refusal:
            return refused(incident.number, refusal, by=asked.person, now=asked.now)


def _answer(incident: Incident, asked: _Asked) -> Heard:
    done = acts.answer(incident.number, by=asked.person, channel=Channel.SMS, take=asked.takes, now=asked.now)
    word = replies.took_it if done.did == Did.TOOK_IT else replies.seen
    return Heard(done.did, word(done, asked.person, asked.now), incident=done.incident)


def _say(incident: Incident, asked: _Asked) -> Heard:
    done = acts.say(incident.number, asked.said.words, by=asked.person, now=asked.now)
    is_news = done.did == Did.UPDATED
    reply = replies.updated(done, asked.person, asked.now) if is_news else replies.kept(done)
    return Heard(done.did, reply, incident=done.incident)


def _say_no(incident: Incident, asked: _Asked) -> Heard:
    done = acts.keep(incident.number, asked.said.words or _("No"), by=asked.person, now=asked.now)
    return Heard(done.did, replies.said_no(done, asked.person), incident=done.incident)


def _ask_help(incident: Incident, asked: _Asked) -> Heard:
    """Where the role may not ask for it, the cry is kept with the incident, and said to be no more."""
    words = asked.said.words
    try:
        with transaction.atomic():
            done = acts.ask_help(incident.number, words, by=asked.person, now=asked.now)
    except NotAllowed:
        asks = _("Asks for help by text. %(words)s") % {"words": words}
        done = acts.keep(incident.number, asks.strip(), by=asked.person, now=asked.now)
        return Heard(done.did, replies.help_refused(done.incident, asked.person), incident=done.incident)
    return Heard(
        done.did, replies.help_asked(done, acts.who_was_asked(done.incident)), incident=done.incident
    )


def _close(incident: Incident, asked: _Asked) -> Heard:
    """With words they are the cause, for a small thing."""
    return close(incident, asked.said.words, by=asked.person, now=asked.now)


_ACTS: Mapping[Kind, Callable[[Incident, _Asked], Heard]] = {
    Kind.ANSWER: _answer,
    Kind.SEEN: _answer,
    Kind.WORDS: _say,
    Kind.NO: _say_no,
    Kind.HELP: _ask_help,
    Kind.CLOSE: _close,
}


# --- none, or several ---


def _several(asked: _Asked) -> Heard:
    """Numbers alone answer each; with words it is asked which one they are for."""
    said = asked.said
    if said.kind == Kind.CLOSE:
        return Heard(Did.WHICH, replies.which_to_close(said.numbers[0]))
    if said.kind not in (Kind.ANSWER, Kind.SEEN):
        found = Incident.objects.filter(number__in=_possible(said.numbers)).with_place().order_by("-number")
        return Heard(Did.WHICH, replies.which(list(found), has_words=True))
    return _tallied(said.numbers, asked)


def _all(asked: _Asked) -> Heard:
    """Everything that was texted to this person and waits; what has closed since is said to be closed."""
    waits = [*waiting_for(asked.person), *closed_since(asked.person, asked.now)]
    if not waits:
        return Heard(Did.NOT_UNDERSTOOD, replies.nothing_waits(asked.person))
    return _tallied([one.number for one in waits], asked)


def _tallied(numbers: Sequence[int], asked: _Asked) -> Heard:
    tally = acts.answer_several(
        numbers, by=asked.person, channel=Channel.SMS, take=asked.takes, now=asked.now
    )
    return Heard(Did.SEVERAL if tally.answered else Did.CLOSED, replies.several(tally))


def _without_number(asked: _Asked) -> Heard:
    """A bare "ok" answers the one thing that waits; with several, or with words, it is asked."""
    said, waits = asked.said, waiting_for(asked.person)
    if said.kind == Kind.CLOSE:
        return Heard(Did.WHICH, replies.which_to_close(*[one.number for one in waits[:1]]))
    if said.kind in (Kind.ANSWER, Kind.SEEN):
        if len(waits) == 1:
            return _about(waits[0], asked)
        if not waits:
            return Heard(Did.NOT_UNDERSTOOD, replies.nothing_waits(asked.person))
        return Heard(Did.WHICH, replies.which(waits))
    if waits and said.kind in (Kind.WORDS, Kind.NO, Kind.HELP):
        return Heard(Did.WHICH, replies.which(waits, has_words=True))
    return Heard(Did.NOT_UNDERSTOOD, replies.not_understood(waits))
