"""Takes lines of a file into the roster, or shows what would happen: the same code, rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from opsdesk.errors import Refused
from plant import lifecycle
from plant.models import Cover, Crew, Person, Roster, Site
from plant.roster.reading import Absence, Line, Placement, Wrong
from plant.visibility import people_of_site
from plant.wording import moment


class Outcome(StrEnum):
    """What a line does to the roster."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"
    SAME = "same"
    OVER = "over"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Result:
    """``sentence`` says it in words; of a wrong line, why."""

    line: Line
    outcome: Outcome
    sentence: str

    @property
    def is_change(self) -> bool:
        return self.outcome in (Outcome.NEW, Outcome.CHANGED, Outcome.REMOVED)


class TakingIn:
    """Lines for one site by one planner. Lines that cannot be are left out, the others count."""

    def __init__(self, site: Site, *, by: Person, now: datetime | None = None) -> None:
        self._by, self._now = by, now or timezone.now()
        self.put_on: list[Person] = []
        """Who works or stands in by what was taken in: whether they can be reached matters from now on."""
        people = list(people_of_site(site))
        self._by_login = {one.username.casefold(): one for one in people}
        self._by_email = {one.email.casefold(): one for one in people if one.email}
        self._by_name: dict[str, list[Person]] = {}
        for one in people:
            self._by_name.setdefault(one.name.casefold(), []).append(one)
        self._crews = list(Crew.objects.filter(pattern__site=site).select_related("pattern"))

    def preview(self, lines: Sequence[Line]) -> list[Result]:
        """What would happen; nothing is kept."""
        with transaction.atomic():
            results = [self._one(line) for line in lines]
            transaction.set_rollback(True)
        return results

    def apply(self, lines: Sequence[Line]) -> list[Result]:
        """Do it; doing it again changes nothing."""
        with transaction.atomic():
            return [self._one(line) for line in lines]

    def _one(self, line: Line) -> Result:
        if line.said is None:
            return Result(line, Outcome.WRONG, line.wrong)
        try:
            with transaction.atomic():
                if isinstance(line.said, Absence):
                    return Result(line, *self._absence(line.said))
                return Result(line, *self._placement(line.said))
        except (Wrong, Refused) as refused:
            return Result(line, Outcome.WRONG, str(refused))

    # --- cover ----------------------------------------------------------------------------------------------

    def _absence(self, said: Absence) -> tuple[Outcome, str]:
        if said.ends_at <= self._now:
            return Outcome.OVER, _("It is over, so nothing changes.")
        absent = self._person(said.away)
        stand_in = self._person(said.stands_in) if said.stands_in else None
        known = self._known(said, absent)
        sentence = _sentence(said, absent, stand_in)
        if said.is_cancelled:
            if known is None:
                return Outcome.SAME, _("Cancelled, and not on the roster.")
            lifecycle.remove_cover(known.pk, by=self._by, now=self._now)
            return Outcome.REMOVED, sentence
        if stand_in:
            self.put_on.append(stand_in)
        fields: dict[str, Any] = {
            "stand_in": stand_in,
            "starts_at": said.starts_at,
            "ends_at": said.ends_at,
            "kind": said.kind,
            "note": said.note or (known.note if known else ""),
        }
        if known is None:
            lifecycle.add_cover(by=self._by, absent=absent, uid=said.uid, now=self._now, **fields)
            return Outcome.NEW, sentence
        if all(getattr(known, name) == value for name, value in fields.items()):
            return Outcome.SAME, sentence
        lifecycle.change_cover(known.pk, by=self._by, now=self._now, **fields)
        return Outcome.CHANGED, sentence

    def _known(self, said: Absence, absent: Person) -> Cover | None:
        """The cover this line made when it was read before, else the one with the same times."""
        mine = Cover.objects.filter(absent=absent)
        by_uid = mine.filter(uid=said.uid).first() if said.uid else None
        return by_uid or mine.filter(starts_at=said.starts_at, ends_at=said.ends_at).first()

    # --- rosters --------------------------------------------------------------------------------------------

    def _placement(self, said: Placement) -> tuple[Outcome, str]:
        person, crew = self._person(said.person), self._crew(said)
        known = Roster.objects.filter(person=person, crew=crew, first_day=said.first_day).first()
        last = known.last_day if known else None
        self.put_on.append(person)
        lifecycle.put_into_crew(
            person, by=self._by, crew=crew, first_day=said.first_day, last_day=said.last_day
        )
        sentence = _("%(name)s works in %(crew)s from %(day)s on.") % {
            "name": person,
            "crew": crew,
            "day": said.first_day.isoformat(),
        }
        if known is None:
            return Outcome.NEW, sentence
        return (Outcome.SAME if last == said.last_day else Outcome.CHANGED), sentence

    def _person(self, text: str) -> Person:
        key = text.strip().casefold()
        if found := self._by_login.get(key) or self._by_email.get(key):
            return found
        named = self._by_name.get(key, [])
        if len(named) == 1:
            return named[0]
        if named:
            raise Wrong(
                _("Several people are called %(text)s. Use the user name or email.") % {"text": text[:80]}
            )
        raise Wrong(_("Nobody here is called “%(text)s”.") % {"text": text[:80]})

    def _crew(self, said: Placement) -> Crew:
        key, pattern = said.crew.casefold(), said.pattern.casefold()
        found = [
            crew
            for crew in self._crews
            if key in (crew.code.casefold(), crew.name.casefold())
            and (not pattern or pattern in (crew.pattern.code.casefold(), crew.pattern.name.casefold()))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise Wrong(
                _("Several patterns have a crew %(crew)s. Name the pattern.") % {"crew": said.crew[:40]}
            )
        raise Wrong(_("There is no crew “%(crew)s” here.") % {"crew": said.crew[:40]})


def _sentence(said: Absence, absent: Person, stand_in: Person | None) -> str:
    words = {"name": absent, "from": moment(said.starts_at), "until": moment(said.ends_at), "other": stand_in}
    if stand_in:
        return _("%(name)s away from %(from)s to %(until)s, %(other)s stands in.") % words
    return _("%(name)s away from %(from)s to %(until)s, nobody stands in.") % words
