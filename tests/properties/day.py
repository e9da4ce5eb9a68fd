"""A day in the plant: its clock, its engine, and looking at it."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from escalation import outbox
from escalation.engine import tick
from escalation.outbox import sending
from incidents import lifecycle
from incidents.models import Incident
from tests import factories as make
from tests.properties.channel import Provider
from tests.properties.faults import Elsewhere, Troubles
from tests.properties.model import Model, Thing
from tests.properties.numbers import PROVED_OVER
from tests.properties.plant import CREWS, NAMES, ROLES, TECHNICIANS, Plant
from tests.properties.rules_kept import RulesKept
from tests.properties.seen import Seen, look

STARTS = (
    datetime(2025, 11, 4, 15, 0, tzinfo=UTC),  # a Tuesday, 10:00 on first shift
    datetime(2025, 11, 5, 2, 56, tzinfo=UTC),  # 21:56, four minutes before third shift
    datetime(2025, 11, 2, 5, 40, tzinfo=UTC),  # 01:40, twenty minutes before the clock goes back
    datetime(2026, 3, 8, 6, 45, tzinfo=UTC),  # 01:45, a quarter of an hour before the clock goes forward
)

TAKEN = ("acknowledge",)
MOVING = (*TAKEN, "promise_a_fix", "contain")
REACHED = ((), (), TAKEN, MOVING, (*MOVING, "resolve"), (*MOVING, "accept_no_fix"))
"""How far the first incident has come when a day begins."""

somebody = st.sampled_from(NAMES)
impacts = st.sampled_from(["stopped", "stopped", "safety", "safety", "at_risk", "workaround", "none"])

RAISED_BY_NOBODY = (
    "SELECT id, number, impact, raised_at, -id FROM incidents_incident WHERE raised_by_id IS NULL"
)
DONE_BY_NOBODY = """
    SELECT kind, incident_id, at, (data ->> 'repeat')::int, id FROM incidents_event
    WHERE by_id IS NULL AND kind IN ('lapsed', 'repeated', 'reopened', 'holds_after_all')
"""
"""The model has a verb for each of these."""

A_MOMENT = timedelta(milliseconds=100)
"""No two things happen in the same microsecond."""


class Day(RuleBasedStateMachine, RulesKept):
    """Random people doing random things to random incidents while the clock moves and things break."""

    plant: ClassVar[Plant]
    provider: ClassVar[Provider]  # type: ignore[misc]
    elsewhere: ClassVar[Elsewhere]
    troubles: ClassVar[Troubles]  # type: ignore[misc]
    starts: ClassVar[tuple[datetime, ...]] = STARTS

    def __init__(self) -> None:
        super().__init__()
        self.plant.is_new_day()
        self.provider.forget()
        self.provider.refuses = self._look_at_what_goes_out
        sending._down_until.clear()
        self.model = Model(ROLES)
        self.now = self.starts[0]
        self.is_quiet, self.over_since = False, None
        self.turned_at = self.maybe_turned_at = None
        self.torn = Counter()
        self.sent_in_vain: list[str] = []
        self.tampered: set[int] = set()
        self.silent_since: dict[int, tuple[datetime, int]] = {}
        self.left_alone: dict[int, datetime] = {}
        self.names = {person.pk: name for name, person in self.plant.world.people.items()}
        self.absent: set[str] = set()
        self.crews = CREWS
        self.followed: set[int] = set()
        self._seen, self._is_fresh = Seen(), False

    # --- looking ---

    def watcher(self) -> Seen:
        if not self._is_fresh:
            self._seen, self._is_fresh = look(self._seen), True
            if self.is_quiet:
                self.tampered -= {pk for pk in self.tampered if self._is_mended(pk)}
        return self._seen

    def _is_mended(self, pk: int) -> bool:
        row = self._seen.incidents[pk]
        return row.read_version == row.version and bool(self._seen.armed(pk)) and pk not in self._seen.unread

    def _go_on(self) -> None:
        """A rule has done one thing: all is well, and the next begins."""
        self.all_is_well()
        self._begin()

    def _begin(self) -> None:
        """A step begins: what was new is old."""
        self.watcher()
        self.model.looked_at()
        self._is_fresh = self.is_quiet = False
        self.now += A_MOMENT

    def _look_at_what_goes_out(self, delivery: Any) -> None:
        """Rule 2 again: asked in the moment in which the provider gets it."""
        told = delivery.notification
        thing = self.model.things.get(told.incident_id or 0)
        if thing is None or told.reason not in ("step", "fallback"):
            return
        is_met = {
            "response": thing.status != "raised" and not (thing.is_safety and thing.is_open),
            "containment": thing.status not in thing.stuck,
        }.get(told.clock, not thing.is_open)
        if is_met and not (thing.is_safety and thing.is_open):
            self.sent_in_vain.append(
                f"INC-{thing.number} is {thing.status}, and {delivery.address} gets a step of {told.clock}"
            )

    def _thing(self, n: int) -> tuple[int, Thing]:
        """The n-th newest incident, going round."""
        pks = sorted(self.model.things, reverse=True)
        pk = pks[n % len(pks)]
        return pk, self.model.things[pk]

    # --- the day begins ---

    @initialize(
        start=st.integers(0, len(STARTS) - 1),
        no_number=st.sets(somebody, max_size=4),
        no_mail=st.sets(somebody, max_size=3),
        sick=st.sets(st.sampled_from(TECHNICIANS), max_size=2),
        impact=impacts,
        reached=st.sampled_from(REACHED),
    )
    def a_day_begins(
        self,
        start: int,
        no_number: set[str],
        no_mail: set[str],
        sick: set[str],
        impact: str,
        reached: tuple[str, ...],
    ) -> None:
        self.now = self.starts[start % len(self.starts)]
        self.plant.lose(numbers=no_number, mails=no_mail)
        self.plant.are_sick(sick, since=self.now)
        self.absent = sick
        self.addresses = self.plant.ways()
        self._raise(impact, "station", "pat", is_drill=False)
        self._is_worked_on(reached)

    def _is_worked_on(self, reached: tuple[str, ...]) -> None:
        """The first one has come some way already, so that few steps are needed to what comes after."""
        _pk, thing = self._thing(0)
        for verb in reached:
            if verb == "promise_a_fix":
                self._promise_a_fix(thing, self._day(9))
                continue
            if verb == "resolve":
                self._place_a_fix(thing)
            by = "tillery" if verb == "accept_no_fix" else "kowal"
            asked = self._asked(verb)
            getattr(lifecycle, verb)(thing.number, by=self.plant.person(by), now=self.now, **asked)
            self.model.did(verb, thing, by, self.now, asked)

    def _asked(self, verb: str) -> dict[str, Any]:
        """What has to be said with it."""
        if verb == "accept_no_fix":
            return {"reason": "Sold next month", "review_on": self._day(30)}
        return {"what": "Spare printer"} if verb == "contain" else {}

    def _promise_a_fix(self, thing: Thing, due_on: date) -> None:
        """A permanent countermeasure, by vela; jimenez will check it."""
        incident = Incident.objects.numbered(thing.number)
        make.plan_fix(self._floor, incident, due_on=due_on, window_days=PROVED_OVER.days, now=self.now)
        thing.promised["fix"] += 1
        thing.acted.add("vela")

    def _place_a_fix(self, thing: Thing) -> None:
        """One is in, and is being proved from now on."""
        incident = Incident.objects.numbered(thing.number)
        make.place_fix(self._floor, incident, window_days=PROVED_OVER.days, now=self.now)
        thing.fixes.append(self.now)
        thing.acted.add("vela")

    @property
    def _floor(self) -> Any:
        return SimpleNamespace(tech=self.plant.person("vela"), supervisor=self.plant.person("jimenez"))

    def _day(self, days: int) -> date:
        """By the plant's calendar."""
        return self.now.astimezone(self.plant.world.site.tz).date() + timedelta(days=days)

    def _raise(self, impact: str, place: str, by: str, *, is_drill: bool) -> None:
        world = self.plant.world
        incident, _is_new = lifecycle.raise_incident(
            by=world[by],
            category=world.category,
            impact=impact,
            words="No labels come out",
            is_drill=is_drill,
            now=self.now,
            **{place: getattr(world, place)},
        )
        self.model.raised(
            incident.pk,
            incident.number,
            impact,
            by=by,
            now=self.now,
            is_drill=is_drill,
            is_kin=place == "station",
        )

    # --- the engine ---

    def _noticed(self, how: str, pk: int | None = None) -> None:
        """The change wakes the engine up; or the nudge is lost, and nothing happens until the next turn; or
        even the note that it changed is lost: then the engine finds out when it asks the rules again."""
        if how == "nudge":
            self._turn()
        elif how == "note lost" and pk is not None:
            self._lose_the_note(pk)
            self._go_on()
            self._wait_for_the_next_thing()
            self._turn()

    def _lose_the_note(self, pk: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM escalation_unread WHERE incident_id = %s", [pk])
        self.tampered.add(pk)

    def _tick(self) -> Any:
        done = tick(self.now)
        self._follow_the_system()
        return done

    def _follow_the_system(self) -> None:
        """What it does by itself: it raises one about its own trouble, silence takes one back, and the
        same again opens the one whose fix should have held."""
        for pk, number, impact, at in _new_rows(RAISED_BY_NOBODY, self.followed):
            self.model.raised(pk, number, impact, by="", now=at)
        for kind, pk, at, number in _new_rows(DONE_BY_NOBODY, self.followed):
            getattr(self.model, kind)(pk, at, number)

    def _turn(self, *, deliver: bool = True) -> None:
        """A turn of the engine and its senders, and again until nothing is left to do at this moment."""
        self._tick()
        for _again in range(20):
            if deliver:
                self._send()
            done = self._tick()
            if not (done.read or done.fired):
                break
        else:
            raise AssertionError("The engine does not come to rest.")
        self.turned_at = self.maybe_turned_at = self.now
        self.is_quiet = True

    def _send(self) -> None:
        if not self.provider.down:
            sending._down_until.clear()  # it is counted in real seconds
        for channel in settings.CHANNELS:
            if channel in channels_with_work(self.now):
                outbox.deliver_due(channel, self.now)

    def _wait_for_the_next_thing(self) -> None:
        """On to the moment at which a step or a message is due, if that is not days away."""
        moment = next_moment()
        if moment is not None and moment - self.now < timedelta(hours=30):
            self._move(max(self.now, moment) + timedelta(seconds=1))

    def _move(self, now: datetime) -> None:
        """While nothing turns, the watcher is asked on the way."""
        self.now = now
        kept = self._seen
        self._seen, self._is_fresh = look(kept), True
        self.rule_7_somebody_watches_the_watcher()
        self._seen, self._is_fresh = kept, False

    # --- the day ends ---

    def teardown(self) -> None:
        """Everything works again for some hours; then nothing may be left over."""
        if not self.model.things or _is_failing():
            return
        self._begin()
        self.provider.calm()
        began = self.now
        for _each in range(40):
            self._turn()
            moment = next_message()
            if moment is None:
                break
            self._move(max(moment, self.now) + timedelta(seconds=1))
        self._turn()
        self.over_since = began
        self.all_is_well()


def _is_failing() -> bool:
    return sys.exc_info()[0] is not None


def _new_rows(sql: str, known: set[int]) -> list[Any]:
    """Rows that were not there before, by the id in their last column."""
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY id")
        rows = [row for row in cursor.fetchall() if row[-1] not in known]
    known.update(row[-1] for row in rows)
    return [row[:-1] for row in rows]


def channels_with_work(now: datetime) -> set[str]:
    """Where a message is due: a sender of another channel would find nothing, and costs as much."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT channel FROM escalation_delivery WHERE state = 'queued' AND not_before <= %s",
            [now],
        )
        return {row[0] for row in cursor.fetchall()}


def next_moment() -> datetime | None:
    """When the next step, message or lease is due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(due_at) FROM escalation_timer WHERE state = 'armed'")
        moments = [cursor.fetchone()[0], next_message()]
    return min(filter(None, moments), default=None)


def next_message() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(CASE state WHEN 'sending' THEN lease_until ELSE not_before END)
               FROM escalation_delivery WHERE state IN ('queued', 'sending')"""
        )
        moment: datetime | None = cursor.fetchone()[0]
    return moment
