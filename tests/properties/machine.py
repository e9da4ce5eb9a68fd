"""The machine: on a day with people, the clock moves, and everything breaks that can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import OperationalError, connection
from hypothesis import strategies as st
from hypothesis.stateful import rule

from escalation.engine import tick
from incidents import lifecycle
from opsdesk.errors import Refused
from tests.properties.day import somebody
from tests.properties.faults import Breaking, Killed, breaking, die, had_to_wait, nothing, stumble
from tests.properties.people import it, which
from tests.properties.promising import Promising

mostly = st.sampled_from([True, True, False])
JUMPS = [1, 20, 45, 70, 150, 320, 660, 1900, 2 * 3600, 5 * 3600, 9 * 3600, 26 * 3600]


class Plantlife(Promising):
    """Random people doing random things to random incidents while the clock moves and things break."""

    @rule(deliver=st.sampled_from([True, True, False]))
    def engine_turns(self, deliver: bool) -> None:
        self._begin()
        self._turn(deliver=deliver)

    @rule(
        seconds=st.sampled_from(JUMPS),
        turns=st.sampled_from([True, True, True, False]),
        deliver=st.booleans(),
    )
    def time_passes(self, seconds: int, turns: bool, deliver: bool) -> None:
        """Nobody runs meanwhile: after more than a few seconds that is an outage."""
        self._begin()
        self._move(self.now + timedelta(seconds=seconds))
        if turns:
            self._turn(deliver=deliver)

    @rule(more=st.integers(1, 3))
    def the_next_thing_is_due(self, more: int) -> None:
        """On to the next step or message, as an engine does that works all the time."""
        self._begin()
        for _each in range(more):
            self._wait_for_the_next_thing()
            self._turn()

    @rule(
        at=st.integers(1, 45),
        kind=st.sampled_from(["dies", "dies", "stumbles", "cannot", "cannot", "two engines", "taken"]),
        by=it,
        n=which,
        has_work=mostly,
        writes=mostly,
    )
    def engine_is_disturbed(self, at: int, kind: str, by: str, n: int, has_work: bool, writes: bool) -> None:
        """The engine dies at some statement; or one fails, and somebody takes an incident before the next; or
        it fails each time; or another engine or somebody comes in between."""
        self._begin()
        if has_work or kind == "cannot":
            self._wait_for_the_next_thing()
        then: dict[str, Callable[[], None]] = {
            "dies": die,
            "stumbles": stumble,
            "cannot": stumble,
            "two engines": lambda: self._another_engine(),
            "taken": lambda: self._somebody_takes_it(n, by),
        }
        self.maybe_turned_at = self.now
        at = 1 + at % 10 if writes else at
        if kind == "cannot":  # one of the writes of a firing, which come after the heartbeat of the auditor
            at, writes = 2 + at % 5, True
        fault = Breaking(at, then[kind], before=at % 2 == 0, writes=writes, again=kind == "cannot")
        if kind == "stumbles":  # with its transaction the locks are gone, until it tries again
            fault.afterwards = lambda: self._somebody_takes_it(n, by)
        with connection.execute_wrapper(fault):
            try:
                tick(self.now)
            except Killed:
                pass
            except OperationalError:
                assert fault.happened and kind in ("stumbles", "cannot")
            else:
                self.turned_at = self.now
        if fault.happened:  # in the middle of the auditor's look, for all we know
            self.left_alone |= dict.fromkeys(self.model.things, self.now)
        self._follow_the_system()

    def _another_engine(self) -> None:
        self.elsewhere.does(lambda: tick(self.now))
        self.turned_at = self.now

    def _somebody_takes_it(self, n: int, by: str) -> None:
        """In the middle of a turn; it waits when the engine has the incident."""
        _pk, thing = self._thing(n)
        person = self.plant.person(by)
        try:
            self.elsewhere.does(lambda: lifecycle.acknowledge(thing.number, by=person, now=self.now))
        except OperationalError as error:
            if not had_to_wait(error):
                raise
        except Refused:
            pass
        else:
            self.elsewhere.does(self._follow_the_system)  # the engine may have taken it from somebody before
            self.model.did("acknowledge", thing, by, self.now, {})

    # --- messages ---

    @rule(
        kind=st.sampled_from(["down", "down", "busy", "unknown", "up", "up"]),
        channel=st.sampled_from(["sms", "email"]),
        who=st.sets(somebody, min_size=1, max_size=3),
    )
    def provider_changes(self, kind: str, channel: str, who: Iterable[str]) -> None:
        self._begin()
        if kind == "up":
            self.provider.calm()
        elif kind == "unknown":
            people = [self.plant.person(name) for name in who]
            self.provider.unknown |= {one.mobile if channel == "sms" else one.email for one in people} - {""}
        else:
            getattr(self.provider, kind).add(channel)

    @rule(
        kind=st.sampled_from(["well", "dies", "dies", "sender dies", "stumbles", "two senders", "taken"]),
        at=st.integers(1, 24),
        after=st.booleans(),
        is_seen=st.booleans(),
        n=which,
        has_work=mostly,
    )
    def messages_go_out(self, kind: str, at: int, after: bool, is_seen: bool, n: int, has_work: bool) -> None:
        """The sender dies at a statement or in a send, or something comes in between."""
        self._begin()
        if has_work:
            self._wait_for_the_next_thing()
            self._turn(deliver=False)
            self.is_quiet = False
        before = self.provider.counts()
        if kind == "sender dies":
            self.provider.dies_at, self.provider.dies_after = 1 + at % 3, after
        if kind == "two senders":
            self.provider.meanwhile = lambda: self.elsewhere.does(self._send)
        if kind == "taken":
            self.provider.meanwhile = lambda: self._somebody_takes_it(n, "hutchins")
        then = {"dies": die, "stumbles": stumble}.get(kind, nothing)
        with breaking(at, then, before=not after) as fault:
            try:
                self._send()
            except Killed:
                self._a_sender_died(before, is_seen=is_seen)
            except OperationalError:
                assert fault.happened and kind == "stumbles"
        if kind == "stumbles":
            self._count_torn(before)
        self.provider.dies_at, self.provider.meanwhile = 0, None

    def _a_sender_died(self, before: Counter[int], *, is_seen: bool) -> None:
        """Its database session ends with it; where that is not seen, its lease must end by itself."""
        torn = self._count_torn(before)
        assert torn <= 1, f"Rule 3: one dead sender had {torn} messages in its hands that had gone out"
        if is_seen:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE escalation_delivery SET lease_by = 'gone' WHERE state = 'sending'")

    def _count_torn(self, before: Counter[int]) -> int:
        """Messages that were handed over just now and are not marked: those may go out again."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM escalation_delivery WHERE state IN ('sending', 'queued')")
            unmarked = {row[0] for row in cursor.fetchall()}
        torn = [pk for pk in self.provider.counts() - before if pk in unmarked]
        self.torn.update(torn)
        return len(torn)

    # --- somebody damages the rows ---

    @rule(n=which, seconds=st.sampled_from([0, 61, 61]))
    def timers_are_lost(self, n: int, seconds: int) -> None:
        """By hand, or from a backup; and then the engine works on for so long."""
        self._begin()
        pk, _thing = self._thing(n)
        self._lose_the_note(pk)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE escalation_timer SET state = 'cancelled' WHERE incident_id = %s AND state = 'armed'",
                [pk],
            )
        if seconds:
            self._go_on()
            self._move(self.now + timedelta(seconds=seconds))
            self._turn()
