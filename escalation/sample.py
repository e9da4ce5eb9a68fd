"""The words of a message before anything has happened: rendered from an incident that is never saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import override

from escalation import messages, wording
from escalation.messages import Context, Next, Told
from escalation.models import Delivery, Notification, Reason
from escalation.preview import PreviewPerson, PreviewStep
from escalation.recipients import is_missing
from escalation.steps import RESPONSE
from escalation.telling import NOTE_LENGTH
from incidents import readings
from incidents.models import Category, Flow, Impact, Incident, Status
from incidents.where import Place
from plant.models import Channel, Person, Site

NUMBER = 1042
LINK = "K7Q2MX9PRT"
"""Stand for the number and the link that the real one gets; as long as they are."""


IN_ORDER = (Channel.SMS, Channel.PUSH, Channel.EMAIL)
"""Short words first."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What the first of these people reads.

    The others read the very same SMS or push; their emails differ in how they are named and what they can
    press.
    """

    channel: str
    readers: tuple[Person, ...]
    subject: str
    text: str

    @property
    def is_email(self) -> bool:
        return self.channel == Channel.EMAIL

    @property
    def is_push(self) -> bool:
        return self.channel == Channel.PUSH

    @property
    def without_link(self) -> str:
        """What a push says: the last line of its text is where a tap leads."""
        return self.text.rpartition("\n")[0]

    @property
    def others(self) -> tuple[Person, ...]:
        return self.readers[1:]


def sample_incident(
    place: Place, *, site: Site, category: Category, impact: Impact, at: datetime, by: Person | None = None
) -> Incident:
    """As it would be raised at that place and moment. It has no row, so nothing can be told about it."""
    station = place.get("station")
    line = station.line if station else place.get("line")
    area = line.area if line else place.get("area")
    made = Incident(
        number=NUMBER,
        site=area.site if area else site,
        area=area,
        line=line,
        station=station,
        system=place.get("system"),
        category=category,
        impact=impact,
        severity=impact.severity,
        flow=line.flow if line else Flow.PRODUCTION,
        raised_by=by,
        noticed_at=at,
        raised_at=at,
        clocks_from=at,
    )
    made.title = readings.default_title(made)
    return made


def letters(
    step: PreviewStep, incident: Incident, steps: Sequence[PreviewStep], *, owner: Person | None
) -> list[Letter]:
    """The messages of a step: each SMS and push once with all who read it, one email for each language."""
    about = _as_it_is_then(incident, step, owner)
    context = Context(told=_told(step, steps), upcoming=_next(step, steps))
    goes_up_from = _goes_up_from(step, steps)
    found: dict[tuple[str, str], tuple[messages.Rendered, list[Person]]] = {}
    for one in step.people:
        for channel in one.channels:
            letter = (channel, one.person.language)
            if channel == Channel.EMAIL and letter in found:
                found[letter][1].append(one.person)
                continue
            said = messages.render(
                _delivery(about, step, one, channel, goes_up_from), now=step.at, context=context
            )
            key = letter if channel == Channel.EMAIL else (channel, said.subject + said.text)
            found.setdefault(key, (said, []))[1].append(one.person)
    return [
        Letter(channel, tuple(readers), said.subject, said.text)
        for (channel, _key), (said, readers) in sorted(
            found.items(), key=lambda one: IN_ORDER.index(one[0][0])
        )
    ]


def _as_it_is_then(incident: Incident, step: PreviewStep, owner: Person | None) -> Incident:
    """Nobody has it while the response clock runs; on the other clocks somebody took it and did no more."""
    if step.clock == RESPONSE or owner is None:
        incident.status, incident.owner, incident.acknowledged_at = Status.RAISED, None, None
    else:
        incident.status, incident.owner = Status.ACKNOWLEDGED, owner
        incident.acknowledged_at = incident.raised_at
    incident.next_update_due = step.word_due
    return incident


def _goes_up_from(step: PreviewStep, steps: Sequence[PreviewStep]) -> str:
    """Why the step goes out before it is due, as the engine would note it; empty when it does not."""
    if step.at >= step.due_at:
        return ""
    below = [one for one in steps if one.clock == step.clock and one.step < step.step]
    gaps = [gap for one in below[-1:] for person in one.people for gap in person.because]
    return wording.nobody_on_shift(dict.fromkeys(gap.role.value for gap in gaps if is_missing(gap)))


def _note(one: PreviewPerson, goes_up_from: str) -> str:
    """What the message says beside the incident, in the reader's language."""
    with override(one.person.language):
        parts = [wording.why_it_goes_up(goes_up_from), *(gap.note for gap in one.because)]
        return " ".join(part for part in parts if part)[:NOTE_LENGTH]


def _delivery(
    incident: Incident, step: PreviewStep, one: PreviewPerson, channel: str, goes_up_from: str
) -> Delivery:
    notification = Notification(
        incident=incident,
        person=one.person,
        reason=Reason.STEP,
        clock=step.clock,
        role=one.role,
        wants_answer=one.wants_answer,
        token=LINK,
        due_at=step.due_at,
        created_at=step.at,
        note=_note(one, goes_up_from),
    )
    return Delivery(notification=notification, channel=channel, language=one.person.language)


def _told(step: PreviewStep, steps: Sequence[PreviewStep]) -> list[Told]:
    """Who has heard by then, with those who hear together with the reader."""
    return [
        Told(other.at, one.person.pk, str(one.person), one.role)
        for other in steps
        if (other.at < step.at and not other.is_repeat) or other is step
        for one in other.people
    ]


def _next(step: PreviewStep, steps: Sequence[PreviewStep]) -> list[Next]:
    """Who hears next if nothing else happens."""
    later = [other for other in steps if other.clock == step.clock and other.at > step.at]
    return [_upcoming(later[0])] if later else []


def _upcoming(step: PreviewStep) -> Next:
    names, roles = _each(one.person for one in step.people), [one.role for one in step.people]
    return Next(step.at, step.clock, tuple(names), tuple(roles) or step.roles)


def _each(people: Iterable[Person]) -> list[str]:
    return [str(person) for person in people]
