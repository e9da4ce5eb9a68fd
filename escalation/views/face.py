"""The clock of an incident as a screen draws it: how long left, who is told next, how far along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation import wording
from escalation.ladder import NextStep
from escalation.models import Clock
from incidents.models import Incident
from plant.models import Person, Role
from plant.wording import moment, names

BOTH_MANAGERS = frozenset({Role.PRODUCTION_MANAGER, Role.MATERIALS_MANAGER})


@dataclass(frozen=True, slots=True)
class Face:
    """What the clock shows. `start` to `due` is the fuse; `fuse` and `marks` are shares of it, 0.0 to 1.0.

    `state`: calm, soon, late (the ladder is used up and repeats) or paused. `since`: when it was raised.
    `is_word_due`: it is the owner who is asked for the next word, not somebody above them.
    `waits_for`: why the place does not work before it is due, for a clock that is paused by nobody.
    """

    state: str
    is_used_up: bool
    start: datetime
    due: datetime
    fuse: float
    marks: Sequence[float]
    since: datetime
    told: str
    count: int
    at: str
    paused_by: str
    is_word_due: bool
    waits_for: str = ""

    @property
    def beside(self) -> SafeString:
        """The words after the number on a list: "then Grace Oyelaran is told"."""
        if self.state == "late":
            if self.is_used_up:
                return format_html(_("open. All told again <b>{}</b>"), self.at)
            return format_html(_("open. <b>{}</b> should have been told {}"), self.told, self.at)
        if self.waits_for:
            return self._waits
        if self.state == "paused":
            return format_html(_("paused by <b>{}</b>"), self.paused_by)
        if self.is_word_due:
            return format_html("{}", _("then the next word is due"))
        return format_html(
            ngettext("then <b>{}</b> is told", "then <b>{}</b> are told", self.count), self.told
        )

    @property
    def _waits(self) -> SafeString:
        """ "waits until Mon 10 Nov 05:00 (weekend), then Dana Vela is told"."""
        said = {"at": self.at, "why": wording.in_a_sentence(self.waits_for), "who": self.told}
        if self.is_word_due:
            return format_html(_("waits until <b>{at}</b> ({why}), then the next word is due"), **said)
        told = ngettext(
            "waits until <b>{at}</b> ({why}), then <b>{who}</b> is told",
            "waits until <b>{at}</b> ({why}), then <b>{who}</b> are told",
            self.count,
        )
        return format_html(told, **said)

    @property
    def until(self) -> SafeString:
        """The same where one clock fills the screen: "until Grace Oyelaran is told"."""
        if self.state in ("late", "paused"):
            return self.beside
        if self.is_word_due:
            return format_html("{}", _("until the next word is due"))
        return format_html(
            ngettext("until <b>{}</b> is told", "until <b>{}</b> are told", self.count), self.told
        )

    @property
    def in_hand(self) -> str:
        """The clock in three words: "next alert 14:05"."""
        if self.waits_for:
            return wording.waits_until(self.due, self.waits_for)
        if self.state == "paused":
            return _("paused until %(time)s") % {"time": self.at}
        return _("next alert %(time)s") % {"time": self.at}


def face_of(
    incident: Incident, step: NextStep | None, *, now: datetime, reader: Person | None = None
) -> Face | None:
    """The face for a next step; None when no clock runs."""
    if step is None:
        return None
    return Face(
        state=str(step.state),
        is_used_up=step.is_used_up,
        start=step.started_at,
        due=step.due_at,
        fuse=1.0 if step.is_used_up else step.fraction,
        marks=step.marks,
        since=incident.raised_at,
        told=who(step.people, step.roles, reader=reader),
        count=agrees_with(step.people, reader),
        at=moment(step.due_at, now),
        paused_by=str(incident.shelved_by or ""),
        is_word_due=step.clock == Clock.UPDATE and step.step == 0,
        waits_for=step.waits_for,
    )


def who(people: Sequence[Person], roles: Sequence[str], *, reader: Person | None = None) -> str:
    """Names, the reader as "you"; "both managers" when it is exactly them and the reader is neither."""
    is_reader_in = reader is not None and any(one.pk == reader.pk for one in people)
    if set(roles) == BOTH_MANAGERS and len(people) == 2 and not is_reader_in:
        return _("both managers")
    said = [_("you")] if is_reader_in else []
    said += [str(one) for one in people if reader is None or one.pk != reader.pk]
    return names(said, most=3)


def agrees_with(people: Sequence[Person], reader: Person | None) -> int:
    """How many the verb agrees with: "you are told", even when you are alone."""
    is_reader_alone = reader is not None and [one.pk for one in people] == [reader.pk]
    return 2 if is_reader_alone else len(people)
