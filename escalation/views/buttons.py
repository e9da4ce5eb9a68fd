"""Which buttons an incident shows, to whom, and in which order.

The lifecycle asks for permission again; here it is only decided what is worth offering. A button that needs
nothing but the tap posts at once, one that needs words opens its form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from incidents.lifecycle.closing import TAKE_BACK_WITHIN
from incidents.models import Incident, Severity, Status
from incidents.permissions import Action, can
from plant.models import Person

WORKED_ON = (Status.ACKNOWLEDGED, Status.REOPENED)
MOVING = (Status.CONTAINED, Status.RESOLVED)
SMALL = (Severity.S3, Severity.S4)


@dataclass(frozen=True, slots=True)
class Button:
    """One thing to do. `asks`: it opens a form. `blocked`: said instead while it cannot be done."""

    verb: str
    label: StrPromise
    icon: str = ""
    asks: bool = False
    blocked: StrPromise | str = ""

    @property
    def name(self) -> str:
        """The name of its address."""
        return f"incident-{self.verb}"


TAKE = Button("acknowledge", _("I’ll take it"), "check")
SEEN = Button("seen", _("I’ve seen it"), "eye")
ARRIVE = Button("arrive", _("I’m at the station"), "pin")
UPDATE = Button("update", _("Say what’s new"), "pencil", asks=True)
CONTAIN = Button("contain", _("Product is moving again"), "moving", asks=True)
HELP = Button("help", _("Bring someone in"), "user", asks=True)
RESOLVE = Button("resolve", _("Fix is in place"), "shield")
RESOLVE_BLOCKED = Button(
    "resolve", _("Fix is in place"), "shield", blocked=_("Fix is in place: needs a countermeasure first")
)
CONFIRM = Button("confirm", _("Production runs, I confirm"), "check")
CLOSE = Button("close", _("Close"), "lock")
CLOSE_SMALL = Button("close", _("Close"), "lock", asks=True)
CLOSE_BLOCKED = Button("close", _("Close"), "lock", blocked=_("Close, needs proof first"))
REOPEN = Button("reopen", _("It came back"), "loop", asks=True)
ASSIGN = Button("assign", _("Ask somebody to take it"), "user", asks=True)
WAIT = Button("wait", _("It waits on somebody"), "calendar", asks=True)
WAIT_LONGER = Button("wait", _("Another time"), "calendar", asks=True)
STOP_WAITING = Button("stop-waiting", _("The wait is over"), "calendar")
FLOOR_CALL = Button("severity", _("Change how bad it is"), "flag", asks=True)
SHELVE = Button("shelve", _("Pause the alerts"), "pause", asks=True)
UNSHELVE = Button("unshelve", _("Let the alerts go on"), "clock")
REVIEW = Button("review", _("Still no permanent fix"), "promise", asks=True)
ACCEPT_NO_FIX = Button("accept-no-fix", _("There is no permanent fix"), "promise", asks=True)
WORDS = Button("words", _("Add words or a photo"), "photo", asks=True)
LINE_STOPPED = Button("stop-line", _("The line stands still"), "stop", asks=True)
LINE_RUNS = Button("line-runs", _("The line runs again"), "lines", asks=True)
TAKE_BACK = Button("take-back", _("Take it back, wrong tap"), "back")


@dataclass(frozen=True, slots=True)
class Buttons:
    """`main`: up to three, the first is what this person should do now. `more`: all else they may do."""

    main: list[Button]
    more: list[Button]


def buttons(
    incident: Incident,
    person: Person,
    *,
    now: datetime,
    is_asked: bool = False,
    can_close: bool = False,
    has_fix: bool = False,
    line_is_stopped: bool = False,
) -> Buttons:
    """What this person may do now. `is_asked`: a message to them waits for "I've seen it"."""
    found = [
        *_to_take(incident, person, is_asked),
        *_to_work(incident, person, has_fix),
        *_for_the_floor(incident, person),
        *_to_close(incident, person, can_close),
    ]
    rest = [*_to_decide(incident, person), *_for_everybody(incident, person, now, line_is_stopped)]
    return Buttons(main=found[:3], more=found[3:] + rest)


def _to_take(incident: Incident, person: Person, is_asked: bool) -> list[Button]:
    """Nobody has it, or this person was asked to take it. Whoever may not take it can say that they know.

    In a practice there is nothing to take: it shows that the message arrived.
    """
    may = incident.is_open and can(person, Action.ACKNOWLEDGE, incident)
    wanted = incident.status == Status.RAISED or incident.assigned_to_id == person.pk
    if may and wanted and incident.owner_id != person.pk and not incident.is_drill:
        return [TAKE]
    return [SEEN] if is_asked and incident.is_open else []


def _to_work(incident: Incident, person: Person, has_fix: bool) -> list[Button]:
    found: list[Button] = []
    if incident.is_open and incident.owner_id and can(person, Action.UPDATE, incident):
        found.append(UPDATE)
    if incident.status in WORKED_ON and can(person, Action.CONTAIN, incident):
        found.append(CONTAIN)
    if _may_arrive(incident, person):
        found.append(ARRIVE)
    if incident.status in WORKED_ON and can(person, Action.ASK_HELP, incident):
        found.append(HELP)
    if incident.status == Status.CONTAINED and can(person, Action.RESOLVE, incident):
        found.append(RESOLVE if has_fix else RESOLVE_BLOCKED)
    return found


def _may_arrive(incident: Incident, person: Person) -> bool:
    """Who could take it stands at the station: the owner, or anybody while there is none."""
    is_due = incident.arrived_at is None and incident.status in (Status.RAISED, *WORKED_ON)
    is_theirs = incident.owner_id in (None, person.pk)
    may = can(person, Action.ACKNOWLEDGE, incident) and not incident.is_drill
    return is_due and is_theirs and may


def _for_the_floor(incident: Incident, person: Person) -> list[Button]:
    found: list[Button] = []
    is_unconfirmed = incident.status in MOVING and incident.floor_confirmed_by_id is None
    if is_unconfirmed and incident.owner_id != person.pk and can(person, Action.CONFIRM, incident):
        found.append(CONFIRM)
    came_back_possible = incident.status in (*MOVING, Status.CLOSED) and incident.owner_id is not None
    if came_back_possible and can(person, Action.REOPEN, incident):
        found.append(REOPEN)
    is_accepted = incident.status == Status.CLOSED and incident.no_fix_accepted_by_id is not None
    if is_accepted and can(person, Action.ACCEPT_NO_FIX, incident):
        found.append(REVIEW)
    return found


def _to_close(incident: Incident, person: Person, can_close: bool) -> list[Button]:
    if not can(person, Action.CLOSE, incident):
        return []
    if incident.status == Status.RESOLVED:
        return [CLOSE if can_close else CLOSE_BLOCKED]
    is_small = incident.severity in SMALL and incident.status in (*WORKED_ON, Status.CONTAINED)
    return [CLOSE_SMALL] if is_small else []


def _to_decide(incident: Incident, person: Person) -> list[Button]:
    """For leads and managers."""
    if not incident.is_open:
        return []
    found: list[Button] = []
    if can(person, Action.ASSIGN, incident):
        found.append(ASSIGN)
        if incident.owner_id and incident.owner_id != person.pk and incident.assigned_to_id != person.pk:
            found.append(TAKE)
    if can(person, Action.FLOOR_CALL, incident) and not incident.is_safety:
        found.append(FLOOR_CALL)
    if incident.status in MOVING and can(person, Action.ACCEPT_NO_FIX, incident):
        found.append(ACCEPT_NO_FIX)
    if not incident.is_safety and can(person, Action.SHELVE, incident):
        found.append(UNSHELVE if incident.is_shelved() else SHELVE)
    if can(person, Action.UPDATE, incident):
        found += [STOP_WAITING, WAIT_LONGER] if incident.waiting_on else [WAIT]
    return found


def _for_everybody(incident: Incident, person: Person, now: datetime, line_is_stopped: bool) -> list[Button]:
    if not can(person, Action.ADD_WORDS, incident):
        return []
    found = [WORDS]
    if incident.is_open and incident.line_id:
        found.append(LINE_RUNS if line_is_stopped else LINE_STOPPED)
    is_new = incident.status == Status.RAISED and now <= incident.raised_at + TAKE_BACK_WITHIN
    if is_new and incident.raised_by_id == person.pk:
        found.append(TAKE_BACK)
    return found
