"""Reading what changed: the timers of an incident follow its state."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from escalation.engine import asking, subjects, tick
from escalation.engine import reconcile as planning
from escalation.engine.reconcile import reconcile_batch
from escalation.models import Heartbeat, Policy, Run, Timer, TimerState, Unread
from escalation.policies import PolicyBook, publish
from incidents import lifecycle
from incidents.models import Incident

pytestmark = pytest.mark.django_db


def armed(incident) -> dict[str, Timer]:
    return {timer.clock: timer for timer in Timer.objects.armed().filter(incident=incident)}


def test_a_raised_incident_gets_its_run_and_its_timers(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    assert Run.objects.get(incident=incident).policy == PolicyBook.load().of(incident)
    assert {clock: t.due_at for clock, t in armed(incident).items()} == {
        "response": world.now,
        "closure": world.now + timedelta(hours=8),
    }
    assert not Unread.objects.exists()


def test_every_change_is_noted_by_the_database_even_when_made_in_sql(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE incidents_incident SET status='closed', closed_at=now(), version=version+1 WHERE id=%s",
            [incident.pk],
        )
    assert Unread.objects.filter(incident=incident).exists()
    reconcile_batch(world.now)
    assert not armed(incident)


def test_a_change_without_a_new_version_is_not_read(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    Incident.objects.filter(pk=incident.pk).update(title="Other words")
    assert not Unread.objects.exists()


def test_acknowledging_stops_the_response_clock_and_starts_the_next(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    reconcile_batch(world.now)
    assert set(armed(incident)) == {"containment", "update", "closure", "lapse", "help"}
    assert Timer.objects.get(clock="response").state == TimerState.CANCELLED


def test_reading_twice_changes_nothing(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    before = list(Timer.objects.order_by("id").values())
    Unread.objects.create(incident=incident)
    reconcile_batch(world.now + timedelta(seconds=30))
    assert list(Timer.objects.order_by("id").values()) == before


def test_a_pause_moves_the_step_and_lifting_it_makes_it_due_now(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    lifecycle.shelve(
        incident.number,
        by=world["tillery"],
        until=world.now + timedelta(hours=2),
        reason="Power test",
        now=world.now,
    )
    reconcile_batch(world.now)
    assert armed(incident)["response"].due_at == world.now + timedelta(hours=2)
    advance(minutes=30)
    lifecycle.unshelve(incident.number, by=world["tillery"], now=world.now)
    advance(minutes=0)
    assert told(incident)[-2:] == [(31, "brandt"), (31, "kowal")]
    assert not incident.notifications.exclude(note="").exists()


def test_a_pause_ends_by_itself(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    lifecycle.shelve(
        incident.number,
        by=world["tillery"],
        until=world.now + timedelta(hours=1),
        reason="Power test",
        now=world.now,
    )
    advance(minutes=59)
    assert len(told(incident)) == 2
    advance(minutes=2)
    assert told(incident)[2:] == [(61, "brandt"), (61, "kowal")]


def test_a_running_incident_keeps_the_policy_it_started_under(world, advance):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    old = Run.objects.get(incident=incident).policy
    Policy.objects.filter(pk=old.pk).update(is_current=False)
    Policy.objects.create(severity="S1", version=2, clocks=old.clocks)
    lifecycle.add_words(incident.number, by=world["petty"], words="Still blank", now=world.now)
    advance(minutes=1)
    assert Run.objects.get(incident=incident).policy == old


def test_a_severity_that_comes_back_to_a_shorter_ladder_goes_on_where_it_ends(world, advance):
    publish_response(world, steps=3)
    incident = world.raise_it("at_risk")
    advance(minutes=25)
    publish_response(world, steps=2)
    for severity in ("S1", "S2"):
        lifecycle.change_severity(
            incident.number, by=world["tillery"], severity=severity, reason="Seen", now=world.now
        )
        advance(minutes=1)
    assert not Unread.objects.exists()
    before = incident.timers.filter(clock="response", state=TimerState.FIRED, severity="S2").count()
    advance(minutes=6)
    assert (
        incident.timers.filter(clock="response", state=TimerState.FIRED, severity="S2").count() > before + 1
    )


def publish_response(world, *, steps: int) -> None:
    """A ladder of S2 that repeats each of its steps every 2 minutes, and goes up every 10."""
    ladder = [{"after": 10 * n, "roles": ["it_tech"], "channels": ["sms"], "repeat": 2} for n in range(steps)]
    clocks = Policy.objects.current().get(severity="S2").clocks | {"response": ladder}
    publish(by=None, severity="S2", clocks=clocks, why="Fewer steps", now=world.now)


def test_one_bad_row_is_set_aside_and_the_others_are_read(world, monkeypatch):
    good = [world.raise_it("stopped") for _unused in range(5)]
    bad = good.pop(2)
    real = planning.rules.wanted_timers

    def breaks(state, policy, fired=(), **more):
        if state.clocks_from == bad.clocks_from + timedelta(microseconds=1):
            raise ValueError("poison")
        return real(state, policy, fired, **more)

    Incident.objects.filter(pk=bad.pk).update(clocks_from=bad.clocks_from + timedelta(microseconds=1))
    monkeypatch.setattr(planning.rules, "wanted_timers", breaks)
    tick(now=world.now)
    assert all(armed(incident) for incident in good)
    mark = Unread.objects.get()
    assert (mark.incident, mark.failures) == (bad, 1)
    assert mark.not_before == world.now + timedelta(seconds=5)
    tick(now=world.now + timedelta(seconds=1))
    assert Unread.objects.get().failures == 1
    tick(now=world.now + timedelta(seconds=6))
    assert Unread.objects.get().failures == 2
    monkeypatch.undo()
    tick(now=world.now + timedelta(minutes=2))
    assert armed(bad)


def test_an_open_incident_without_a_timer_is_found_and_mended(world, caplog):
    incident = world.raise_it("stopped")
    tick(now=world.now)
    Timer.objects.armed().filter(incident=incident).update(state=TimerState.CANCELLED)
    Heartbeat.objects.all().delete()
    done = tick(now=world.now + timedelta(seconds=31))
    assert done.mended == 1
    assert armed(incident)
    assert "without an armed timer" in caplog.text


def test_reading_a_batch_takes_the_same_queries_for_many_as_for_few(world):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            reconcile_batch(world.now)
        return len(seen)

    for _unused in range(2):
        world.raise_it("stopped")
    few = queries()
    for _unused in range(30):
        world.raise_it("stopped")
    assert queries() == few


@pytest.mark.parametrize("lock", [subjects.LOCK_UNREAD, subjects.LOCK_DUE, asking.LOCK_ASKED])
def test_what_waits_looks_its_incident_up_and_never_walks_through_all_there_were(world, lock):
    """Also where the planner would rather not: a plain join then becomes a walk through the whole table."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = on")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {lock}", [world.now, 200])
        joins = cursor.fetchone()[0][0]["Plan"]["Plans"]
    assert [one["Node Type"] for one in joins] == ["Nested Loop"]
    assert [one["Node Type"] for one in joins[0]["Plans"][1]["Plans"]] == ["LockRows"]


def test_an_idle_turn_asks_the_database_little(world):
    world.raise_it("stopped")
    tick(now=world.now)
    later = world.now + timedelta(seconds=1)
    with CaptureQueriesContext(connection) as seen:
        tick(now=later)
    statements = [q["sql"] for q in seen if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    # Of these one for repeats that wait to be weighed and promises that wait to be asked about.
    assert len(statements) <= 8


def test_an_upgrade_gives_open_incidents_the_clocks_of_silence_and_takes_nothing_back(world, advance):
    owned, closed = world.raise_it("stopped"), world.raise_it("none")
    for incident in (owned, closed):
        lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now - timedelta(hours=9))
    lifecycle.close(closed.number, by=world["vela"], cause="x", agreed_by=world["jimenez"], now=world.now)
    reconcile_batch(world.now)
    Timer.objects.filter(clock__in=["lapse", "help"]).delete()  # as it was before
    upgrade = import_module("escalation.migrations.0005_silence_counts_from_now")
    with connection.schema_editor() as editor:
        upgrade.count_from_now(None, editor)
    assert set(Unread.objects.values_list("incident", flat=True)) == {owned.pk}
    asked = Incident.objects.get(pk=owned.pk).next_update_due
    assert asked is not None and abs(asked - timezone.now()) < timedelta(minutes=5)
    reconcile_batch(timezone.now())
    lapse = Timer.objects.get(incident=owned, clock="lapse")
    assert lapse.due_at == asked + timedelta(minutes=30)
