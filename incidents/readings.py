"""The plain readings of an incident: what a manager, the floor and a technician each need to know.

Pages, answer links, SMS and email all take their words from here, so one incident never tells two stories.
Technical detail has a reading of its own and appears in no other.

Nothing here asks the database when the incident was loaded with `with_place()` and prepared with `attach()`,
because thousands of messages are written from these functions in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from incidents.models import Impact, Incident, Status, Update
from plant.wording import moment

TITLE_LENGTH = 60
"""Characters of a title, so that it fits an SMS next to number, state, place and link (language §9)."""

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


def attach(incidents: Sequence[Incident]) -> None:
    """Load what the readings need for many incidents, in two queries however many there are."""
    last = {
        update.incident_id: update
        for update in Update.objects.filter(incident__in=incidents)
        .select_related("by")
        .order_by("incident_id", "-at", "-id")
        .distinct("incident_id")
    }
    for incident in incidents:
        vars(incident)["latest_update"] = last.get(incident.pk)
    prefetch_related_objects(
        [i for i in incidents if "bandages" not in vars(i)],
        Prefetch("countermeasures", queryset=_countermeasures().worn(), to_attr="bandages"),
    )


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


# ---------------------------------------------------------------- titles


def default_title(incident: Incident) -> str:
    """A title for who gave none: "Label printing: Door Panel Line D1", at most 60 characters."""
    kind, place = str(incident.category), incident.place
    for title in (f"{kind}: {place}", f"{kind}: {place.code}", f"{kind[: TITLE_LENGTH - 26]}: {place.code}"):
        if len(title) <= TITLE_LENGTH:
            return title
    return kind[:TITLE_LENGTH]


def has_default_title(incident: Incident) -> bool:
    """Whether the title says no more than category and place do."""
    titles = set()
    for language in ("en", "es"):
        with override(language):
            titles.add(default_title(incident))
    return incident.title in titles


def what(incident: Incident) -> str:
    """What is wrong in a few words: the title somebody wrote, else their first sentence, or the category."""
    if incident.title and not has_default_title(incident):
        return incident.title
    return _first_sentence(incident.words) or str(incident.category)


def headline(incident: Incident) -> str:
    """The title of a page or card as a sentence: "Door Panel Line D1 is stopped"."""
    place = str(incident.line or incident.place)
    if not incident.line_id and incident.system_id and incident.system:
        return _("%(state)s: %(place)s") % {"state": state(incident), "place": incident.system.plain_name}
    sentence = _HEADLINE_OF_STATUS.get(incident.status) or _HEADLINE_OF_IMPACT[incident.impact]
    return _(sentence) % {"place": place}


_HEADLINE_OF_STATUS: dict[str, str] = {
    Status.CONTAINED: gettext_noop("%(place)s: product is moving"),
    Status.RESOLVED: gettext_noop("%(place)s: the fix is being proved"),
    Status.CLOSED: gettext_noop("%(place)s: closed"),
}

_HEADLINE_OF_IMPACT: dict[str, str] = {
    Impact.SAFETY: gettext_noop("Someone could get hurt at %(place)s"),
    Impact.STOPPED: gettext_noop("%(place)s is stopped"),
    Impact.AT_RISK: gettext_noop("%(place)s is at risk"),
    Impact.WORKAROUND: gettext_noop("%(place)s runs on a workaround"),
    Impact.NONE: gettext_noop("%(place)s has a small problem"),
}


def state(incident: Incident) -> str:
    """The one screen word for how it stands: its impact until product moves, then its status."""
    if incident.is_moving:
        return str(Status(incident.status).label)
    return str(Impact(incident.impact).label)


# ---------------------------------------------------------------- the manager's three answers


def problem(incident: Incident) -> str:
    """What is wrong, in plain words: the last update's, else those of who raised it."""
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
    if incident.status == Status.RAISED:
        return _nobody_yet(incident)
    last = news(incident)
    if last:
        return sentence(last.actions)
    if incident.is_moving and bandage(incident):
        return _("For now: %(what)s") % {"what": sentence(bandage(incident))}
    return _owner_has_it(incident, now)


def _nobody_yet(incident: Incident) -> str:
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
    """Why it may be closed: proved, nothing more needed, no permanent fix, or a wrong tap."""
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


# ---------------------------------------------------------------- the floor and the technician


def floor(incident: Incident, *, now: datetime | None = None) -> str:
    """What to do now, for who stands there."""
    now = now or timezone.now()
    return " ".join(
        filter(None, [_what_to_do(incident), _who_is_coming(incident), _next_word(incident, now)])
    )


def _what_to_do(incident: Incident) -> str:
    if incident.status == Status.CLOSED:
        return _("Work as usual. If it comes back, raise it again.")
    if incident.is_safety and not incident.is_moving:
        return _("Work is stopped here. Stay clear until your supervisor says it is safe.")
    if bandage(incident):
        return _("For now: %(what)s") % {"what": sentence(bandage(incident))}
    if incident.system_id and incident.system and incident.system.workaround:
        return _("Until it works: %(what)s") % {"what": sentence(incident.system.workaround)}
    return _(_TO_DO[incident.impact])


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
    if not incident.is_open or incident.is_moving or not incident.owner_id:
        return ""
    if incident.arrived_at:
        return _("%(name)s is there.") % {"name": incident.owner}
    return _("%(name)s has it.") % {"name": incident.owner}


def technical(incident: Incident) -> str:
    """Technical detail, newest first, complete; in no other reading."""
    last = latest_update(incident)
    return "\n\n".join(filter(None, [last.technical.strip() if last else "", incident.technical.strip()]))


# ---------------------------------------------------------------- one update


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


def _first_sentence(text: str) -> str:
    """Up to the first stop that ends a sentence, without the stop."""
    line = " ".join(text.split())
    end = line.find(". ")
    return (line if end < 0 else line[:end]).rstrip(".")


def _at(incident: Incident, when: datetime | None, now: datetime | None) -> str:
    """A moment by the plant's clock: "06:52", with its day when that is not today."""
    if when is None:
        return ""
    with timezone.override(incident.site.tz):
        return moment(when, now)
