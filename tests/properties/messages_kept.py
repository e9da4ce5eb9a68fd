"""Rules 4 and 5 (domain §4): what becomes of each message, and of whom it does not reach."""

from __future__ import annotations

from datetime import datetime

from tests.properties import numbers
from tests.properties.seen import Delivery, Event, Notification, Timer
from tests.properties.watching import Watching, name_of

HANDED_OVER = ("sent", "delivered")
HAPPENS_BY_ITSELF = {"raised", "told", "not_reached", "not_answered", "chased"}
"""What the timeline says of the system's own doing: no reason to leave a message unsent."""
NEWS = {"update", "told_picked_up", "told_moving", "told_closed", "told_reopened", "told_holds"}
"""Said to those who have heard of the incident."""


class MessagesKept(Watching):
    """Beside the other rules."""

    # --- 4 ---

    def rule_4_what_is_recorded_is_delivered_or_visibly_failed(self) -> None:
        """Nothing counts as sent that was not handed over; in the end nothing is left over."""
        of = self.seen.deliveries_of()
        without = [pk for pk in self.seen.notifications if pk not in of]
        assert not without, f"Rule 4: notifications without a message: {without}"
        handed = self.provider.counts()
        for one in self.seen.deliveries:
            if one.state in HANDED_OVER:
                assert handed[one.id], f"Rule 4: message {one.id} counts as {one.state}; nobody ever got it"
            if one.state == "failed":
                assert one.error and one.failed_at, f"Rule 4: message {one.id} failed, and nothing says why"
            if one.state == "sending" and one.lease_until is not None:
                assert one.lease_until <= self.now + numbers.LEASE_AT_MOST, (
                    f"Rule 4: message {one.id} is held until {one.lease_until} by a sender that may be dead"
                )
        for one in self.seen.newly_dropped:
            self._was_rightly_dropped(one)
        if self.over_since is not None:
            told = self.seen.notifications
            before = [
                one for one in self.seen.deliveries if told[one.notification].created_at <= self.over_since
            ]
            left = [one for one in before if not self._is_settled(one)]
            assert not left, f"Rule 4: hours later these messages are neither delivered nor failed: {left}"

    def _is_settled(self, one: Delivery) -> bool:
        return self.seen.state_of(one) in ("failed", "dropped", *HANDED_OVER)

    def _was_rightly_dropped(self, delivery: Delivery) -> None:
        """Only what is met, answered or overtaken may go unsent: nothing is, when nothing has happened."""
        told = self.seen.notifications[delivery.notification]
        for one in self.seen.deliveries:
            if one.bundled_into == delivery.id and one.state == "bundled":
                self._was_rightly_dropped(one)
        if told.incident is None:
            return
        is_overtaken = told.is_answered or (told.reason in NEWS and not self._has_heard(told))
        assert is_overtaken or self._something_happened_since(told), (
            f"Rule 4: message {delivery.id} ({told.reason} {told.clock}) about {name_of(self._about(told))} "
            "was dropped, and nothing has happened since it was recorded"
        )
        self._its_clock_has_stopped(delivery, told)

    def _has_heard(self, told: Notification) -> bool:
        """Whether anything about the incident was handed over to this person before."""
        about = {
            one.id
            for one in self.seen.notifications.values()
            if one.incident == told.incident and one.person == told.person and one.reason not in NEWS
        }
        return any(
            one.notification in about and self.seen.state_of(one) in HANDED_OVER
            for one in self.seen.deliveries
        )

    def _something_happened_since(self, told: Notification) -> bool:
        """Since its step went out: who stands in for somebody who was not reached hears later."""
        timer = self.seen.timer(told.timer)
        since = min(told.created_at, timer.fired_at) if timer and timer.fired_at else told.created_at
        return any(
            one.incident == told.incident
            and one.at >= since
            and one.kind not in HAPPENS_BY_ITSELF
            and str(one.id) != told.about_event
            for one in self.seen.events
        )

    def _its_clock_has_stopped(self, delivery: Delivery, told: Notification) -> None:
        """A step's message may go unsent only when its condition was met, or its clock began anew."""
        timer = self.seen.timer(told.timer)
        if told.reason not in ("step", "fallback") or timer is None or told.clock not in numbers.CLOCKS:
            return
        thing = self._about(told)
        if timer.clock == "update" or timer.epoch != thing.since(timer.clock):
            return
        still = {"response": {"raised"}, "containment": thing.stuck}
        is_on = thing.was <= still.get(
            timer.clock, {"raised", "acknowledged", "contained", "reopened", "resolved"}
        )
        assert not is_on, (
            f"Rule 4: message {delivery.id} about {name_of(thing)} was dropped; its {timer.clock} clock runs"
        )

    # --- 5 ---

    def rule_5_nobody_is_skipped_quietly(self) -> None:
        """A failed urgent message goes another way, then to the next level, and the timeline says so."""
        of = self.seen.deliveries_of()
        for delivery in self.seen.deliveries:
            told = self.seen.notifications[delivery.notification]
            if self.seen.state_of(delivery) == "failed" and told.is_urgent and told.incident:
                self._went_another_way(told, of[told.id])
        happened = {
            "level": self._the_next_level_is_due,
            "told": self._a_higher_level_was_told,
            "pause": self._a_pause_holds_everybody_back,
        }
        for event in self.seen.new_events:
            if event.kind == "not_reached" and event.data.get("instead") in happened:
                happened[event.data["instead"]](event)
        for timer in self.seen.newly_fired:
            self._an_empty_level_goes_up(timer)

    def _went_another_way(self, told: Notification, siblings: list[Delivery]) -> None:
        if told.is_answered or any(self.seen.state_of(one) != "failed" for one in siblings):
            return  # whoever has answered has got it
        thing, tried = self._about(told), {one.channel for one in siblings}
        untried = self.addresses[told.person] - tried
        assert not untried, f"Rule 5: person {told.person} of {name_of(thing)} was not tried by {untried}"
        said = [
            one.data
            for one in self.seen.events
            if one.incident == told.incident
            and one.kind == "not_reached"
            and one.data.get("id") == told.person
        ]
        assert said, (
            f"Rule 5: the timeline of {name_of(thing)} does not say that {told.person} was not reached"
        )
        instead = {one.get("instead") for one in said}
        assert instead & {"level", "told", "person", "pause", ""}, (
            f"Rule 5: person {told.person} of {name_of(thing)} was not reached, and nobody heard instead"
        )

    def _the_next_level_is_due(self, event: Event) -> None:
        """What the timeline says happened instead did happen: the next level is due, or was told.

        A pause holds it back until its end, as it does everybody else."""
        latest = max(event.at, self.model.things[event.incident].paused_until or event.at)
        due = [
            one
            for one in self.seen.timers
            if one.incident == event.incident and one.step > 0 and one.due_at <= latest
            if one.state == "armed" or (one.fired_at and one.fired_at >= event.at)
        ]
        assert due, (
            f"Rule 5: the timeline says that {event.data['name']} was not reached, but nobody hears instead"
        )

    def _a_higher_level_was_told(self, event: Event) -> None:
        """What the timeline says was told already was: of the clock that this person was told by."""
        below = [
            timer
            for told in self.seen.notifications.values()
            if told.incident == event.incident and told.person == event.data["id"]
            if (timer := self.seen.timer(told.timer)) is not None
        ]
        fired = [one for one in self.seen.timers if one.fired_at and one.fired_at <= event.at]
        assert any(one[1:5] == timer[1:5] and one.step > timer.step for one in fired for timer in below), (
            f"Rule 5: the timeline says that the level above {event.data['name']} was told, but none was"
        )

    def _a_pause_holds_everybody_back(self, event: Event) -> None:
        thing = self.model.things[event.incident]
        assert not thing.is_safety and thing.paused_until and event.at < thing.paused_until, (
            f"Rule 5: the timeline says that {event.data['name']} was not reached in a pause: there is none"
        )

    def _an_empty_level_goes_up(self, timer: Timer) -> None:
        """The first level of response is the technicians; when none is on shift the next one hears now."""
        if timer.clock != "response" or (timer.step, timer.round) != (0, 0) or timer.severity == "S4":
            return
        thing = self.model.things[timer.incident]
        assert timer.fired_at is not None
        if thing.was != {"raised"} or self._technicians(timer.fired_at):
            return
        following = [
            one
            for one in self.seen.timers
            if one[1:5] == timer[1:5] and one.step > 0 and one.due_at <= timer.fired_at
        ]
        assert following, f"Rule 5: no technician is on shift, but {name_of(thing)} waits for the next level"

    def _technicians(self, at: datetime) -> set[str]:
        return set(self.crews[numbers.shift_at(at)]) - self.absent
