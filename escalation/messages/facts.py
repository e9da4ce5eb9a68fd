"""What a message says, before it is an SMS or an email: state, how long, where, what, who, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import rules
from escalation.messages.audience import audience
from escalation.models import Clock, Notification, Reason
from escalation.steps import CAN_TAKE, OWNER
from incidents import readings
from incidents.models import Impact, Incident, Status
from incidents.permissions import ALLOWED, Action
from plant.duty_answer import role_in_a_sentence
from plant.models import Role
from plant.wording import moment, span

AFTERWARDS = frozenset(
    {
        Reason.UPDATE,
        Reason.TOLD_PICKED_UP,
        Reason.TOLD_MOVING,
        Reason.TOLD_CLOSED,
        Reason.TOLD_REOPENED,
        Reason.DID_NOT_HOLD,
        Reason.TOLD_HOLDS,
    }
)
"""News for people who were told before: nothing is asked of them."""


QUIET = (Reason.TOLD_PICKED_UP, Reason.TOLD_MOVING, Reason.TOLD_CLOSED, Reason.TOLD_HOLDS)
"""Good news, whatever the incident was."""

ON_SITE = CAN_TAKE | {Role.TEAM_LEADER, Role.SUPERVISOR, OWNER, ""}
"""Readers who walk to the place: the short form of it keeps the station."""


def base_url() -> str:
    """Where links in messages lead, without a slash at the end."""
    return str(settings.BASE_URL).rstrip("/")


@dataclass(frozen=True, slots=True)
class Facts:
    """The words of one message, in its reader's language and the plant's time."""

    audience: str
    code: str
    state: str
    how_long: str
    tone: str
    where: str
    where_forms: tuple[str, ...]
    what: tuple[str, ...]
    who: tuple[str, ...]
    then: str
    then_matters: bool
    note_matters: bool
    is_news: bool
    risk: str
    ask: str
    button: str
    answer: str
    may_ask_help: bool
    first: str
    note: str
    why: str
    answer_link: str
    incident_link: str
    reading: readings.Reading


def facts(notification: Notification, now: datetime) -> Facts:
    """Gather the words; the language and time zone are already active and the incident is loaded."""
    incident = notification.about
    state, how_long = state_of(notification, now)
    ask, button = ask_of(notification)
    return Facts(
        audience=audience(notification.role),
        code=incident.code,
        state=_("Practice: %(state)s") % {"state": state} if incident.is_drill else state,
        how_long=how_long,
        tone=tone_of(notification),
        where=incident.where,
        where_forms=where_forms(notification),
        what=what_of(notification),
        who=who_of(notification, now),
        then=then_of(notification, now),
        then_matters=notification.clock == Clock.UPDATE or notification.reason == Reason.BRING_SOMEONE,
        note_matters=notification.reason == Reason.HELP,
        is_news=notification.reason == Reason.UPDATE,
        risk=risk_of(incident, now),
        ask=ask,
        button=button,
        answer=answer_of(notification),
        may_ask_help=notification.role in _ASKS_HELP,
        first=first_of(notification, now),
        note="" if incident.is_drill else notification.note,
        why=why_of(notification),
        answer_link=f"{base_url()}/a/{notification.token}",
        incident_link=base_url() + incident.get_absolute_url(),
        reading=readings.read(incident, now=now),
    )


# ---------------------------------------------------------------- state and how long

_STATE_OF_NEWS = {
    Reason.TOLD_PICKED_UP: Status.ACKNOWLEDGED,
    Reason.TOLD_MOVING: Status.CONTAINED,
    Reason.TOLD_CLOSED: Status.CLOSED,
    Reason.TOLD_REOPENED: Status.REOPENED,
}


def state_of(notification: Notification, now: datetime) -> tuple[str, str]:
    """The screen word and how long: ("Line down", "30 min"), ("Product moving", "07:16 after 71 min")."""
    incident = notification.about
    if notification.reason in _STATE_OF_NEWS:
        status = _STATE_OF_NEWS[Reason(notification.reason)]
        return str(status.label), _since_and_after(incident, status, notification.created_at, now)
    if notification.reason == Reason.DID_NOT_HOLD and incident.status == Status.REOPENED:
        return str(Reason.DID_NOT_HOLD.label), moment(incident.reopened_at or notification.created_at, now)
    if notification.reason == Reason.TOLD_HOLDS:
        return str(Reason.TOLD_HOLDS.label), moment(notification.created_at, now)
    is_step = notification.reason in (Reason.STEP, Reason.ASKED_AGAIN)
    if is_step and notification.clock == Clock.CLOSURE:
        return _("Still open"), span(now - incident.raised_at)
    if incident.is_moving:
        return readings.state(incident), _since_and_after(
            incident, Status(incident.status), notification.created_at, now
        )
    return readings.state(incident), so_far(now - incident.troubled_since)


def so_far(length: timedelta) -> str:
    """ "30 min", or "now" within the first minute."""
    return span(length) if length >= timedelta(minutes=1) else _("now")


def _since_and_after(incident: Incident, status: Status, told_at: datetime, now: datetime) -> str:
    """When it happened and how long it took: "07:16 after 71 min"; only when, for what came back."""
    when = {
        Status.ACKNOWLEDGED: incident.acknowledged_at,
        Status.CONTAINED: incident.contained_at,
        Status.RESOLVED: incident.resolved_at,
        Status.CLOSED: incident.closed_at,
        Status.REOPENED: incident.reopened_at,
    }.get(status)
    at = when or told_at
    start = incident.raised_at if status == Status.CLOSED else incident.troubled_since
    if status == Status.REOPENED or at - start < timedelta(minutes=1):
        return moment(at, now)
    return _("%(time)s after %(length)s") % {"time": moment(at, now), "length": span(at - start)}


def tone_of(notification: Notification) -> str:
    """How the message is coloured: safety, red, amber, or grey for everything that needs nobody at once."""
    incident = notification.about
    if notification.reason in QUIET:
        return "grey"
    if incident.is_moving or not incident.is_open:
        return "grey"
    tones = {Impact.SAFETY: "safety", Impact.STOPPED: "red", Impact.AT_RISK: "amber"}
    return tones.get(incident.level, "grey")


# ---------------------------------------------------------------- where and what


def where_forms(notification: Notification) -> tuple[str, ...]:
    """The place from its long name to its code. The floor and IT keep the station, managers the line."""
    incident = notification.about
    station, line = incident.station, incident.line
    if station and line:
        shorter = (f"{line.code} {station}", station.code)
        if notification.role not in ON_SITE:
            shorter = (str(line), line.code)
        return (f"{line}, {station}", *shorter)
    if incident.system_id and incident.system and not line:
        return (incident.where, incident.system.code)
    return (incident.where, incident.place.code)


def what_of(notification: Notification) -> tuple[str, ...]:
    """What is wrong; in news, what is new: how it is, what is done, what is needed."""
    incident = notification.about
    update = readings.latest_update(incident)
    if notification.reason == Reason.UPDATE and update:
        return readings.manager_words(update)
    if notification.reason == Reason.TOLD_MOVING and readings.bandage(incident):
        return (_("For now: %(what)s") % {"what": readings.sentence(readings.bandage(incident))},)
    if notification.reason == Reason.TOLD_CLOSED:
        return (readings.ending(incident),)
    if notification.reason == Reason.DID_NOT_HOLD:
        return (_failed_fix(notification, is_said=incident.status == Status.REOPENED),)
    if notification.reason == Reason.TOLD_HOLDS:
        return (_was_a_mistake(notification),)
    return (readings.sentence(readings.what(incident)),)


def _failed_fix(notification: Notification, *, is_said: bool) -> str:
    """Which fix it was; `is_said`: that it did not hold stands right before."""
    words = _("It was: %(what)s") if is_said else _("The fix did not hold: %(what)s")
    return readings.sentence(words % {"what": notification.data.get("fix", "")})


def _was_a_mistake(notification: Notification) -> str:
    repeat, words = notification.data.get("repeat"), str(notification.data.get("words", ""))
    if repeat is None:
        return _("What was taken for a repeat was none.")
    return readings.sentence(_("INC-%(number)s was a mistake. %(why)s") % {"number": repeat, "why": words})


def risk_of(incident: Incident, now: datetime) -> str:
    """When it starts to hurt: the buffer is empty, the truck leaves."""
    if incident.cover_until is None or incident.is_moving or not incident.is_open:
        return ""
    time = {"time": moment(incident.cover_until, now)}
    return _("Runs out %(time)s.") % time if incident.cover_until > now else _("Ran out %(time)s.") % time


# ---------------------------------------------------------------- who has it, and what comes next


def who_of(notification: Notification, now: datetime) -> tuple[str, ...]:
    """Who has it, in forms from long to short."""
    if notification.about.is_drill:
        return ("",)
    if notification.reason == Reason.ASSIGNED:
        asker = str(notification.data.get("by", ""))
        asked = _("You are asked to take it.")
        return (_("%(name)s asks you to take it.") % {"name": asker}, asked) if asker else (asked,)
    if notification.reason in (Reason.TOLD_CLOSED, Reason.TOLD_HOLDS, Reason.BRING_SOMEONE):
        return ("",)
    if notification.reason == Reason.HELP:
        by = {"name": notification.data.get("by", "")}
        return (_("%(name)s asks you to help.") % by, _("You are asked to help."))
    if notification.reason == Reason.LAPSED and notification.about.owner_id != notification.person_id:
        return _lost_it(notification, now)
    return _owner_forms(notification, now)


def _lost_it(notification: Notification, now: datetime) -> tuple[str, ...]:
    """For who had it: since when nothing was said, and who has it now."""
    silent_since = notification.data.get("silent_since", notification.created_at.isoformat())
    since = {"time": moment(datetime.fromisoformat(silent_since), now)}
    owner = notification.about.owner
    if owner is not None:
        return (_("No word from you since %(time)s: %(name)s has it now.") % {**since, "name": owner},)
    return (
        _("No word from you since %(time)s, so it goes back to everybody.") % since,
        _("No word from you since %(time)s: nobody has it.") % since,
    )


def _owner_forms(notification: Notification, now: datetime) -> tuple[str, ...]:
    incident = notification.about
    owner = incident.owner
    if owner is None:
        return _had_it(notification, now) or (_("Nobody has it yet."),)
    if owner.pk == notification.person_id:
        return (_("You have it."),)
    return tuple(_("%(name)s has it.") % {"name": name} for name in (owner.name, owner.get_short_name()))


def _had_it(notification: Notification, now: datetime) -> tuple[str, ...]:
    """Who had it before silence took it back; empty when nobody did."""
    lapse = readings.lapse(notification.about)
    if lapse is None:
        return ()
    since = {"time": moment(lapse.silent_since, now)}
    if lapse.person_id == notification.person_id:
        return (_("You had it; no word since %(time)s.") % since,)
    return tuple(
        _("%(name)s had it; no word since %(time)s.") % {**since, "name": name}
        for name in (lapse.name, lapse.name.split(" ")[0])
    )


def first_of(notification: Notification, now: datetime) -> str:
    """The first sentence of an email that asks its reader for something of its own; else empty."""
    if notification.reason == Reason.BRING_SOMEONE:
        return then_of(notification, now)
    if notification.reason == Reason.DID_NOT_HOLD:
        return _failed_fix(notification, is_said=False)
    if notification.reason == Reason.TOLD_HOLDS:
        return what_of(notification)[0]
    asks = notification.reason in (Reason.ASSIGNED, Reason.HELP, Reason.LAPSED)
    return who_of(notification, now)[0] if asks else ""


def then_of(notification: Notification, now: datetime) -> str:
    """What the reader should expect: late news, the next word, or that nothing is needed."""
    incident = notification.about
    if notification.reason == Reason.TOLD_MOVING:
        return _("Stays open until the fix is proved. Nothing needed from you.")
    if notification.reason in (Reason.TOLD_CLOSED, Reason.TOLD_HOLDS):
        return _("Nothing needed from you.")
    if notification.reason == Reason.BRING_SOMEONE:
        return bring_someone()
    due = incident.next_update_due
    if notification.clock == Clock.UPDATE:
        return _news_due(notification, now)
    if due and due > now and incident.is_open:
        return _("Next word by %(time)s.") % {"time": moment(due, now)}
    return ""


def bring_someone() -> str:
    """The one neutral question to who took it and has said no word since."""
    return _("No word for %(length)s. Bring someone in?") % {"length": span(rules.HELP_AFTER)}


def _news_due(notification: Notification, now: datetime) -> str:
    """Whose word is late: what it waits on, when that was promised sooner, or the owner's."""
    incident = notification.about
    due, promised = incident.next_update_due, incident.waiting_until
    if promised and promised <= min(due or promised, now):
        when = {"name": incident.waiting_name, "time": moment(promised, now)}
        return _("%(name)s was promised for %(time)s.") % when
    return _("News was due %(time)s.") % {"time": moment(due or notification.due_at, now)}


# ---------------------------------------------------------------- what is asked, and why of this person


def ask_of(notification: Notification) -> tuple[str, str]:
    """The word before the link of an SMS and the label of the email's first button."""
    incident = notification.about
    if incident.is_drill and incident.is_open:
        return _("Press “I’ve seen it”"), _("I’ve seen it")
    if not incident.is_open or (notification.reason in AFTERWARDS and notification.role != OWNER):
        return _("Read"), _("Read more")
    if notification.reason == Reason.BRING_SOMEONE:
        return _("Choose"), _("Bring someone in")
    if notification.clock == Clock.UPDATE and incident.owner_id == notification.person_id:
        return _("Say what is new"), _("Say what is new")
    if notification.reason == Reason.ASSIGNED or _may_take(notification):
        return _("Take it"), _("I’ll take it")
    return _("Answer"), _("I’ve seen it")


TAKES, SEEN = "takes", "seen"
_ASKS_HELP = frozenset({OWNER, *(ALLOWED[Action.ASK_HELP] or ())})
"""Roles whose texted "help" brings somebody: nobody else is offered it."""


def answer_of(notification: Notification) -> str:
    """What the number texted back does; empty where nothing is asked, or more than that."""
    incident = notification.about
    is_news = notification.reason in AFTERWARDS and notification.role != OWNER
    is_owners = notification.clock == Clock.UPDATE and incident.owner_id == notification.person_id
    if not incident.is_open or is_news or is_owners or notification.reason == Reason.BRING_SOMEONE:
        return ""
    takes = notification.reason == Reason.ASSIGNED or _may_take(notification)
    return TAKES if takes and not incident.is_drill else SEEN


def _may_take(notification: Notification) -> bool:
    """By the role they were told in; who had it may take it again."""
    is_theirs = notification.role in CAN_TAKE or notification.reason == Reason.LAPSED
    return notification.about.status == Status.RAISED and is_theirs


_WHY = {
    Reason.ASSIGNED: gettext_lazy("you are asked to take it"),
    Reason.UPDATE: gettext_lazy("you were told about it before"),
    Reason.TOLD_PICKED_UP: gettext_lazy("you were told about it before"),
    Reason.TOLD_MOVING: gettext_lazy("you were told about it before"),
    Reason.TOLD_CLOSED: gettext_lazy("you were told about it before"),
    Reason.TOLD_REOPENED: gettext_lazy("you were told about it before"),
    Reason.DID_NOT_HOLD: gettext_lazy("a fix that was being proved did not hold"),
    Reason.TOLD_HOLDS: gettext_lazy("you were told that it did not hold"),
    Reason.FALLBACK: gettext_lazy("somebody else could not be reached"),
    Reason.LAPSED: gettext_lazy("you had it and two words were missed"),
    Reason.HELP: gettext_lazy("somebody asks you to help"),
    Reason.ASKED_AGAIN: gettext_lazy("you have not answered yet"),
}
_WHY_CLOCK = {
    Clock.RESPONSE: gettext_lazy("nobody has it yet"),
    Clock.CONTAINMENT: gettext_lazy("product is not moving yet"),
    Clock.UPDATE: gettext_lazy("news is due"),
    Clock.CLOSURE: gettext_lazy("it is still open"),
    Clock.LAPSE: gettext_lazy("its owner said nothing"),
    Clock.HELP: gettext_lazy("there was no word for a while"),
}


def why_of(notification: Notification) -> str:
    """Why this person gets this message, as a sentence."""
    reason = _WHY.get(Reason(notification.reason))
    if reason is None:
        reason = _WHY_CLOCK[Clock(notification.clock or Clock.RESPONSE)]
    if notification.role in Role.values:
        return _("You get this as %(role)s, because %(reason)s.") % {
            "role": role_in_a_sentence(Role(notification.role)),
            "reason": reason,
        }
    return _("You get this because %(reason)s.") % {"reason": reason}
