"""What the people who work on an incident do: take it, arrive, say what is new, get product moving."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.lifecycle.moves import locked, move, touch
from incidents.lifecycle.practice import thank
from incidents.models import (
    Downtime,
    EventKind,
    Incident,
    Severity,
    SeverityRule,
    Status,
    Update,
)
from incidents.permissions import Action, can, refuse_practice, refuse_unless
from opsdesk.errors import Invalid, Refused
from plant.models import Line, Person
from plant.wording import day_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WORKED_ON = (Status.ACKNOWLEDGED, Status.REOPENED)


@transaction.atomic
def acknowledge(
    number: int | str,
    *,
    by: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Someone takes the incident; the response clock stops. Repeating it is harmless."""
    incident = Incident.objects.locked(number)
    if incident.owner == by and incident.status in (Status.ACKNOWLEDGED, Status.CONTAINED, Status.RESOLVED):
        return incident  # a double tap: before the stale check, on purpose
    refuse_unless(by, Action.ACKNOWLEDGE, incident)
    incident.refuse_if_stale(seen_version)
    if not incident.is_open:
        raise Refused("wrong_status", _("%(code)s is closed.") % {"code": incident.code})
    if incident.is_drill:
        return thank(incident, by=by, now=now)
    _refuse_if_taken(incident, by)
    if incident.is_moving:
        return _hand_over(incident, by=by, now=now)
    now = now or timezone.now()
    return move(
        incident,
        to=Status.ACKNOWLEDGED,
        kind=EventKind.ACKNOWLEDGED,
        by=by,
        now=now,
        data=_previous_owner(incident),
        owner=by,
        assigned_to=None,
        acknowledged_at=now,
        missed_updates=0,
        next_update_due=next_update_due(incident, now),
    )


def _refuse_if_taken(incident: Incident, by: Person) -> None:
    """One named owner has it: only who was asked, or who may assign, takes it from them."""
    if incident.owner in (None, by) or incident.assigned_to == by or can(by, Action.ASSIGN, incident):
        return
    raise Refused(
        "already_taken",
        _("%(name)s has it already. Call %(name)s, or ask an IT lead to give it to you.")
        % {"name": incident.owner},
    )


def _hand_over(incident: Incident, *, by: Person, now: datetime | None) -> Incident:
    """Product moves already: the owner changes, the status stays."""
    return touch(
        incident,
        kind=EventKind.ACKNOWLEDGED,
        by=by,
        now=now,
        data=_previous_owner(incident),
        owner=by,
        assigned_to=None,
    )


def _previous_owner(incident: Incident) -> dict[str, str]:
    return {"previous_owner": incident.owner.name} if incident.owner else {}


def next_update_due(incident: Incident, since: datetime) -> datetime | None:
    """When the owner owes the next word: S1 30 min, S2 2 h, S3 8 h after the last one, S4 never."""
    every = SeverityRule.of(incident.severity).update_every
    return since + every if every else None


@transaction.atomic
def assign(
    number: int | str,
    *,
    by: Person,
    to: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Ask somebody to take it. They must answer too: until then nothing changes hands and no clock stops."""
    incident = locked(number, by=by, action=Action.ASSIGN, seen_version=seen_version)
    if not incident.is_open:
        raise Refused("wrong_status", _("%(code)s is closed.") % {"code": incident.code})
    if not can(to, Action.ACKNOWLEDGE, incident):
        raise Refused(
            "cannot_take",
            _("%(name)s cannot take this: their role does not cover this place.") % {"name": to},
        )
    if to in (incident.owner, incident.assigned_to):
        return incident
    return touch(
        incident,
        kind=EventKind.ASSIGNED,
        by=by,
        now=now,
        data={"to": to.name, "to_id": to.pk},
        assigned_to=to,
    )


@transaction.atomic
def arrive(
    number: int | str,
    *,
    by: Person,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Somebody stands at the station. A time stamp, not a status; the first one counts."""
    incident = locked(number, by=by, action=Action.ACKNOWLEDGE)
    refuse_practice(incident)
    if incident.arrived_at is not None:
        return incident
    incident.refuse_if_stale(seen_version)
    if incident.status not in (Status.RAISED, *WORKED_ON):
        raise Refused("wrong_status", _("Product is moving already."))
    now = now or timezone.now()
    return touch(incident, kind=EventKind.ARRIVED, by=by, now=now, arrived_at=now)


@transaction.atomic
def post_update(
    number: int | str,
    *,
    by: Person,
    conditions: str,
    actions: str,
    needs: str,
    technical: str = "",
    next_update_at: datetime | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Say what is new: conditions, actions, needs, and when the next word comes."""
    incident = locked(number, by=by, action=Action.UPDATE, seen_version=seen_version)
    now = now or timezone.now()
    if not incident.is_open:
        raise Refused("wrong_status", _("%(code)s is closed.") % {"code": incident.code})
    said = {
        "conditions": conditions.strip(),
        "actions": actions.strip(),
        "needs": needs.strip(),
    }
    _refuse_empty(said)
    due = _promised_word(incident, next_update_at, now)
    waited = _promise_that_passed(incident, now)
    update = Update.objects.create(
        incident=incident,
        by=by,
        at=now,
        technical=technical.strip(),
        next_update_at=due,
        **said,
    )
    return touch(
        incident,
        kind=EventKind.UPDATED,
        by=by,
        now=now,
        words=update.actions,
        data={
            "update": update.pk,
            "conditions": update.conditions,
            "needs": update.needs,
        },
        next_update_due=due,
        missed_updates=0,
        **waited,
    )


def _promise_that_passed(incident: Incident, now: datetime) -> dict[str, Any]:
    """What it waited on was promised for a time that is over: the word said now is the answer to that."""
    if incident.waiting_until is None or incident.waiting_until > now:
        return {}
    return {"waiting_on": "", "waiting_name": "", "waiting_until": None}


def _refuse_empty(said: dict[str, str]) -> None:
    sentences = {
        "conditions": _("Say how it is now."),
        "actions": _("Say what you are doing."),
        "needs": _("Say what you need. “No needs” is an answer."),
    }
    empty = {name: [sentences[name]] for name, text in said.items() if not text}
    if empty:
        raise Invalid("empty", next(iter(empty.values()))[0], fields=empty)


def longest_promise(incident: Incident) -> timedelta | None:
    """How far ahead the next word may be promised: S1 and S2 while product is not moving. None: no bound."""
    if incident.is_moving or incident.severity not in (Severity.S1, Severity.S2):
        return None
    return SeverityRule.of(incident.severity).update_every


def _promised_word(incident: Incident, promised: datetime | None, now: datetime) -> datetime | None:
    """The promised time, or the usual one while product is not moving; never later than the rule allows."""
    if promised is None:
        return next_update_due(incident, now) if incident.owner_id and not incident.is_moving else None
    if promised <= now:
        _refuse_promise(_("The time for the next word has passed already."))
    longest = longest_promise(incident)
    if longest is not None and promised > now + longest:
        local = (now + longest).astimezone(incident.site.tz)
        _refuse_promise(_("Word is owed by %(time)s at the latest.") % {"time": f"{local:%H:%M}"})
    return promised


def _refuse_promise(sentence: StrOrPromise) -> None:
    raise Invalid("bad_promise", sentence, fields={"next_update_at": [sentence]})


@transaction.atomic
def contain(
    number: int | str,
    *,
    by: Person,
    what: str,
    expires_on: date | None = None,
    owner: Person | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """Product is moving again, perhaps on a bandage: what it is, who looks after it, and when it expires."""
    incident = locked(number, by=by, action=Action.CONTAIN, seen_version=seen_version)
    now = now or timezone.now()
    what = what.strip()
    if not what:
        sentence = _("Say what keeps product moving.")
        raise Invalid("empty", sentence, fields={"what": [sentence]})
    expires = bandage_end(incident, expires_on, now)
    _stop_downtimes(incident, now)
    bandage = incident.countermeasures.create(
        kind="containment",
        stage="in_place",
        what=what,
        owner=owner or by,
        expires_on=expires,
        evidence=what,
        in_place_at=now,
        created_by=by,
        created_at=now,
    )
    return move(
        incident,
        to=Status.CONTAINED,
        kind=EventKind.CONTAINED,
        by=by,
        now=now,
        words=what,
        data={
            "expires_on": expires.isoformat(),
            "countermeasure": bandage.pk,
            "changed": {"owner": [None, (owner or by).name], "expires_on": [None, expires.isoformat()]},
        },
        contained_at=now,
        next_update_due=None,
        missed_updates=0,
    )


def bandage_end(incident: Incident, expires_on: date | None, now: datetime) -> date:
    """The day a bandage ends: at most the default of the severity, counted in the plant's days."""
    today = now.astimezone(incident.site.tz).date()
    latest = today + timedelta(days=SeverityRule.of(incident.severity).bandage_days)
    if expires_on is None:
        return latest
    if expires_on < today:
        sentence: StrOrPromise = _("The day it ends has passed already.")
        raise Invalid("expired", sentence, fields={"expires_on": [sentence]})
    if expires_on > latest:
        sentence = _(
            "A bandage is good until %(day)s at the latest. After that a manager may extend it with a reason."
        ) % {"day": day_words(latest, weekday=False)}
        raise Invalid("bandage_too_long", sentence, fields={"expires_on": [sentence]})
    return expires_on


def _stop_downtimes(incident: Incident, at: datetime) -> None:
    incident.downtimes.filter(ended_at=None, started_at__lte=at).update(ended_at=at)


@transaction.atomic
def stop_line(
    number: int | str,
    *,
    by: Person,
    line: Line | None = None,
    at: datetime | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """A line stands still because of this; several intervals are possible."""
    incident = locked(number, by=by, action=Action.ADD_WORDS, seen_version=seen_version)
    refuse_practice(incident)
    now = now or timezone.now()
    if not incident.is_open:
        raise Refused("wrong_status", _("%(code)s is closed.") % {"code": incident.code})
    line = _line_here(incident, line)
    stops = incident.downtimes.filter(line=line)
    if stops.filter(ended_at=None).exists():
        return incident
    at = at or now
    if at > now or stops.filter(ended_at__gt=at).exists():
        sentence = _("That time is in the future, or before the line last ran.")
        raise Invalid("bad_time", sentence, fields={"at": [sentence]})
    Downtime.objects.create(incident=incident, line=line, started_at=at)
    return touch(incident, kind=EventKind.LINE_STOPPED, by=by, now=now, data={"line": line.code})


@transaction.atomic
def line_runs(
    number: int | str,
    *,
    by: Person,
    line: Line | None = None,
    at: datetime | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Incident:
    """The line runs again: the downtime of that line ends."""
    incident = locked(number, by=by, action=Action.ADD_WORDS, seen_version=seen_version)
    now = now or timezone.now()
    line = _line_here(incident, line)
    running = incident.downtimes.filter(line=line, ended_at=None).first()
    if running is None:
        return incident
    ended = at or now
    if not running.started_at <= ended <= now:
        sentence = _("That time is before the line stopped, or in the future.")
        raise Invalid("bad_time", sentence, fields={"at": [sentence]})
    running.ended_at = ended
    running.save(update_fields=["ended_at"])
    return touch(incident, kind=EventKind.LINE_RUNNING, by=by, now=now, data={"line": line.code})


def _line_here(incident: Incident, line: Line | None) -> Line:
    line = line or incident.line
    if line is None or line.area.site_id != incident.site_id:
        sentence = _("Say which line of this site.")
        raise Invalid("no_line", sentence, fields={"line": [sentence]})
    return line
