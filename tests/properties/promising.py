"""What people promise about an incident, and what becomes of it: the ledger's verbs."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from countermeasures import lifecycle as fixes
from countermeasures.models import Promise
from countermeasures.promises import doing
from opsdesk.errors import Refused
from tests.properties.model import Thing
from tests.properties.people import People, notices, which


class Promising(People):
    """A promise is given, gets another day, is kept or given up; and days pass until somebody is asked."""

    @rule(n=which, days=st.sampled_from([0, 1, 9]), noticed=notices)
    def promise_a_fix(self, n: int, days: int, noticed: str) -> None:
        self._begin()
        pk, thing = self._thing(n)
        try:
            self._promise_a_fix(thing, self._day(days))
        except Refused:
            assert not thing.is_open or thing.is_drill, f"No fix for INC-{thing.number} could be promised"
        self._noticed(noticed, pk)

    @precondition(lambda self: any(thing.owes for thing in self.model.things.values()))
    @rule(
        n=st.integers(0, 3),
        is_asked=st.sampled_from([True, True, False]),
        what=st.sampled_from(["is_kept", "is_given_up", "gets_another_day", "stays_open"]),
        days=st.sampled_from([1, 9, 40, 0]),
        noticed=notices,
    )
    def a_promise(self, n: int, is_asked: bool, what: str, days: int, noticed: str) -> None:
        """Somebody is asked, days later. Then the n-th newest is kept, given up, or gets another day."""
        self._begin()
        if is_asked:
            self._wait_for_the_next_question()
        pks = Promise.objects.open().exclude(kind="waiting").order_by("-id").values_list("pk", flat=True)
        if not (found := list(pks)):
            return
        promise = Promise.objects.with_people().get(pk=found[n % len(found)])
        pk = promise.incident_id or 0
        with suppress(Refused):
            getattr(self, f"_{what}")(promise, self.model.things[pk], self._day(days))
        self._noticed(noticed, pk)

    def _wait_for_the_next_question(self) -> None:
        """Nothing turns in the days before it is due."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(due_at) FROM escalation_chase WHERE state = 'armed'")
            (moment,) = cursor.fetchone()
        if moment is not None:
            self._move(max(self.now, moment) + timedelta(seconds=1))
            self._turn()
            self._go_on()

    def _is_kept(self, promise: Promise, thing: Thing, _day: date) -> None:
        """A fix goes in, a bandage comes off; whoever checks finds that it did not hold."""
        if promise.kind == "check":
            self._is_found_wanting(promise, thing)
            return
        doing.keep(promise, by=promise.person, words="The driver is pinned", now=self.now)
        thing.acted.add(promise.person.username)
        thing.promised[promise.kind] -= 1
        if promise.kind == "fix":
            thing.fixes.append(self.now)

    def _is_found_wanting(self, promise: Promise, thing: Thing) -> None:
        fix = promise.countermeasure
        assert fix is not None and fix.checking_from is not None
        by = self.plant.person("jimenez")
        fixes.check(fix.pk, by=by, effective=False, measured="Two stops", now=self.now)
        thing.fixes.remove(fix.checking_from)
        thing.acted.add("jimenez")
        if thing.status in ("contained", "resolved", "closed"):
            self.model.did("reopen", thing, "jimenez", self.now, {})

    def _is_given_up(self, promise: Promise, thing: Thing, _day: date) -> None:
        if promise.kind == "fix":
            pk = promise.countermeasure_id or 0
            fixes.withdraw(pk, by=self.plant.person("vela"), reason="Another way", now=self.now)
            thing.promised["fix"] -= 1
            thing.acted.add("vela")

    def _stays_open(self, *_asked: object) -> None:
        """Nobody answers."""

    def _gets_another_day(self, promise: Promise, thing: Thing, day: date) -> None:
        by = self.plant.person("tillery") if promise.kind in ("bandage", "review") else promise.person
        doing.agree_new_date(promise, by=by, due_on=day, reason="No part yet", now=self.now)
        self.model.days[promise.pk] = day
        thing.acted.add(by.username)
