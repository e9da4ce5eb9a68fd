"""The panel beside an incident: its clock, everybody who was told, and who comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrPromise

from escalation import wording
from escalation.foresight import ForeseenStep
from escalation.ladder import Ladder, NextStep, ToldLine
from escalation.models import Clock, DeliveryState
from escalation.recipients import ways_to, with_push
from escalation.views.answers import expects_answer, is_given_up, standing
from escalation.views.face import Face, agrees_with, face_of, who
from escalation.views.unheard import instead
from incidents.models import Incident
from plant.models import Person
from plant.wording import day_words, moment, names

A_MOMENT = timedelta(minutes=1)
"""Whoever is told within this is being told."""

URGENT = ("S1", "S2")
"""Severities whose steps go by a person's urgent ways, but for reminders that it is still open."""

HALF_A_DAY = timedelta(hours=12)
"""So near, a time on the clock can only be meant one way."""

AHEAD = 5
"""Steps still to come that are shown."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder. `state` is that of the `mark` tag; `warn` is said in amber."""

    state: str
    who: str
    at: str
    as_what: str
    warn: str = ""

    @property
    def data(self) -> str:
        """The stylesheet's short name for the state."""
        return {"answered": "ack", "delivered": "deliv", "failed": "fail"}.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class Band:
    """A sentence across the page."""

    text: str
    more: str = ""
    tone: str = "bad"
    icon: str = "x"


@dataclass(frozen=True, slots=True)
class Panel:
    """`sentence` says what happens when the clock runs out, in full words."""

    face: Face | None
    sentence: SafeString
    rungs: list[Rung]
    bands: list[Band]


def panel(incident: Incident, ladder: Ladder, *, reader: Person | None, now: datetime) -> Panel:
    """The panel for this reader, who is called "you" on the rungs."""
    told = _by_person(line for line in ladder.told if line.is_step)
    return Panel(
        face=face_of(incident, ladder.next, now=now, reader=reader),
        sentence=_sentence(incident, ladder.next, reader, now),
        rungs=[
            *_together([_told_rung(incident, lines, reader, now) for lines in told]),
            *_ahead(incident, ladder.upcoming[:AHEAD], reader, now),
        ],
        bands=[_not_reached(incident, lines, now) for lines in told if _is_not_reached(lines)][:2]
        if incident.is_open
        else [],
    )


# -- the clock in words


IF_NOTHING: dict[str, StrPromise] = {
    Clock.RESPONSE: gettext_lazy("If nobody takes it by <b>{at}</b>, {who} is told"),
    Clock.CONTAINMENT: gettext_lazy("If no product by <b>{at}</b>, {who} is told"),
    Clock.UPDATE: gettext_lazy("If there is no word by <b>{at}</b>, {who} is told"),
    Clock.CLOSURE: gettext_lazy("Still open at <b>{at}</b>, {who} is told again"),
}
IF_NOTHING_MANY: dict[str, StrPromise] = {
    Clock.RESPONSE: gettext_lazy("If nobody takes it by <b>{at}</b>, {who} are told"),
    Clock.CONTAINMENT: gettext_lazy("If no product by <b>{at}</b>, {who} are told"),
    Clock.UPDATE: gettext_lazy("If there is no word by <b>{at}</b>, {who} are told"),
    Clock.CLOSURE: gettext_lazy("Still open at <b>{at}</b>, {who} are told again"),
}


def _sentence(incident: Incident, step: NextStep | None, reader: Person | None, now: datetime) -> SafeString:
    if step is None:
        return format_html("{}", _("No clock runs."))
    at = moment(step.due_at, now)
    if step.waits_for:
        return _waiting(step, reader, at)
    if step.state == "paused":
        return format_html(
            _("Paused by <b>{}</b> until <b>{}</b>: {} It goes on by itself."),
            str(incident.shelved_by or ""),
            at,
            f"{incident.shelved_reason.rstrip('.')}.",
        )
    if step.is_used_up:
        return format_html(_("Everybody was told. All told again <b>{}</b>, until it is closed"), at)
    told = who(step.people, step.roles, reader=reader)
    sentences = IF_NOTHING_MANY if agrees_with(step.people, reader) > 1 else IF_NOTHING
    return format_html(str(sentences[step.clock]), at=at, who=told)


def _waiting(step: NextStep, reader: Person | None, at: str) -> SafeString:
    """It is a weekend or a shutdown, and nobody paused it."""
    said = {
        "at": at,
        "why": wording.in_a_sentence(step.waits_for),
        "who": who(step.people, step.roles, reader=reader),
    }
    told = ngettext(
        "Waits until <b>{at}</b> ({why}). Then {who} is told",
        "Waits until <b>{at}</b> ({why}). Then {who} are told",
        agrees_with(step.people, reader),
    )
    return format_html(told, **said)


def _short(at: datetime, now: datetime) -> str:
    """The time today and through the night, else the day: the column is narrow."""
    local = timezone.localtime(at)
    if local.date() == timezone.localdate(now) or abs(at - now) < HALF_A_DAY:
        return f"{local:%H:%M}"
    return day_words(local)


# -- who was told


def _by_person(lines: Iterable[ToldLine]) -> list[list[ToldLine]]:
    """The lines of each person, in the order in which people were first told."""
    found: dict[int, list[ToldLine]] = {}
    for line in lines:
        found.setdefault(line.notification.person_id, []).append(line)
    return list(found.values())


def _together(rungs: Sequence[Rung]) -> list[Rung]:
    """Rungs that say the same of several people, as one; who answered or is waited for keeps their own."""
    groups: dict[tuple[str, ...], list[Rung]] = {}
    for n, rung in enumerate(rungs):
        alone = str(n) if rung.warn or rung.state in ("answered", "failed") else ""
        groups.setdefault((rung.state, rung.at, rung.as_what, alone), []).append(rung)
    return [replace(group[0], who=names(rung.who for rung in group)) for group in groups.values()]


def _told_rung(incident: Incident, lines: Sequence[ToldLine], reader: Person | None, now: datetime) -> Rung:
    first, last = lines[0], lines[-1]
    answered = next((line for line in lines if line.notification.answered_at), None)
    is_owner = incident.owner_id == first.person.pk
    state = "answered" if answered or is_owner else last.state
    role = last.role or _("Asked")  # not inside the formatted string: the extraction does not see it there
    return Rung(
        state="queued" if state == DeliveryState.DROPPED else state,
        who=_("You") if reader is not None and reader.pk == first.person.pk else first.person.name,
        at=_short(first.at, now),
        as_what=f"{role}. {_how_it_went(incident, last, answered, is_owner, now)}".strip(),
        warn=_no_answer(incident, lines, now) if state not in ("answered", "failed") else "",
    )


def _how_it_went(
    incident: Incident, last: ToldLine, answered: ToldLine | None, is_owner: bool, now: datetime
) -> str:
    """ "Has it since 06:06", "Answered 06:22 by SMS", or how far the last message got."""
    if is_owner and incident.acknowledged_at:
        return _("Has it since %(time)s") % {"time": moment(incident.acknowledged_at, now)}
    if answered is not None and answered.notification.answered_at:
        said = {
            "time": moment(answered.notification.answered_at, now),
            "how": str(ANSWERED_BY.get(answered.notification.answered_by_channel, "")),
        }
        return (_("Answered %(time)s %(how)s") % said).strip()
    is_said_in_amber = not incident.is_moving and expects_answer(last.notification)
    if is_said_in_amber and last.state in (DeliveryState.SENT, DeliveryState.DELIVERED):
        return ""
    furthest = [one for one in last.deliveries if one.carrier.state == last.state]
    waits_until = min((one.carrier.not_before for one in furthest), default=now)
    is_held = last.state == DeliveryState.QUEUED and not any(one.carrier.attempt for one in furthest)
    if is_held and waits_until > now + A_MOMENT:
        return _("Told %(time)s, together with other things") % {"time": moment(waits_until, now)}
    how_far = str(HOW_FAR.get(last.state, "")) % {"channels": _channels(one.channel for one in furthest)}
    others = max((one.others for one in furthest), default=0)
    return f"{how_far}, {wording.with_others(others)}" if others else how_far


ANSWERED_BY: dict[str, StrPromise] = {
    "sms": gettext_lazy("by SMS"),
    "email": gettext_lazy("by email"),
    "link": gettext_lazy("by the link"),
    "screen": gettext_lazy("on the screen"),
}
HOW_FAR: dict[str, StrPromise] = {
    DeliveryState.QUEUED: gettext_lazy("Being told by %(channels)s"),
    DeliveryState.SENDING: gettext_lazy("Being told by %(channels)s"),
    DeliveryState.SENT: gettext_lazy("Sent by %(channels)s"),
    DeliveryState.DELIVERED: gettext_lazy("Delivered by %(channels)s"),
    DeliveryState.FAILED: gettext_lazy("Could not be reached by %(channels)s"),
    DeliveryState.DROPPED: gettext_lazy("Not needed any more"),
}


def _no_answer(incident: Incident, lines: Sequence[ToldLine], now: datetime) -> str:
    """Said of whoever was asked to answer, until product moves."""
    if incident.is_moving or not any(expects_answer(line.notification) for line in lines):
        return ""
    ask = next((line.notification for line in reversed(lines) if line.waits_for_answer), None)
    if ask is None and len(lines) > 1:
        return _("No answer yet, told again %(time)s") % {"time": moment(lines[-1].at, now)}
    said = _("Not answered") if is_given_up(ask) else _("No answer yet")
    return ", ".join(filter(None, [said, standing(ask, now)]))


def _channels(channels: Iterable[str]) -> str:
    """ "SMS and email", in the middle of a sentence."""
    words = {"sms": _("SMS"), "email": _("email"), "push": _("push")}
    return names(dict.fromkeys(words.get(way, way) for way in channels))


def _is_not_reached(lines: Sequence[ToldLine]) -> bool:
    """Every try of the last message failed, and the person did not answer otherwise."""
    return lines[-1].state == DeliveryState.FAILED and not any(
        line.notification.answered_at for line in lines
    )


def _not_reached(incident: Incident, lines: Sequence[ToldLine], now: datetime) -> Band:
    last = lines[-1]
    channels = _channels(delivery.channel for delivery in last.deliveries)
    said = {"name": last.person.name, "channels": channels}
    advice = _("Call %(name)s, or check the numbers.") % said
    happened = last.notification.data.get("instead")  # nothing for what was quiet, or is needed no more
    if incident.is_shelved(now):
        advice = (
            _("Alerts are paused, so nobody else is told now. Call %(name)s, or check the numbers.") % said
        )
    elif happened is not None:
        advice = f"{instead(happened, now)} {advice}"
    return Band(_("We couldn’t reach %(name)s by %(channels)s.") % said, advice)


# -- who comes next


def _ahead(
    incident: Incident, upcoming: Sequence[ForeseenStep], reader: Person | None, now: datetime
) -> Iterable[Rung]:
    how = _ways(incident, upcoming)
    for n, step in enumerate(upcoming):
        told = who(step.people, step.roles, reader=reader)
        yield Rung(
            state="todo" if n else "next",
            who=_("Everybody again") if step.is_repeat else told[:1].upper() + told[1:],
            at=_short(step.due_at, now),
            as_what=". ".join(filter(None, [_as_what(step), how[n], _waits(step, now)])),
            warn="" if step.is_repeat else " ".join(step.gaps),
        )


def _ways(incident: Incident, upcoming: Sequence[ForeseenStep]) -> list[str]:
    """How the people of each step would be told, as it is planned when it fires: a push only to a device.

    At most two queries, and none where neither the policy nor anybody asks for a push.
    """
    urgent = [incident.severity in URGENT and step.clock != Clock.CLOSURE for step in upcoming]
    pushed = {
        is_urgent: with_push(
            (
                (one.person, one.channels)
                for step, its in zip(upcoming, urgent, strict=True)
                if its is is_urgent
                for one in step.recipients
            ),
            is_urgent=is_urgent,
        )
        for is_urgent in (True, False)
    }
    said = []
    for step, is_urgent in zip(upcoming, urgent, strict=True):
        ways = [
            way
            for one in step.recipients
            for way, _address in ways_to(
                one.person,
                one.channels,
                is_urgent=is_urgent,
                has_device=one.person.pk in pushed[is_urgent],
            )
        ]
        how = _channels(ways)
        said.append(how[:1].upper() + how[1:])
    return said


def _waits(step: ForeseenStep, now: datetime) -> str:
    """ "Waits until Mon 10 Nov 05:00 (weekend)"; nothing where the place works."""
    said = wording.waits_until(step.due_at, step.waits_for, now) if step.waits_for else ""
    return said[:1].upper() + said[1:]


def _as_what(step: ForeseenStep) -> str:
    """The roles, and for news and reminders why; nothing but the reason when everybody is told again."""
    if step.is_repeat:
        return _("If there is no word by then") if step.clock == Clock.UPDATE else _("Until it is closed")
    roles = names(dict.fromkeys(wording.role_name(one.role) for one in step.recipients if one.role))
    if any(one.wants_answer for one in step.recipients):
        roles = ", ".join(filter(None, [roles, _("asked to answer")]))
    if step.clock == Clock.UPDATE:
        return _("%(roles)s, if there is no word by then") % {"roles": roles} if roles else ""
    if step.clock == Clock.CLOSURE:
        return _("%(roles)s, while it is open") % {"roles": roles} if roles else ""
    return roles
