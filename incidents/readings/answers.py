"""The manager's three answers, what the floor should do now, and the technician's detail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from incidents.models import Impact, Incident, Status, Update
from incidents.readings.said import bandage, lapse, latest_update, needs_something, news, sentence
from incidents.readings.titles import headline, what
from plant.wording import moment


@dataclass(frozen=True, slots=True)
class Reading:
    """An incident in plain words, in the reader's language and the plant's time."""

    headline: str
    problem: str
    doing: str
    progress: str
    floor: str
    technical: str
    said_by: str
    said_at: datetime | None
    next_word: datetime | None


def read(incident: Incident, *, update: Update | None = None, now: datetime | None = None) -> Reading:
    """All readings at once. `update`: the last one when the caller has it; otherwise it is looked up."""
    if update is not None:
        vars(incident)["latest_update"] = update
    now = now or timezone.now()
    last = latest_update(incident)
    return Reading(
        headline=headline(incident),
        problem=problem(incident),
        doing=doing(incident, now=now),
        progress=progress(incident, now=now),
        floor=floor(incident, now=now),
        technical=technical(incident),
        said_by=str(last.by) if last else "",
        said_at=last.at if last else None,
        next_word=incident.next_update_due,
    )


def problem(incident: Incident) -> str:
    """What is wrong, in plain words: the last update's, else those of who raised it."""
    if incident.is_drill:
        return _("This is practice: nothing is wrong. It shows whether messages reach everybody.")
    last = news(incident)
    if last:
        return sentence(last.conditions)
    if incident.is_moving:
        return sentence(what(incident))
    if incident.words:
        return sentence(incident.words)
    return f"{sentence(headline(incident))} {sentence(what(incident))}"


def doing(incident: Incident, *, now: datetime | None = None) -> str:
    """Who has it and what is being done."""
    if incident.status == Status.CLOSED:
        return _("Nothing more. It is closed.")
    if incident.is_drill:
        return _(
            "Everybody who would be told about a real one is told now, much faster, one level after another."
        )
    if incident.status == Status.RAISED:
        return _nobody_yet(incident, now)
    last = news(incident)
    if last:
        return sentence(last.actions)
    if incident.is_moving and bandage(incident):
        return _("For now: %(what)s") % {"what": sentence(bandage(incident))}
    return _owner_has_it(incident, now)


def _nobody_yet(incident: Incident, now: datetime | None) -> str:
    lapsed = lapse(incident)
    if lapsed is not None:
        said = _("Nobody has it any more. %(name)s had it; no word since %(time)s.") % {
            "name": lapsed.name,
            "time": _at(incident, lapsed.silent_since, now),
        }
        asked = _("%(name)s was asked to take it.") if incident.assigned_to_id else ""
        return f"{said} {asked % {'name': incident.assigned_to}}" if asked else said
    if incident.assigned_to_id:
        return _("Nobody has it yet. %(name)s was asked to take it.") % {"name": incident.assigned_to}
    return _("Nobody has it yet.")


def _owner_has_it(incident: Incident, now: datetime | None) -> str:
    name = {"name": incident.owner}
    if incident.arrived_at:
        there = {**name, "time": _at(incident, incident.arrived_at, now)}
        return _("%(name)s has it and has been there since %(time)s.") % there
    if incident.acknowledged_at:
        return _("%(name)s has it since %(time)s.") % {
            **name,
            "time": _at(incident, incident.acknowledged_at, now),
        }
    return _("%(name)s has it.") % name


def progress(incident: Incident, *, now: datetime | None = None) -> str:
    """How far it is, what is needed and waited for, and when the next word comes."""
    now = now or timezone.now()
    parts = [_how_far(incident, now), *_in_the_way(incident, now), _next_word(incident, now)]
    return " ".join(filter(None, parts))


def _how_far(incident: Incident, now: datetime) -> str:
    said = _SAID[incident.status](incident, now)
    if said:
        return said
    last = latest_update(incident)
    if last is None or last is not news(incident):
        return _("None yet.")
    return _("Last word %(time)s from %(name)s.") % {"time": _at(incident, last.at, now), "name": last.by}


def _moving_since(incident: Incident, now: datetime) -> str:
    return _("Product is moving since %(time)s. It stays open until the fix is proved.") % {
        "time": _at(incident, incident.contained_at, now)
    }


def _being_proved(incident: Incident, now: datetime) -> str:
    return _("The fix is in place since %(time)s and is being proved.") % {
        "time": _at(incident, incident.resolved_at, now)
    }


def _closed(incident: Incident, now: datetime) -> str:
    closed = _("Closed %(time)s.") % {"time": _at(incident, incident.closed_at, now)}
    return f"{closed} {ending(incident)}"


def ending(incident: Incident) -> str:
    """Why it may be closed: proved, nothing more needed, no permanent fix, a wrong tap, or only practice."""
    if incident.is_drill:
        return _("This was practice. Nothing was wrong.")
    if incident.owner_id is None:
        return _("It was raised by mistake and taken back.")
    if incident.no_fix_reason:
        return _("There is no permanent fix: %(reason)s") % {"reason": sentence(incident.no_fix_reason)}
    if incident.closed_cause:
        return _("Cause: %(cause)s") % {"cause": sentence(incident.closed_cause)}
    return _("The fix is proved.")


def _came_back(incident: Incident, now: datetime) -> str:
    return _("It came back %(time)s.") % {"time": _at(incident, incident.reopened_at, now)}


def _nothing_said(incident: Incident, now: datetime) -> str:
    return ""


_SAID: dict[str, Callable[[Incident, datetime], str]] = {
    Status.RAISED: _nothing_said,
    Status.ACKNOWLEDGED: _nothing_said,
    Status.CONTAINED: _moving_since,
    Status.RESOLVED: _being_proved,
    Status.CLOSED: _closed,
    Status.REOPENED: _came_back,
}


def _in_the_way(incident: Incident, now: datetime) -> Iterable[str]:
    """What is needed, waited for or paused: only while it is open."""
    if not incident.is_open:
        return
    last = news(incident)
    if last and needs_something(last.needs):
        yield _("Needed: %(needs)s") % {"needs": sentence(last.needs)}
    if incident.waiting_on:
        yield _("Waits on %(name)s until %(time)s.") % {
            "name": incident.waiting_name,
            "time": _at(incident, incident.waiting_until, now),
        }
    if incident.is_shelved(now):
        yield _("Alerts are paused by %(name)s until %(time)s: %(reason)s") % {
            "name": incident.shelved_by,
            "time": _at(incident, incident.shelved_until, now),
            "reason": sentence(incident.shelved_reason),
        }


def _next_word(incident: Incident, now: datetime) -> str:
    due = incident.next_update_due
    if due is None or not incident.is_open:
        return ""
    time = {"time": _at(incident, due, now)}
    return _("Next word by %(time)s.") % time if due > now else _("The next word was due %(time)s.") % time


def floor(incident: Incident, *, now: datetime | None = None) -> str:
    """What to do now, for who stands there."""
    now = now or timezone.now()
    return " ".join(
        filter(None, [_what_to_do(incident), _who_is_coming(incident), _next_word(incident, now)])
    )


def _what_to_do(incident: Incident) -> str:
    if incident.status == Status.CLOSED:
        return _("Work as usual. If it comes back, raise it again.")
    if incident.is_drill:
        return _("Work as usual. This is practice.")
    if incident.is_safety and not incident.is_moving:
        return _("Work is stopped here. Stay clear until your supervisor says it is safe.")
    if bandage(incident):
        return _("For now: %(what)s") % {"what": sentence(bandage(incident))}
    if incident.system_id and incident.system and incident.system.workaround:
        return _("Until it works: %(what)s") % {"what": sentence(incident.system.workaround)}
    return _(_TO_DO[incident.level])


_TO_DO: dict[str, str] = {
    Impact.SAFETY: gettext_noop("Work as your supervisor says."),
    Impact.STOPPED: gettext_noop(
        "Leave it as it is and keep clear of the machine. Ask your supervisor what to build."
    ),
    Impact.AT_RISK: gettext_noop("Carry on. If it stops, say so at once."),
    Impact.WORKAROUND: gettext_noop("Carry on by hand. If it stops, say so at once."),
    Impact.NONE: gettext_noop("Carry on as usual."),
}


def _who_is_coming(incident: Incident) -> str:
    if not incident.is_open or incident.is_moving or not incident.owner_id or incident.is_drill:
        return ""
    if incident.arrived_at:
        return _("%(name)s is there.") % {"name": incident.owner}
    return _("%(name)s has it.") % {"name": incident.owner}


def technical(incident: Incident) -> str:
    """Technical detail, newest first, complete; in no other reading."""
    last = latest_update(incident)
    return "\n\n".join(filter(None, [last.technical.strip() if last else "", incident.technical.strip()]))


def _at(incident: Incident, when: datetime | None, now: datetime | None) -> str:
    """A moment by the plant's clock: "06:52", with its day when that is not today."""
    if when is None:
        return ""
    with timezone.override(incident.site.tz):
        return moment(when, now)
