"""The eight rules that never bend (domain §4), each checked after every step against the plain model."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis.stateful import invariant

from escalation import watch
from tests.properties import numbers
from tests.properties.family_kept import FamilyKept
from tests.properties.messages_kept import MessagesKept
from tests.properties.model import Thing
from tests.properties.promises_kept import PromisesKept
from tests.properties.seen import Notification, Timer
from tests.properties.watching import name_of

TAKES_IT = {"acknowledged", "contained", "resolved", "closed", "reopened", "taken_back"}
SETS_FREE = {"raised", "lapsed"}


class RulesKept(MessagesKept, PromisesKept, FamilyKept):
    """The rules, one by one."""

    @invariant()
    def all_is_well(self) -> None:
        """One invariant that calls the rules one by one: a failure prints the steps and little else."""
        for rule in RULES:
            getattr(self, rule)()

    # --- 0 ---

    def everything_is_what_people_made_of_it(self) -> None:
        """The rows say what the model says: nothing half done, nothing lost, nothing done for two."""
        for pk, row in self.seen.incidents.items():
            thing = self.model.things[pk]
            assert row.times == thing.times, (
                f"{name_of(thing)} is here for the {thing.times}. time, not for the {row.times}."
            )
            assert (row.status, row.owner, row.severity) == (thing.status, thing.owner, thing.severity), (
                f"{name_of(thing)} should be {thing.status} with {thing.owner or 'nobody'} as "
                f"{thing.severity}, but is {row.status} with {row.owner or 'nobody'} as {row.severity}"
            )
        acts = Counter((one.incident, one.version) for one in self.seen.events if one.kind in TAKES_IT)
        assert not _twice(acts), f"Two people changed the same version of an incident: {_twice(acts)}"

    def what_was_promised_is_owed(self) -> None:
        if self.is_quiet:
            self.what_is_owed_is_promised(
                self.seen.incidents.keys() - self.seen.unread.keys() - self.tampered
            )

    def nobody_answers_for_another(self) -> None:
        """Each manager answers for themselves (domain §4)."""
        for told in self.seen.notifications.values():
            if told.is_answered and told.incident:
                thing, name = self._about(told), self.names[told.person]
                assert name in thing.acted, f"{name_of(thing)} counts as seen by {name}, who did nothing"

    # --- 1 ---

    def rule_1_no_incident_is_silent(self) -> None:
        """Every open incident has an armed timer, or is repaired within a minute.

        Or within a minute of the auditor's last look, when its row was held then or the look broke off.
        """
        for pk, thing in self._open():
            armed, unread = self.seen.armed(pk), self.seen.unread.get(pk)
            version = self.seen.incidents[pk].version
            if armed or unread:
                since, then = self.silent_since.pop(pk, (self.now, 0))
                if then == version and thing.by and not self._could_not_be_recorded(pk):
                    self._the_repair_is_reported(thing, since)
            else:
                since, _version = self.silent_since.setdefault(pk, (self.now, version))
                could_be = max(since, self.left_alone.get(pk, since))
                is_repaired = not self.is_quiet or self.now - could_be < numbers.REPAIRED_WITHIN
                assert is_repaired, f"Rule 1: {name_of(thing)} is open and waits for nothing since {since}"
            if unread is not None:
                until = unread.not_before or self.now
                assert until <= self.now + numbers.REPAIRED_WITHIN, (
                    f"Rule 1: {name_of(thing)} is set aside until {until}, for more than a minute"
                )
            elif armed and self.is_quiet and pk not in self.tampered:
                self._each_running_clock_has_its_next_step(thing, armed)

    def _each_running_clock_has_its_next_step(self, thing: Thing, armed: dict[str, Timer]) -> None:
        missing = thing.running() - armed.keys()
        assert not missing, f"Rule 1: {name_of(thing)} is {thing.status}, but no step is armed for {missing}"
        for clock in set() if thing.is_drill else thing.running() - {"update"}:  # a practice is played faster
            latest = self._latest(thing, armed[clock])
            assert armed[clock].due_at <= latest, (
                f"Rule 1: the next step of {clock} of {name_of(thing)} comes only at {armed[clock].due_at}"
            )
        late = [clock for clock, timer in armed.items() if timer.due_at <= self.now]
        assert not late, f"Rule 1: {name_of(thing)} has due steps of {late} that did not fire in a whole turn"

    def _the_repair_is_reported(self, thing: Thing, since: datetime) -> None:
        """Nobody touched it, so the engine repaired it: that is an incident of its own for the IT manager."""
        said = [
            one
            for one in self.seen.events
            if one.at > since - numbers.SAID_AGAIN_AFTER
            and thing.number in one.data.get("numbers", [])
            and one.kind == "words_added"
        ]
        assert said, f"Rule 1: {name_of(thing)} was silent since {since} and repaired, and nobody hears of it"

    def _could_not_be_recorded(self, pk: int) -> bool:
        """One statement of the report failed at every try: the log has it, and the mending did not wait."""
        said = [one for one in self.troubles.said if "could not be recorded: silent" in one]
        return any(re.search(rf"\b{pk}\b", one) for one in said)

    def _latest(self, thing: Thing, timer: Timer) -> datetime:
        """A gap of the ladder from now; or, when steps came early, the time it has in the ladder."""
        after_a_gap = max(self.now, thing.paused_until or self.now)
        after_a_gap += numbers.longest_gap(thing.severity, timer.clock)
        steps, _repeat = numbers.LADDERS[thing.severity][timer.clock]
        is_planned = timer.round == 0 and timer.step < len(steps)
        since = thing.since(timer.clock)
        planned = since + timedelta(minutes=steps[timer.step]) if is_planned else self.now
        return max(after_a_gap, planned)

    # --- 2 ---

    def rule_2_a_condition_met_stops_its_clock(self) -> None:
        """No step of a clock is recorded, or handed over, once its condition is met."""
        for told in self.seen.new_notifications:
            if told.reason in ("step", "asked_again") and told.clock in numbers.CLOCKS:
                thing = self._about(told)
                assert thing.allows(told.clock), (
                    f"Rule 2: a step of {told.clock} was fired for {name_of(thing)}, which is {thing.status}"
                )
        assert not self.sent_in_vain, f"Rule 2: {self.sent_in_vain}"
        if any(one.kind == "told" and one.data.get("clock") == "response" for one in self.seen.new_events):
            self._taking_and_firing_never_both_win()

    def _taking_and_firing_never_both_win(self) -> None:
        """Both are numbered under the incident's lock: the higher number came later."""
        is_free: dict[int, bool] = {}
        for event in self.seen.events:
            if event.kind in TAKES_IT | SETS_FREE:
                is_free[event.incident] = event.kind in SETS_FREE
            elif event.kind == "told" and event.data.get("clock") == "response":
                thing = self.model.things[event.incident]
                assert is_free[event.incident] or thing.is_safety, (
                    f"Rule 2: people were told that nobody has {name_of(thing)}, after somebody took it"
                )

    # --- 3 ---

    def rule_3_each_firing_tells_each_person_once(self) -> None:
        """One firing, one notification per person; handed over once, but for what a crash tore."""
        steps = Counter((*one[1:6], one.round) for one in self.seen.timers if one.fired_at)
        assert not _twice(steps), f"Rule 3: these steps fired twice: {_twice(steps)}"
        told = Counter(
            (one.timer, one.person)
            for one in self.seen.notifications.values()
            if one.reason == "step" and one.timer
        )
        assert not _twice(told), f"Rule 3: somebody was told twice by one firing: {_twice(told)}"
        again = Counter(
            (one.asks_again, one.times)
            for one in self.seen.notifications.values()
            if one.reason == "asked_again"
        )
        assert not _twice(again), f"Rule 3: somebody was asked again twice at once: {_twice(again)}"
        goes_on = Counter(
            (one.incident, one.person) for one in self.seen.notifications.values() if one.is_asked_on
        )
        assert not _twice(goes_on), f"Rule 3: two messages ask somebody again: {_twice(goes_on)}"
        news = Counter(
            (one.about_event, one.reason, one.person)
            for one in self.seen.notifications.values()
            if one.about_event
        )
        assert not _twice(news), f"Rule 3: somebody was told the same news twice: {_twice(news)}"
        for pk, count in self.provider.counts().items():
            assert count <= 1 + self.torn[pk], (
                f"Rule 3: message {pk} was handed over {count} times; a crash tore it {self.torn[pk]} times"
            )

    # --- 6 ---

    def rule_6_no_storm_after_an_outage(self) -> None:
        """A clock fires once per turn; after a late step the next has its full gap; late says it is late.

        A practice is played so fast that two of its steps may come due within one late turn.
        """
        at_once = Counter(
            (one.incident, one.clock, one.epoch, one.severity, one.fired_at)
            for one in self.seen.fired()
            if not one.goes_up_from and not self.model.things[one.incident].is_drill
        )
        assert not _twice(at_once), f"Rule 6: several steps of one clock went out at once: {_twice(at_once)}"
        last: dict[Any, Timer] = {}
        for timer in self.seen.fired():
            ladder = timer.incident, timer.clock, timer.epoch, timer.severity
            is_paced = timer.clock in numbers.CLOCKS and not self.model.things[timer.incident].is_drill
            if is_paced and not timer.goes_up_from and ladder in last:
                self._keeps_its_gap(last[ladder], timer)
            last[ladder] = timer
        for timer in self.seen.newly_fired:
            if timer.is_late and timer.clock in numbers.CLOCKS:
                self._says_that_it_is_late(timer)

    def _keeps_its_gap(self, one: Timer, two: Timer) -> None:
        if not one.is_late or one.fired_at is None or two.fired_at is None:
            return
        gap = numbers.shortest_gap(one.severity, one.clock)
        assert two.fired_at - one.fired_at >= gap, (
            f"Rule 6: {one.clock} {two.step} came {two.fired_at - one.fired_at} after a late one, not {gap}"
        )

    def _says_that_it_is_late(self, timer: Timer) -> None:
        quiet = [
            one.id
            for one in self.seen.notifications.values()
            if one.timer == timer.id and one.reason == "step" and not one.note
        ]
        assert not quiet, f"Rule 6: {timer.clock} {timer.step} was late, and messages {quiet} do not say so"
        said = [
            one
            for one in self.seen.new_events
            if one.kind == "told" and one.incident == timer.incident and one.data.get("late_s", 0) >= 60
        ]
        assert said, f"Rule 6: {timer.clock} {timer.step} was late, and the timeline does not say so"

    # --- 7 ---

    def rule_7_somebody_watches_the_watcher(self) -> None:
        """Without a turn for 30 s, or with a step over a minute late, screens say so; else they do not."""
        said = {trouble.kind.value for trouble in watch.diagnose(watch.look(), self.now)}
        last, maybe = self.turned_at, self.maybe_turned_at
        if maybe is None or self.now - maybe > numbers.WATCHER_SPEAKS_AFTER:
            assert "engine" in said, f"Rule 7: no turn since {maybe}, it is {self.now}, and no screen says so"
        if last is not None and self.now - last <= numbers.WATCHER_IS_QUIET_FOR:
            assert "engine" not in said, (
                f"Rule 7: the engine turned at {last}, but screens say it has stopped"
            )
        late = [
            one
            for one in self.seen.timers
            if one.state == "armed" and self.now - one.due_at > numbers.LATE_AFTER
        ]
        if late:
            assert "late" in said, f"Rule 7: a step is late since {late[0].due_at}, and no screen says so"

    # --- 8 ---

    def rule_8_until_closed(self) -> None:
        """Reminders go on until it is closed; a pause has an end, ends by itself and is never for safety."""
        for pk, thing in self._open():
            row = self.seen.incidents[pk]
            assert row.shelved_until == thing.paused_until, (
                f"Rule 8: {name_of(thing)} is paused until {row.shelved_until}, not {thing.paused_until}"
            )
            if row.shelved_until is not None and row.shelved_at is not None:
                assert not thing.is_safety, f"Rule 8: {name_of(thing)} is about safety, and paused"
                pause = row.shelved_until - row.shelved_at
                assert timedelta(0) < pause <= numbers.LONGEST_PAUSE, f"Rule 8: a pause of {pause}"
            self._reminds_until_closed(pk, thing)
        for told in self.seen.new_notifications:
            self._a_pause_is_kept(told)

    def _reminds_until_closed(self, pk: int, thing: Thing) -> None:
        armed = self.seen.armed(pk).get("closure")
        if not self.is_quiet or pk in self.seen.unread or pk in self.tampered or armed is None:
            return
        before = [
            one.fired_at
            for one in self.seen.timers
            if one.incident == pk and one.clock == "closure" and one.fired_at
        ]
        last = max([thing.clocks_from, *filter(None, [thing.replanned_at]), *before])
        every = numbers.longest_gap(thing.severity, "closure")
        assert armed.due_at <= last + every, (
            f"Rule 8: {name_of(thing)} is open since {last} and comes back only at {armed.due_at}"
        )

    def _a_pause_is_kept(self, told: Notification) -> None:
        asks = told.reason in ("step", "asked_again")
        if not asks or told.clock not in ("response", "containment", "update", "help"):
            return
        thing, timer = self._about(told), self.seen.timer(told.timer)
        until = thing.paused_until
        is_kept = until is None or until <= told.created_at or bool(timer and timer.goes_up_from)
        assert is_kept, (
            f"Rule 8: {name_of(thing)} is paused until {until}, but its {told.clock} clock went on"
        )

    # --- all ---

    def _open(self) -> list[tuple[int, Thing]]:
        return [(pk, thing) for pk, thing in self.model.things.items() if thing.is_open]


RULES = (
    "everything_is_what_people_made_of_it",
    "nobody_answers_for_another",
    "rule_1_no_incident_is_silent",
    "promises_are_asked_about",
    "what_was_promised_is_owed",
    "a_fix_that_did_not_hold_is_called_into_question",
    "rule_2_a_condition_met_stops_its_clock",
    "rule_3_each_firing_tells_each_person_once",
    "rule_4_what_is_recorded_is_delivered_or_visibly_failed",
    "rule_5_nobody_is_skipped_quietly",
    "rule_6_no_storm_after_an_outage",
    "rule_7_somebody_watches_the_watcher",
    "rule_8_until_closed",
)


def _twice(counts: Counter[Any]) -> list[Any]:
    return [key for key, count in counts.items() if count > 1]
