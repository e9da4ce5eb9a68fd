"""The seeded bugs: a few lines replaced in a copy of the product, never a switch in it."""

from __future__ import annotations

from dataclasses import dataclass, field

PROPERTIES = "tests/properties"
RACES = "tests/concurrency/test_taking_races_firing.py"
TICKERS = "tests/concurrency/test_many_tickers.py"
KILLED = "tests/concurrency/test_killed_while_sending.py"


@dataclass(frozen=True)
class Patch:
    """`old` stands exactly once in the file at `path`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A bug that somebody could write. `tests` are run in turn until one fails."""

    name: str
    what: str
    patches: tuple[Patch, ...]
    tests: tuple[str, ...] = field(default=(PROPERTIES,))


def one(name: str, what: str, path: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(name, what, (Patch(path, old, new),), tests or (PROPERTIES,))


MUTANTS = (
    # (a) remove the lock
    one(
        "engine-without-lock",
        "The engine fires without holding the incident's row",
        "escalation/engine/subjects.py",
        "WHERE id = waits.incident_id FOR UPDATE SKIP LOCKED",
        "WHERE id = waits.incident_id",
        PROPERTIES,
        TICKERS,
    ),
    one(
        "engine-waits-for-people",
        "The engine waits for a row that somebody holds, instead of going on with the others",
        "escalation/engine/subjects.py",
        "WHERE id = waits.incident_id FOR UPDATE SKIP LOCKED",
        "WHERE id = waits.incident_id FOR UPDATE",
    ),
    one(
        "people-without-lock",
        "People change an incident without holding its row",
        "incidents/models/incident.py",
        "self.select_for_update().filter(number=",
        "self.filter(number=",
        PROPERTIES,
        RACES,
    ),
    one(
        "firing-in-pieces",
        "What a firing writes is not one transaction",
        "escalation/engine/contained.py",
        """    ids: list[int] = []
    try:
        with transaction.atomic():
""",
        """    ids: list[int] = []
    try:
        if True:
""",
    ),
    # (b) mark before sending
    one(
        "marked-before-sent",
        "A message is marked as sent before it is handed over",
        "escalation/outbox/sending.py",
        """        if self._is_written(delivery):
""",
        """        if self._is_written(delivery):
            self._sent(delivery, Receipt("early", ""), provider)
""",
        PROPERTIES,
        KILLED,
    ),
    # (c) drop the nudge and the tick
    one(
        "no-nudge-and-no-tick",
        "Neither a nudge nor the tick of each second does anything",
        "escalation/engine/ticking.py",
        """    began = time.perf_counter()
""",
        """    if done := Ticked():
        return done
    began = time.perf_counter()
""",
    ),
    one(
        "tick-only-beats",
        "The tick does nothing but say that it is alive",
        "escalation/engine/ticking.py",
        """    began = time.perf_counter()
""",
        """    if done := Ticked():
        watch.beat(now or timezone.now(), heartbeat)
        return done
    began = time.perf_counter()
""",
    ),
    one(
        "changes-are-not-noted",
        "The trigger that notes a changed incident for the engine is gone",
        "escalation/migrations/0002_note_every_change.py",
        "AFTER UPDATE OF version ON incidents_incident",
        "AFTER UPDATE OF client_id ON incidents_incident",
    ),
    # (d) fire without asking the rules
    one(
        "rules-not-asked-again",
        "A due timer fires without asking the rules again",
        "escalation/engine/fire.py",
        "        return self.subject.is_read and rules.still_wanted(",
        "        return True or rules.still_wanted(",
    ),
    # others
    one(
        "next-step-not-armed",
        "A firing forgets to arm the step that follows",
        "escalation/engine/fire.py",
        "    copy_in(Timer, _TIMER, rows)\n",
        "    copy_in(Timer, _TIMER, rows if len(rows) > 1 else [])\n",
    ),
    one(
        "not-asked-before-a-send",
        "A message goes out without asking whether it is still needed",
        "escalation/outbox/sending.py",
        "        if standing_in.came_after_all(delivery) or not _is_needed(delivery.notification, self.now):",
        "        if standing_in.came_after_all(delivery):",
    ),
    one(
        "lease-never-ends",
        "What a dead sender held is never taken back",
        "escalation/outbox/claims.py",
        "            WHERE state = 'sending' AND (lease_until <= %(now)s OR lease_by NOT IN (",
        "            WHERE state = 'sending' AND false AND (lease_until <= %(now)s OR lease_by NOT IN (",
        PROPERTIES,
        KILLED,
    ),
    one(
        "lease-of-an-hour",
        "A sender may hold what it claimed for an hour",
        "escalation/outbox/claims.py",
        "LEASE = timedelta(seconds=90)",
        "LEASE = timedelta(hours=1)",
    ),
    one(
        "temporary-is-dropped",
        "A message that failed for now is dropped",
        "escalation/outbox/sending.py",
        "DeliveryState.QUEUED, now + pause(delivery, failure)",
        "DeliveryState.DROPPED, now + pause(delivery, failure)",
    ),
    one(
        "no-fallback",
        "What could not be delivered goes no other way",
        "escalation/outbox/fallback.py",
        "    if any(_may_arrive(one) for one in siblings if one.pk != delivery.pk):",
        "    if siblings:",
    ),
    one(
        "no-next-level",
        "Somebody who cannot be reached is not replaced by the next level",
        "escalation/outbox/fallback.py",
        "        what = _go_up(incident, notification, delivery, now)",
        '        what = {"instead": "channel"}',
    ),
    one(
        "empty-level-waits",
        "A level with nobody on shift waits for its successor's time",
        "escalation/recipients.py",
        "    return bool(needed) and set(needed) <= set(missing)",
        "    return False",
    ),
    one(
        "burst-after-an-outage",
        "What is missed is counted from when it was due, not from when it went out",
        "escalation/situation.py",
        "        return self.fired_at if self.was_late else self.due_at",
        "        return self.due_at",
    ),
    one(
        "late-says-nothing",
        "A late message does not say that it is late",
        "escalation/engine/notes.py",
        "        return self.late > ON_TIME and not self.timer.goes_up_from",
        "        return False",
    ),
    one(
        "pause-is-ignored",
        "A manager's pause holds nothing back",
        "escalation/rules.py",
        "    return None if clock == CLOSURE or state.is_safety else state.shelved_until",
        "    return None",
    ),
    one(
        "pause-for-ever",
        "A pause may last as long as somebody likes",
        "incidents/lifecycle/deciding.py",
        "    if not now < until <= now + LONGEST_PAUSE:",
        "    if not now < until:",
    ),
    one(
        "pause-for-safety",
        "Alerts about safety can be paused",
        "incidents/lifecycle/deciding.py",
        '    if incident.is_safety:\n        raise Refused("safety_never_pauses"',
        '    if incident.is_safety and not reason:\n        raise Refused("safety_never_pauses"',
    ),
    one(
        "safety-can-be-lowered",
        "A floor call lowers safety",
        "incidents/lifecycle/deciding.py",
        "    if incident.is_safety and severity != Severity.S1:",
        "    if incident.is_safety and not reason:",
    ),
    one(
        "reminders-end-when-it-moves",
        "The reminder that it is still open ends when product moves",
        "escalation/rules.py",
        '    return state.status != "closed"\n\n\ndef owes_safety',
        '    return state.status not in ("closed", "contained")\n\n\ndef owes_safety',
    ),
    one(
        "watcher-sleeps",
        "Nobody notices that the engine has stopped",
        "escalation/watch.py",
        "    if facts.ticked_at is None or now - facts.ticked_at > SILENT_AFTER:",
        "    if facts.ticked_at is None or now - facts.ticked_at > SILENT_AFTER * 1000:",
    ),
    one(
        "auditor-sleeps",
        "Nobody looks for open incidents that wait for nothing",
        "escalation/engine/audit.py",
        '    if not watch.is_time_for("audit", now, every=EVERY):',
        "    if True:",
    ),
    one(
        "set-aside-for-a-day",
        "An incident that the engine stumbled over is left alone for a day",
        "escalation/engine/contained.py",
        "FIRST_PAUSE = timedelta(seconds=5)",
        "FIRST_PAUSE = timedelta(days=1)",
    ),
    one(
        "same-again-says-nothing",
        "A repeat is written down and fails no fix",
        "countermeasures/lifecycle/relapses.py",
        "    for fix in _being_proved(old, repeat.raised_at) if is_proving else ():",
        "    for fix in _being_proved(old, repeat.raised_at) if is_proving and not repeat else ():",
    ),
    one(
        "failed-fix-opens-nothing",
        "A fix that did not hold leaves its incident as if it had",
        "countermeasures/lifecycle/proving.py",
        "    if found.kind == Kind.PERMANENT and failed.incident.is_moving:",
        "    if found.kind == Kind.PERMANENT and failed.incident.is_moving and by is not None:",
    ),
    one(
        "promise-asked-about-once",
        "After a question about a promise the next one is not planned",
        "escalation/chasing/turn.py",
        "    channels = tell(tellings, now=now)\n    _arm(asked, now)\n",
        "    channels = tell(tellings, now=now)\n",
    ),
    one(
        "seen-stops-the-clock",
        "“I've seen it” takes the incident",
        "escalation/answering.py",
        "    took_it = take and _can_take(notification)",
        "    took_it = _can_take(notification)",
    ),
)
