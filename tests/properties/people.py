"""What people do to incidents, and how it goes while others and the engine are at it too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from escalation import answering
from escalation.engine import tick
from escalation.models import Notification
from incidents import lifecycle
from incidents.models import Incident
from opsdesk.errors import Refused
from tests.properties import numbers
from tests.properties.day import Day, impacts, somebody
from tests.properties.faults import Killed, breaking, die, had_to_wait, nothing
from tests.properties.model import Thing
from tests.properties.plant import NAMES, ROLES

which = st.integers(0, 3)
it = st.sampled_from(
    [name for name in NAMES if ROLES[name] in ("it_tech", "it_lead", "it_specialist", "it_manager")]
)
anybody = st.one_of(it, it, somebody)
decides = st.one_of(st.sampled_from(["tillery", "prewitt", "okafor"]), somebody)
reason = st.sampled_from(["Parts come at six", "Parts come at six", " "])
notices = st.sampled_from(["nudge", "nudge", "nudge", "later", "later", "note lost"])
"""Whether the engine hears of a change at once, at its next turn, or of itself: see `Day._noticed`."""
how = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.sampled_from(["dies", "engine", "rival"]), st.integers(1, 9)),
)
"""A verb goes well, or at its n-th statement its process dies, the engine runs, or somebody else wants it."""


class People(Day):
    """Everybody may try everything: what they may not do is refused, and changes nothing."""

    # --- what people do ---

    @precondition(lambda self: len(self.model.things) < 4)
    @rule(
        impact=impacts,
        place=st.sampled_from(["station", "line", "area", "site"]),
        by=somebody,
        is_drill=st.booleans(),
        noticed=notices,
    )
    def raise_it(self, impact: str, place: str, by: str, is_drill: bool, noticed: str) -> None:
        self._begin()
        self._raise(impact, place, by, is_drill=is_drill)
        self._noticed(noticed, self._thing(0)[0])

    @precondition(lambda self: len(self.model.things) < 6 and self.model.family.is_thought_over)
    @rule(impact=impacts, by=somebody, noticed=notices)
    def the_same_again(self, impact: str, by: str, noticed: str) -> None:
        """At the station, where it was thought to be over."""
        self._begin()
        self._raise(impact, "station", by, is_drill=False)
        self._noticed(noticed, self._thing(0)[0])

    @rule(n=which, by=anybody, how=how, noticed=notices)
    def take(self, n: int, by: str, how: Any, noticed: str) -> None:
        self._does(n, "acknowledge", by, how, noticed)

    @rule(n=which, by=st.sampled_from(["brandt", "hutchins", "vela"]), to=it, noticed=notices)
    def ask_somebody(self, n: int, by: str, to: str, noticed: str) -> None:
        self._does(n, "assign", by, None, noticed, {"to": to})

    @rule(
        n=which,
        by=anybody,
        promised=st.sampled_from([None, None, 10, 25, 200, -5]),
        how=how,
        noticed=notices,
    )
    def say_what_is_new(self, n: int, by: str, promised: int | None, how: Any, noticed: str) -> None:
        words = {"conditions": "No labels", "actions": "Swapping the printer", "needs": "No needs"}
        at = None if promised is None else self.now + timedelta(minutes=promised)
        self._does(n, "post_update", by, how, noticed, {**words, "next_update_at": at})

    @rule(n=which, by=it, how=how, noticed=notices)
    def contain(self, n: int, by: str, how: Any, noticed: str) -> None:
        self._does(n, "contain", by, how, noticed, {"what": "Spare printer"})

    @rule(n=which, noticed=notices)
    def fix(self, n: int, noticed: str) -> None:
        """A permanent countermeasure goes in, and it is being proved."""
        self._begin()
        _pk, thing = self._thing(n)
        if thing.status == "contained":
            self._place_a_fix(thing)
        self._does(n, "resolve", "vela", None, noticed)

    @rule(
        n=which,
        by=anybody,
        way=st.sampled_from(["small", "small", "proved", "accept_no_fix", "take_back"]),
        cause=st.sampled_from(["A loose plug", "A loose plug", ""]),
        agrees=somebody,
        how=how,
        noticed=notices,
    )
    def close_it(self, n: int, by: str, way: str, cause: str, agrees: str, how: Any, noticed: str) -> None:
        if way == "small":
            self._does(n, "close", by, how, noticed, {"cause": cause or " ", "agreed_by": agrees})
        elif way == "proved":
            self._does(n, "close", by, how, noticed)
        elif way == "accept_no_fix":
            self._does(n, way, "tillery", how, noticed, self._asked(way))
        else:
            self._does(n, way, self._thing(n)[1].by or by, how, noticed)

    @rule(n=which, by=st.one_of(st.just("jimenez"), somebody), why=reason, how=how, noticed=notices)
    def it_comes_back(self, n: int, by: str, why: str, how: Any, noticed: str) -> None:
        self._does(n, "reopen", by, how, noticed, {"reason": why})

    @rule(
        n=which,
        by=decides,
        to=st.sampled_from(["S1", "S2", "S3", "S4"]),
        why=reason,
        how=how,
        noticed=notices,
    )
    def floor_call(self, n: int, by: str, to: str, why: str, how: Any, noticed: str) -> None:
        self._does(n, "change_severity", by, how, noticed, {"severity": to, "reason": why})

    @rule(
        n=which,
        by=decides,
        minutes=st.sampled_from([10, 480, 481, 10_080, 0]),
        why=reason,
        ends=st.booleans(),
        how=how,
        noticed=notices,
    )
    def pause(self, n: int, by: str, minutes: int, why: str, ends: bool, how: Any, noticed: str) -> None:
        if ends and self._thing(n)[1].paused_until:
            self._does(n, "unshelve", by, how, noticed)
        else:
            until = self.now + timedelta(minutes=minutes)
            self._does(n, "shelve", by, how, noticed, {"until": until, "reason": why})

    @rule(n=which, by=it, minutes=st.sampled_from([5, 90, 600, 0]), how=how, noticed=notices)
    def wait_on(self, n: int, by: str, minutes: int, how: Any, noticed: str) -> None:
        """It waits on a vendor; no minutes: it has come."""
        if minutes:
            until = self.now + timedelta(minutes=minutes)
            self._does(n, "wait_on", by, how, noticed, {"on": "vendor", "name": "Inkmarrow", "until": until})
        else:
            self._does(n, "stop_waiting", by, how, noticed)

    @rule(n=which, by=somebody, noticed=notices)
    def see(self, n: int, by: str, noticed: str) -> None:
        """ "I've seen it" stops nothing."""
        self._begin()
        pk, thing = self._thing(n)
        thing.acted.add(by)
        answering.see(Incident.objects.get(pk=pk), by=self.plant.person(by), now=self.now)
        self._noticed(noticed, pk)

    @rule(n=st.integers(0, 9), take=st.booleans(), noticed=notices)
    def answer_by_link(self, n: int, take: bool, noticed: str) -> None:
        self._begin()
        pk = None
        tokens = Notification.objects.filter(reason__in=["step", "assigned", "fallback"]).order_by("-id")
        found = list(tokens.values_list("token", "incident_id", "person__username", "created_at")[: n + 1])
        if found:
            token, pk, who, written_at = found[-1]
            thing = self.model.things[pk or 0]
            try:
                answering.answer(token, take=take, now=self.now)
            except Refused:
                is_old = self.now - written_at > numbers.LINK_LASTS
                assert is_old or not thing.is_open, f"The answer of {who} to INC-{thing.number} was refused"
            else:
                assert thing.is_open, f"INC-{thing.number} is closed and was answered by {who}"
                assert self.now - written_at <= numbers.LINK_LASTS, f"{who} answered by an old link"
                thing.acted.add(who)
                is_free = (thing.status == "raised" or thing.asked == who) and not thing.is_drill
                if take and is_free and not self.model.must_refuse("acknowledge", thing, who, self.now, {}):
                    self.model.did("acknowledge", thing, who, self.now, {})
        self._noticed(noticed, pk)

    @rule(n=which, noticed=notices)
    def practice_goes_on(self, n: int, noticed: str) -> None:
        """The system plays a practice: as if somebody had it, and then it is over."""
        self._begin()
        pk, thing = self._thing(n)
        if thing.is_drill and thing.status == "raised":
            lifecycle.practice_taken(thing.number, owner=self.plant.person("vela"), now=self.now)
            self.model.did("practice_taken", thing, "vela", self.now, {})
        elif thing.is_drill and thing.is_open:
            lifecycle.end_practice(thing.number, now=self.now)
            self.model.did("end_practice", thing, "", self.now, {})
        self._noticed(noticed, pk)

    @rule(n=which, by=anybody, who=somebody, noticed=notices)
    def ask_for_help(self, n: int, by: str, who: str, noticed: str) -> None:
        self._does(n, "ask_help", by, None, noticed, {"who": who})

    # --- how a verb goes ---

    def _does(
        self, n: int, verb: str, by: str, how: Any, noticed: str, asked: dict[str, Any] | None = None
    ) -> None:
        """Somebody asks for something; the model follows when it was done, and insists when it must not."""
        self._begin()
        pk, thing = self._thing(n)
        if how and how[0] == "engine":
            self._wait_for_the_next_thing()  # the very moment in which it would fire
        asked = asked or {}
        no = self.model.must_refuse(verb, thing, by, self.now, asked)
        given = {name: self._person_or(name, value) for name, value in asked.items()}
        try:
            with self._happening(how, pk, thing, verb):
                getattr(lifecycle, verb)(thing.number, by=self.plant.person(by), now=self.now, **given)
        except Refused:
            pass
        except Killed:
            pass
        else:
            assert not no, f"{by} was let {verb} INC-{thing.number}, but {no}"
            self.model.did(verb, thing, by, self.now, asked)
        self._noticed(noticed, pk)

    def _person_or(self, name: str, value: Any) -> Any:
        return self.plant.person(value) if name in ("to", "agreed_by", "who") else value

    def _happening(self, how: Any, pk: int, thing: Thing, verb: str) -> Any:
        kind, at = how or ("", 0)
        then: dict[str, Callable[[], None]] = {
            "dies": die,
            "engine": lambda: self._the_engine_runs_in_the_middle(pk, thing, verb),
            "rival": lambda: self._somebody_else_wants_it(thing, verb),
        }
        return breaking(at, then.get(kind, nothing))

    def _the_engine_runs_in_the_middle(self, pk: int, thing: Thing, verb: str) -> None:
        """The verb holds the incident's row from its first statement on: the engine leaves it alone."""

        def turn() -> tuple[int, int]:
            before = _steps_of(pk)
            tick(self.now)
            return before, _steps_of(pk)

        said = len(self.troubles.said)
        before, after = self.elsewhere.does(turn)
        self._follow_the_system()
        fell_over = [one for one in self.troubles.said[said:] if "engine.contained" in one]
        assert not fell_over, (
            f"Rule 2: the engine fell over INC-{thing.number} in the middle of {verb}: {fell_over}"
        )
        self.turned_at = self.maybe_turned_at = self.left_alone[pk] = self.now
        assert before == after, f"Rule 2: the engine fired for INC-{thing.number} in the middle of {verb}"

    def _somebody_else_wants_it(self, thing: Thing, verb: str) -> None:
        rival = self.plant.person("hutchins")  # may take what somebody has
        try:
            self.elsewhere.does(lambda: lifecycle.acknowledge(thing.number, by=rival, now=self.now))
        except OperationalError as error:
            if not had_to_wait(error):
                raise
        except Refused:
            pass
        else:
            raise AssertionError(
                f"Rule 2: two people held INC-{thing.number} at once, in the middle of {verb}"
            )


def _steps_of(incident: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM escalation_notification WHERE incident_id = %s AND reason = 'step'",
            [incident],
        )
        return int(cursor.fetchone()[0])
