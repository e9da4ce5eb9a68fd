""" "What happened": each event of an incident as one line, with how far its messages got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrPromise

from countermeasures.wording import words_of
from escalation import wording
from escalation.drills import words as practice_words
from escalation.models import Clock, Delivery, DeliveryState, Notification
from escalation.views import unheard
from incidents.models import Event, EventKind, Incident, Severity
from plant.wording import day_words, moment, names, span

SHOWN = 40
"""Lines shown at first; the page offers the rest."""

READ = 400
"""Events read for them: reminders over months become one line."""


FEW = 4
"""Names in one line; more are counted."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one message, or several of a kind, got: `state` is that of the `mark` tag."""

    state: str
    text: str

    @property
    def data(self) -> str:
        """The stylesheet's short name for the state."""
        return {"answered": "ack", "delivered": "deliv", "failed": "fail"}.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class Line:
    """`who` in bold, then `text`; `is_said` puts a colon between. Without `who` the system speaks.

    `day` stands above the first line of each day but today.
    """

    at: datetime
    icon: str
    who: str
    text: str
    is_said: bool = False
    marks: Sequence[Mark] = field(default_factory=tuple)
    day: str = ""

    @property
    def is_system(self) -> bool:
        return not self.who


ICONS = {
    EventKind.RAISED: "raise",
    EventKind.WORDS_ADDED: "pencil",
    EventKind.PHOTO_ADDED: "photo",
    EventKind.ACKNOWLEDGED: "check",
    EventKind.ASSIGNED: "user",
    EventKind.ARRIVED: "pin",
    EventKind.UPDATED: "pencil",
    EventKind.CONTAINED: "moving",
    EventKind.RESOLVED: "shield",
    EventKind.CLOSED: "lock",
    EventKind.REOPENED: "loop",
    EventKind.SEVERITY_CHANGED: "flag",
    EventKind.WAITING: "calendar",
    EventKind.WAITING_ENDED: "calendar",
    EventKind.SHELVED: "pause",
    EventKind.UNSHELVED: "clock",
    EventKind.FLOOR_CONFIRMED: "check",
    EventKind.NO_FIX_ACCEPTED: "promise",
    EventKind.LINE_STOPPED: "stop",
    EventKind.LINE_RUNNING: "lines",
    EventKind.TAKEN_BACK: "back",
    EventKind.COUNTERMEASURE: "wrench",
    EventKind.CAUSE: "search",
    EventKind.TOLD: "up",
    EventKind.SEEN: "eye",
    EventKind.NOT_REACHED: "x",
    EventKind.NOT_ANSWERED: "x",
    EventKind.LAPSED: "swap",
    EventKind.HELP_ASKED: "user",
    EventKind.REPEATED: "loop",
    EventKind.HOLDS_AFTER_ALL: "back",
    EventKind.CHASED: "promise",
    EventKind.RESENT: "send",
}

BY_ITSELF = frozenset({EventKind.ASSIGNED, EventKind.WORDS_ADDED})
"""What a person does, unless it is about trouble of OpsDesk itself."""

SAID = frozenset({EventKind.WORDS_ADDED, EventKind.UPDATED})
"""Kinds that are somebody's own words: "Sam Okafor: …"."""

SENTENCES: dict[str, StrPromise] = {
    EventKind.RAISED: gettext_lazy("raised it."),
    EventKind.WORDS_ADDED: gettext_lazy("added technical detail."),
    EventKind.PHOTO_ADDED: gettext_lazy("added a photo. %(words)s"),
    EventKind.ACKNOWLEDGED: gettext_lazy("picked it up."),
    EventKind.ASSIGNED: gettext_lazy("asked %(to)s to take it."),
    EventKind.ARRIVED: gettext_lazy("is at the station."),
    EventKind.CONTAINED: gettext_lazy("got product moving: %(words)s"),
    EventKind.RESOLVED: gettext_lazy("put the fix in place. It is being proved."),
    EventKind.CLOSED: gettext_lazy("closed it. %(words)s"),
    EventKind.REOPENED: gettext_lazy("opened it again: %(words)s"),
    EventKind.SEVERITY_CHANGED: gettext_lazy("made it %(severity)s: %(words)s"),
    EventKind.WAITING: gettext_lazy("says it waits on %(words)s until %(until)s."),
    EventKind.WAITING_ENDED: gettext_lazy("says the wait is over."),
    EventKind.SHELVED: gettext_lazy("paused the alerts until %(until)s: %(words)s"),
    EventKind.UNSHELVED: gettext_lazy("let the alerts go on."),
    EventKind.FLOOR_CONFIRMED: gettext_lazy("confirms that production runs."),
    EventKind.NO_FIX_ACCEPTED: gettext_lazy("accepts that there is no permanent fix: %(words)s"),
    EventKind.LINE_STOPPED: gettext_lazy("says line %(line)s stands still."),
    EventKind.LINE_RUNNING: gettext_lazy("says line %(line)s runs again."),
    EventKind.TAKEN_BACK: gettext_lazy("took it back: a wrong tap."),
    EventKind.CAUSE: gettext_lazy("wrote down why it happened: %(words)s"),
    EventKind.SEEN: gettext_lazy("has seen it."),
    EventKind.LAPSED: gettext_lazy(
        "Two words missed in a row. %(had)s had it, no word since %(since)s. Nobody has it any more."
    ),
    EventKind.HELP_ASKED: gettext_lazy("asked %(to)s to help. %(words)s"),
    EventKind.REPEATED: gettext_lazy("The same again: %(repeat)s, %(words)s"),
    EventKind.CHASED: gettext_lazy("Asked about a promise: %(what)s. %(to)s"),
    EventKind.HOLDS_AFTER_ALL: gettext_lazy("says that %(repeat)s was a mistake: %(words)s"),
}

DID: dict[str, StrPromise] = {
    "added": gettext_lazy("added: %(what)s"),
    "promised": gettext_lazy("agreed on: %(what)s"),
    "in_the_way": gettext_lazy("said what is in the way of: %(what)s. %(words)s"),
    "check_planned": gettext_lazy("planned how to check: %(what)s"),
    "checker_named": gettext_lazy("named another checker: %(what)s"),
    "owner_named": gettext_lazy("named somebody else to look after: %(what)s"),
    "strength_said": gettext_lazy("said how strong it is: %(what)s"),
    "in_place": gettext_lazy("put in place: %(what)s. %(words)s"),
    "measured": gettext_lazy("measured: %(words)s, for: %(what)s"),
    "effective": gettext_lazy("signed off that it holds: %(what)s. %(words)s"),
    "not_effective": gettext_lazy("found that it did not hold: %(what)s. %(words)s"),
    "restored": gettext_lazy("has it proved again: %(what)s"),
    "extended": gettext_lazy("let it stay longer: %(what)s. %(words)s"),
    "waived": gettext_lazy("accepts that a weaker one is enough: %(what)s. %(words)s"),
    "taken_off": gettext_lazy("took the bandage off: %(what)s"),
    "withdrawn": gettext_lazy("gave it up: %(what)s. %(words)s"),
    "system_chosen": gettext_lazy("said which system it is about: %(what)s. %(words)s"),
    "elsewhere_applies": gettext_lazy("found that it is needed elsewhere too: %(what)s. %(words)s"),
    "elsewhere_does_not_apply": gettext_lazy("found that it is not needed elsewhere: %(what)s. %(words)s"),
    "elsewhere_done": gettext_lazy("put it in place elsewhere: %(what)s. %(words)s"),
}

NOBODY_DID: dict[str, StrPromise] = {
    "not_effective": gettext_lazy("It did not hold: %(what)s. %(words)s"),
    "restored": gettext_lazy("It is being proved again: %(what)s"),
    EventKind.REOPENED: gettext_lazy("Open again. %(words)s"),
    EventKind.HOLDS_AFTER_ALL: gettext_lazy("It is as it was before %(repeat)s. %(words)s"),
}
"""What follows from a repeat by itself, with no name before it."""

CHANNEL_WORDS = {
    "sms": gettext_lazy("by SMS"),
    "email": gettext_lazy("by email"),
    "link": gettext_lazy("by the link"),
    "screen": gettext_lazy("on the screen"),
}


def lines(
    incident: Incident, events: Iterable[Event], told: Iterable[Notification], *, now: datetime
) -> list[Line]:
    """The events given, newest first, as lines. `told` come with their person and deliveries.

    Reminders that follow one another are one line: the newest, with how often it was said.
    """
    marks = _marks_by_event(told)
    events = list(events)
    lapses = [event.at for event in events if event.kind == EventKind.LAPSED]
    found = [
        _line(incident, group, marks, lapses, now)
        for group in _reminders_together(events)
        if not _is_echo(group[0])
    ]
    return _with_days(found, now)


def _reminders_together(events: Iterable[Event]) -> list[list[Event]]:
    groups: list[list[Event]] = []
    for event in events:
        if groups and _reminder(event) and _reminder(event) == _reminder(groups[-1][0]):
            groups[-1].append(event)
        else:
            groups.append([event])
    return groups


def _reminder(event: Event) -> str:
    """The clock whose used-up ladder tells everybody again; empty for anything else."""
    is_repeat = event.kind == EventKind.TOLD and event.data.get("round", 0) > 0
    return str(event.data.get("clock", "")) if is_repeat and not event.data.get("goes_up_from") else ""


def _with_days(found: Sequence[Line], now: datetime) -> list[Line]:
    """Times are short, so each day but today gets its name once."""
    last, dated = timezone.localdate(now), []
    for line in found:
        on = timezone.localdate(line.at)
        named = "" if on == last else date_format(on, "l j F" if on.year == now.year else "l j F Y")
        dated.append(replace(line, day=named))
        last = on
    return dated


def _is_echo(event: Event) -> bool:
    """A fix that is in place starts being proved in the same breath: one line is enough."""
    return event.kind == EventKind.COUNTERMEASURE and event.data.get("did") == "checking"


def _line(
    incident: Incident,
    group: Sequence[Event],
    marks: Mapping[object, list[Mark]],
    lapses: Sequence[datetime],
    now: datetime,
) -> Line:
    event = group[0]
    icon = ICONS.get(EventKind(event.kind), "dots")
    who = event.by.name if event.by else ("OpsDesk" if event.kind in BY_ITSELF else "")
    said = event.kind in SAID and bool(event.words)
    text = event.words if said else _sentence(incident, event, lapses, now)
    if len(group) > 1:
        times = ngettext("%(count)s time since %(day)s.", "%(count)s times since %(day)s.", len(group))
        text += " " + times % {"count": len(group), "day": moment(group[-1].at, now)}
    if event.kind == EventKind.RAISED and not who:
        text = unheard.raised(incident)
    found = marks.get(_firing(event.at, event.data) if event.kind == EventKind.TOLD else event.pk, ())
    return Line(at=event.at, icon=icon, who=who, text=" ".join(text.split()), is_said=said, marks=found)


def _told(incident: Incident, event: Event, lapses: Sequence[datetime]) -> str:
    """ "30 min without product. Joanne Whitlock and Tomás Varela told." """
    data = event.data
    people = [str(one.get("name", "")) for one in data.get("people", [])]
    length = event.at - _counted_from(incident, event, lapses)
    said = {"people": names(people, most=FEW), "span": span(length)}
    if not people:
        return _("Nobody could be told. The next level is told instead.")
    if data.get("goes_up_from"):
        sentence = f"{wording.why_it_goes_up(data['goes_up_from'])} {_('%(people)s told.')}"
    elif data.get("round", 0) > 0:
        sentence = _("Still open after %(span)s. Told again: %(people)s.")
    elif data.get("clock") == Clock.RESPONSE and length < timedelta(minutes=1):
        sentence = _("%(people)s told.")
    else:
        sentence = str(TOLD.get(data.get("clock", ""), "%(people)s"))
    return " ".join(filter(None, [sentence % said, _lateness(data.get("late_s"))]))


def _lateness(seconds: int | None) -> str:
    return _("%(span)s late.") % {"span": span(timedelta(seconds=seconds))} if seconds else ""


TOLD: dict[str, StrPromise] = {
    Clock.RESPONSE: gettext_lazy("Nobody has it after %(span)s. %(people)s told."),
    Clock.CONTAINMENT: gettext_lazy("%(span)s without product. %(people)s told."),
    Clock.UPDATE: gettext_lazy("The next word is due. %(people)s told."),
    Clock.CLOSURE: gettext_lazy("Still open after %(span)s. %(people)s told."),
    Clock.HELP: gettext_lazy("No word yet. %(people)s was asked: Bring someone in?"),
}


def _counted_from(incident: Incident, event: Event, lapses: Sequence[datetime]) -> datetime:
    """What the minutes are told from: when it was raised, or last came back before.

    Nobody has it since silence took it back; product suffers since before that.
    """
    came_back = incident.reopened_at
    since = came_back if came_back and came_back <= event.at else incident.raised_at
    is_free_again = event.data.get("clock") == Clock.RESPONSE
    return max([since, *(at for at in lapses if at <= event.at)]) if is_free_again else since


def _sentence(incident: Incident, event: Event, lapses: Sequence[datetime], now: datetime) -> str:
    if event.kind == EventKind.TOLD:
        return unheard.asked_again(event) if "asked_again" in event.data else _told(incident, event, lapses)
    if event.kind in unheard.WORDS:
        return unheard.WORDS[EventKind(event.kind)](event)
    if practised := practice_words.of_event(event):
        return practised
    if event.kind == EventKind.COUNTERMEASURE:
        did = event.data.get("did", "")
        template: StrPromise | str = DID.get(did, "%(what)s %(words)s")
    else:
        did = event.kind
        template = SENTENCES.get(event.kind, "%(words)s")
    if event.by is None:
        template = NOBODY_DID.get(did, template)
    text = str(template) % _blanks(event, now)
    via = CHANNEL_WORDS.get(event.data.get("channel", ""))
    return f"{text.rstrip('.')}, {via}." if via else text


def _blanks(event: Event, now: datetime) -> dict[str, str]:
    """What the sentences leave open, from the event's words and data."""
    data = event.data
    severity = data.get("to", "") if event.kind == EventKind.SEVERITY_CHANGED else ""
    return {
        "words": words_of(event),
        "to": str(data.get("to", "")) or names(one["name"] for one in data.get("people", [])),
        "had": str(data.get("had", "")),
        "since": _when(data.get("silent_since"), now),
        "line": str(data.get("line", "")),
        "repeat": f"INC-{data['repeat']}" if "repeat" in data else "",
        "what": str(data.get("what", "")).rstrip("."),
        "until": _when(data.get("until"), now),
        "severity": _level_word(severity),
    }


def _level_word(severity: str) -> str:
    words = {
        Severity.S1: _("“Line down”"),
        Severity.S2: _("“At risk”"),
        Severity.S3: _("“Workaround”"),
        Severity.S4: _("“Minor”"),
    }
    return words.get(severity, severity)  # type: ignore[call-overload]


def _when(value: Any, now: datetime) -> str:
    """A moment or a day from an event's data, as it is said on a screen."""
    at = parse_datetime(str(value)) if value else None
    if at is not None:
        return moment(at, now)
    day = parse_date(str(value)) if value else None
    return day_words(day) if day else ""


# -- how far the messages got


def _marks_by_event(told: Iterable[Notification]) -> dict[object, list[Mark]]:
    """Marks by what caused the messages: the event they bring news of, or the step that fired."""
    groups: dict[object, list[Notification]] = {}
    for one in told:
        step = _firing(one.created_at, {"clock": one.clock, **one.data})
        groups.setdefault(one.data.get("event", step), []).append(one)
    return {cause: marks_of(group) for cause, group in groups.items()}


def _firing(at: datetime, data: Mapping[str, Any]) -> object:
    """Which firing this is about: several may happen in one moment."""
    return at, data.get("clock"), data.get("step"), data.get("round")


def marks_of(group: Sequence[Notification]) -> list[Mark]:
    if len(group) > 2:
        return _counted(group)
    return [mark for notification in group for mark in _named(notification, alone=len(group) == 1)]


def _named(notification: Notification, *, alone: bool) -> list[Mark]:
    """One person's marks: "SMS 06:22" when they are the only one, else "Sam 06:06"."""
    name = "" if alone else notification.person.get_short_name()
    failed = [d for d in notification.deliveries.all() if d.state == DeliveryState.FAILED]
    found = [Mark("failed", _failed_words(d, name)) for d in failed]
    told_at = notification.created_at
    if notification.answered_at:
        answered = _at(name or _channel(notification), notification.answered_at, told_at)
        return [*found, Mark("answered", answered)]
    best = how_far(notification)
    if best and best.state != DeliveryState.FAILED:
        at = best.delivered_at or best.sent_at
        others = max(one.others for one in notification.deliveries.all())
        said = _at(name or best.get_channel_display(), at, told_at)
        found.append(Mark(best.state, f"{said}, {wording.with_others(others)}" if others else said))
    return found


def _channel(notification: Notification) -> str:
    channel = notification.answered_by_channel
    return {"sms": "SMS", "email": _("Email")}.get(channel, _("Answered"))


def _failed_words(delivery: Delivery, name: str) -> str:
    return _("%(who)s failed") % {"who": name or delivery.get_channel_display()}


def _at(who: str, at: datetime | None, told_at: datetime) -> str:
    """The day only when it is not that of the line."""
    return f"{who} {moment(at, told_at)}" if at else who


ORDER = [
    DeliveryState.DROPPED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
]
"""From the least to the furthest a message can get."""


def how_far(notification: Notification) -> Delivery | None:
    """The delivery that got furthest, its own or one that said it with others; None when none was wanted."""
    carriers = [d.carrier for d in notification.deliveries.all()]
    found = [d for d in carriers if d.state != DeliveryState.DROPPED]
    return max(found, key=lambda d: ORDER.index(DeliveryState(d.state)), default=None)


def _counted(group: Sequence[Notification]) -> list[Mark]:
    """ "2 answered", "1 delivered": the shape tells which."""
    counts: dict[str, int] = {}
    for notification in group:
        best = how_far(notification)
        state = "answered" if notification.answered_at else (best.state if best else "")
        if state:
            counts[state] = counts.get(state, 0) + 1
    return [Mark(state, _how_many(state, counts[state])) for state in COUNTED if state in counts]


COUNTED = ("answered", "delivered", "sent", "sending", "queued", "failed")
"""In the order in which they are shown."""


def _how_many(state: str, n: int) -> str:
    said = {
        "answered": ngettext("%(n)s answered", "%(n)s answered", n),
        "delivered": ngettext("%(n)s delivered", "%(n)s delivered", n),
        "sent": ngettext("%(n)s sent", "%(n)s sent", n),
        "sending": ngettext("%(n)s on the way", "%(n)s on the way", n),
        "queued": ngettext("%(n)s waiting", "%(n)s waiting", n),
        "failed": ngettext("%(n)s failed", "%(n)s failed", n),
    }
    return said[state] % {"n": n}
