"""What is texted back: at most 160 septets, in the person's language, the most important fact first.

Language and time zone are active when these are called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation import answering
from escalation.gsm7 import SEGMENT, Flexible, Part, clip, cut, fit, septets, to_gsm7
from escalation.inbound.acts import Done, Tally, who_closed
from escalation.messages.facts import base_url
from incidents.lifecycle.closing import Lack
from incidents.models import Incident
from incidents.permissions import Action
from plant.models import Person
from plant.wording import moment, names

MOST_NUMBERS = 6
"""Numbers that are named when one has to be chosen."""


def _maybe(text: str, when: int) -> Flexible:
    """A sentence that goes when there is no room; lower numbers go first."""
    return Flexible((text, ""), (when,)) if text else Flexible(("",))


def took_it(done: Done, person: Person, now: datetime) -> str:
    incident = done.incident
    said = {"name": person.get_short_name(), "code": incident.code}
    since = {"time": moment(incident.acknowledged_at or now, now)}
    return fit(
        [
            _("Thanks %(name)s, you have %(code)s since %(time)s.") % {**said, **since},
            _maybe(f"{incident.where}.", 2),
            _maybe(_next_word(incident, now), 3),
            _maybe(_text_words(incident), 4),
        ]
    )


def seen(done: Done, person: Person, now: datetime) -> str:
    incident = done.incident
    thanks = _("Thanks %(name)s, seen %(time)s.") % {
        "name": person.get_short_name(),
        "time": moment(now, now),
    }
    return fit([thanks, *_who_has_it(incident, person), _maybe(_text_words(incident), 1)])


def _who_has_it(incident: Incident, person: Person) -> list[Part]:
    if incident.is_drill:
        return [_("This is practice: nothing else is needed.")]
    owner = incident.owner
    if owner is not None:
        has_it = _("%(name)s has it.") % {"name": owner.name}
        call = _("%(name)s has it, %(phone)s.") % {"name": owner.name, "phone": owner.mobile}
        return [Flexible((call, has_it), (5,)) if owner.mobile else has_it]
    if answering.may_take(person, incident):
        return [
            _("Nobody has it yet: text %(number)s to take it.") % {"number": incident.number},
        ]
    return [_("Nobody has it yet.")]


def _next_word(incident: Incident, now: datetime) -> str:
    due = incident.next_update_due
    return _("Next word by %(time)s.") % {"time": moment(due, now)} if due and due > now else ""


def _text_words(incident: Incident) -> str:
    return _("Text %(number)s and your words to add a note.") % {"number": incident.number}


def updated(done: Done, person: Person, now: datetime) -> str:
    incident = done.incident
    thanks = _("Thanks %(name)s, posted to %(code)s.") % {
        "name": person.get_short_name(),
        "code": incident.code,
    }
    nobody = _who_has_it(incident, person) if incident.owner is None else []
    return fit([thanks, *nobody, _maybe(_next_word(incident, now), 1)])


def kept(done: Done) -> str:
    """Words of somebody who may not give news."""
    return fit(
        [
            _("Your words are kept with %(code)s.") % {"code": done.incident.code},
            _("They are not sent out: your role cannot %(action)s.") % {"action": Action.UPDATE.label},
        ]
    )


def said_no(done: Done, person: Person) -> str:
    return fit([_("Kept with %(code)s.") % {"code": done.incident.code}, *_who_has_it(done.incident, person)])


def help_asked(done: Done, asked: Sequence[str]) -> str:
    who = names(asked, most=3)
    return fit(
        [
            _("Help is asked for %(code)s:") % {"code": done.incident.code},
            cut(f"{who}.", (2, 60)),
            _maybe(_("They are told now."), 1),
        ]
    )


def help_refused(incident: Incident, person: Person) -> str:
    """Somebody who may not call for help by a text still must not be left alone with it: whom to call."""
    return fit(
        [
            _("Kept with %(code)s.") % {"code": incident.code},
            *_who_has_it(incident, person),
            _("Your role cannot %(action)s: call them.") % {"action": Action.ASK_HELP.label},
        ]
    )


def closed(incident: Incident, now: datetime) -> str:
    name, at = who_closed(incident)
    when = moment(at or now, now)
    by = _("%(name)s closed it %(time)s.") % {"name": name, "time": when} if name else ""
    return fit(
        [
            _("%(code)s is closed.") % {"code": incident.code},
            Flexible((by, ""), (9,)),
            _maybe(_("Nothing is needed from you."), 2),
            _maybe(_("If it is back, raise it again."), 1),
        ]
    )


def closed_it(done: Done, person: Person) -> str:
    return fit(
        [
            _("Thanks %(name)s, %(code)s is closed.")
            % {"name": person.get_short_name(), "code": done.incident.code},
            _maybe(_("Whoever was told of it is told."), 2),
            _maybe(_("If it is back, raise it again."), 1),
        ]
    )


def not_ready(incident: Incident, found: Sequence[Lack], *, is_small: bool) -> str:
    """Everything that is missing; where there is no room for all of it, how much more, and the page with it.

    `is_small`: a text with the cause closes it too.
    """
    cause = _("Or: close %(number)s and its cause.") % {"number": incident.number} if is_small else ""
    page = f"{base_url()}{incident.get_absolute_url()}"
    head = _("%(code)s stays open. Missing:") % {"code": incident.code}
    whole = [names(_shortly(found, room)) for room in (60, 30, 16, 0)]
    counted = _shortly(found, 0)
    parted = [names(counted, most=most) for most in range(len(counted) - 1, 1, -1)]
    texts = [fit([head, f"{missing}.", cause, _maybe(page, 1)]) for missing in whole]
    texts += [fit([head, f"{missing}.", cause or page]) for missing in parted]
    return next((text for text in texts if septets(text) <= SEGMENT), texts[-1])


def _shortly(found: Sequence[Lack], room: int) -> list[str]:
    """ "proof (Pin the driver)": each in few words, with what it is about as far as there is room for it.

    Without room like things are counted: "proof (6)".
    """
    if room:
        about = [f" ({clip(to_gsm7(one.what), room)})" if one.what else "" for one in found]
        return [f"{one.short}{of}" for one, of in zip(found, about, strict=True)]
    times = Counter(one.short for one in found)
    return [f"{short} ({count})" if count > 1 else short for short, count in times.items()]


def which_to_close(number: int = 1042) -> str:
    return fit([_("Which one? Text close and its number, like: close %(number)s") % {"number": number}])


def several(tally: Tally) -> str:
    """ "3 answered, 1 already closed by Jun." and what the person has now."""
    count = len(tally.closed)
    parts = [ngettext("%(count)d answered", "%(count)d answered", tally.answered) % {"count": tally.answered}]
    if count:
        parts.append(_closed_by(tally.closed))
    if tally.refused:
        parts.append(_("not for you: %(numbers)s") % {"numbers": _listed(tally.refused)})
    yours = [one.number for one in tally.taken]
    return fit(
        [
            f"{', '.join(parts)}.",
            _maybe(_("You have %(numbers)s.") % {"numbers": _listed(yours)} if yours else "", 2),
        ]
    )


def _closed_by(incidents: Sequence[Incident]) -> str:
    count = len(incidents)
    people = {name.split(" ")[0] for name, _at in map(who_closed, incidents) if name}
    if len(people) == 1:
        text = ngettext("%(count)d already closed by %(name)s", "%(count)d already closed by %(name)s", count)
        return text % {"count": count, "name": people.pop()}
    return ngettext("%(count)d already closed", "%(count)d already closed", count) % {"count": count}


def _listed(numbers: Sequence[int]) -> str:
    return names([str(one) for one in numbers], most=MOST_NUMBERS)


# --- when something has to be asked ---


def which(incidents: Sequence[Incident], *, has_words: bool = False) -> str:
    """ "Which one: 1042 or 1039?" with their places while there is room."""
    shown = incidents[:MOST_NUMBERS]
    if len(shown) == 1 and has_words:
        said = {"code": shown[0].code, "number": shown[0].number}
        return fit([_("For %(code)s? Then text %(number)s and your words.") % said])
    ask = _("Which one: %(choices)s?")
    forms = tuple(
        ask % {"choices": _either([f"{one.number}{about(one)}" for one in shown])}
        for about in (_title, _place, _nothing)
    )
    how = _("Text the number and your words.") if has_words else _("Text the number, or ALL.")
    return fit([Flexible(forms, (1, 2)), _maybe(how, 5)])


TITLE = 30
"""Septets of what is wrong, where there is room for it: two at one station have the same code."""


def _title(incident: Incident) -> str:
    return f" ({clip(to_gsm7(incident.words or incident.title), TITLE)})"


def _place(incident: Incident) -> str:
    return f" ({incident.place.code})"


def _nothing(_incident: Incident) -> str:
    return ""


def _either(choices: Sequence[str]) -> str:
    """ "1042, 1039 or 1037"."""
    if len(choices) < 2:
        return "".join(choices)
    return _("%(all_but_last)s or %(last)s") % {
        "all_but_last": ", ".join(choices[:-1]),
        "last": choices[-1],
    }


def who(people: Sequence[Person], number: int = 1042) -> str:
    """A number that belongs to several people."""
    first = people[0].get_short_name()
    return fit(
        [
            cut(
                _("This number is that of %(names)s.") % {"names": names(people, most=3)},
                (1, 80),
            ),
            _("Say who you are, like: %(number)s %(name)s") % {"number": number, "name": first},
        ]
    )


def nothing_waits(person: Person) -> str:
    return fit(
        [
            _("Nothing waits for your answer, %(name)s.") % {"name": person.get_short_name()},
            _maybe(_("To add a note, text the number first, like: 1042 printer is back"), 1),
        ]
    )


def no_such(number: int, waiting: Sequence[Incident]) -> str:
    return fit([_("There is no incident %(number)s.") % {"number": number}, *_waits(waiting)])


def not_understood(waiting: Sequence[Incident]) -> str:
    return fit([_("Not understood. Text the number first, like: 1042 printer is back."), *_waits(waiting)])


def _waits(waiting: Sequence[Incident]) -> list[Part]:
    if not waiting:
        return []
    numbers = {"numbers": _listed([one.number for one in waiting])}
    return [_maybe(_("Waiting for you: %(numbers)s.") % numbers, 1)]


def no_words() -> str:
    """To a mail with nothing but what it quotes."""
    return fit([_("No words of yours were found in that email. Write above what is quoted.")])


def which_by_mail() -> str:
    return fit([_("Which one? Begin your answer with its number, such as 1042.")])


def answers_nothing() -> str:
    """To a mail that answers none of ours."""
    return fit([_("Nothing was done: reply to the email of the incident, or open its link.")])


def how_it_works() -> str:
    return fit(
        [
            _(
                "1042 = I have it, or seen. 1042 and words = news. help 1042 = send help. "
                "close 1042 = close it. STOP = no texts."
            ),
            _maybe(base_url(), 1),
        ]
    )


def unknown_sender() -> str:
    return fit([_("OpsDesk does not know this number, so nothing was done. Ask IT to enter it for you.")])


def stopped() -> str:
    return fit([_("You get no more texts. Alerts come by email and IT is told. START brings them back.")])


def started() -> str:
    return fit([_("You get texts from OpsDesk again. STOP ends them.")])
