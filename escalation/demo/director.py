"""Puts the acts of many stories in order of time, and lets the engine work at every moment in between."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from datetime import datetime

from django.apps import apps
from django.db import connection
from django.db.models import F, Q

from escalation.demo.play import Moments
from escalation.engine import tick
from escalation.models import Clock, Delivery, Timer, TimerState, Unread
from escalation.outbox import deliver_due
from escalation.policies import clocks_of
from escalation.rules import repeat_after
from incidents.models import Event, EventKind

WRITTEN = ("plant", "incidents", "countermeasures", "escalation")
"""The apps whose tables a story writes."""

ANALYZE_EVERY = 100
"""Acts between two looks of PostgreSQL at what was written."""

QUIET = {
    EventKind.ARRIVED,
    EventKind.CAUSE,
    EventKind.COUNTERMEASURE,
    EventKind.FLOOR_CONFIRMED,
    EventKind.LINE_RUNNING,
    EventKind.LINE_STOPPED,
    EventKind.WAITING,
    EventKind.WORDS_ADDED,
}
"""What moves no clock and is news for nobody: the engine reads it the next time it looks."""

NEXT_DUE = """
SELECT least(
    (SELECT min(due_at) FROM escalation_timer WHERE state = 'armed'),
    (SELECT min(ask_again_at) FROM escalation_notification WHERE ask_again_at IS NOT NULL),
    (SELECT min(not_before) FROM escalation_delivery WHERE state = 'queued')
)
"""


def next_number(number: int) -> None:
    """The next incident raised gets this number: stories keep the order of the file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('incident_number', %s, false)", [number])


def analyze() -> None:
    """Tell the planner of the rows of this open transaction: without it some queries take 70 ms.

    The tables are named: without names PostgreSQL also reads the catalogs that all databases share, and holds
    them until the transaction ends.
    """
    tables = [model._meta.db_table for label in WRITTEN for model in apps.get_app_config(label).get_models()]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(map(connection.ops.quote_name, tables))}")


class Director:
    """A moved clock for the whole plant."""

    def __init__(self, *, keeps_reminders_from: datetime) -> None:
        self.keeps_reminders_from = keeps_reminders_from
        self.acts = 0

    def tell(self, plays: Mapping[int, Moments], *, until: datetime) -> None:
        """All acts of all plays, by incident number, in order of time up to `until`; the engine sees each."""
        waiting = [(at, n, play) for n, play in plays.items() if (at := next(play, None)) is not None]
        heapq.heapify(waiting)
        while waiting and waiting[0][0] <= until:
            at, n, play = heapq.heappop(waiting)
            self.work_until(at)
            next_number(n)
            then = next(play, None)
            self._after_act(at)
            if then is not None:
                heapq.heappush(waiting, (max(then, at), n, play))
        self.work_at(until)
        self.work_until(until)

    def work_at(self, at: datetime) -> None:
        """One turn of the engine and of every channel that has something to send."""
        tick(now=at)
        queued = Delivery.objects.queued().filter(not_before__lte=at)
        while channels := set(queued.order_by().values_list("channel", flat=True)):
            for channel in channels:
                deliver_due(channel, now=at)

    def work_until(self, at: datetime) -> None:
        """The engine works at every moment at which something is due before `at`."""
        while (due := _next_due()) is not None and due < at:
            if due < self.keeps_reminders_from and self._skip_reminder(due):
                continue
            self.work_at(due)

    def _after_act(self, at: datetime) -> None:
        self.acts += 1
        if self.acts % ANALYZE_EVERY == 0:
            analyze()
        if Event.objects.order_by("-pk").values_list("kind", flat=True)[0] not in QUIET:
            self.work_at(at)

    def _skip_reminder(self, due: datetime) -> bool:
        """Leave out the "still open" reminders of the quiet weeks: only those of the last days are kept.

        The timer becomes the last of the repeats before those days, fired on time; the next one is counted
        from it.
        """
        found = Timer.objects.armed().filter(due_at=due, clock=Clock.CLOSURE)
        timer = found.select_related("incident__run__policy").first()
        if timer is None:
            return False
        policy = clocks_of(timer.incident.run.policy)
        every = repeat_after(policy.closure, policy.severity)
        times = (self.keeps_reminders_from - due) // every
        timer.state, timer.round = TimerState.FIRED, timer.round + times
        timer.due_at = timer.fired_at = due + times * every
        timer.save(update_fields=["state", "round", "due_at", "fired_at"])
        Unread.objects.get_or_create(incident=timer.incident)
        tick(now=due)
        return True

    def tidy(self) -> None:
        """Take away left out reminders of a clock that ended before they would have come."""
        silent = Timer.objects.filter(clock=Clock.CLOSURE, state=TimerState.FIRED, notifications=None)
        ended = Q(fired_at__gt=F("incident__closed_at"))
        started_again = Q(epoch__lt=F("incident__reopened_at"), fired_at__gt=F("incident__reopened_at"))
        silent.filter(ended | started_again).delete()


def _next_due() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(NEXT_DUE)
        return cursor.fetchone()[0]
