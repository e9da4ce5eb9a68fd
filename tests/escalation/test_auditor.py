"""Rule 1: an open incident that waits for nothing is mended within a minute, and somebody hears of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from escalation import watch
from escalation.answering import TOOK_IT, answer
from escalation.engine import audit, own_trouble, tick
from escalation.engine import fire as firing
from escalation.engine import reconcile as planning
from escalation.models import Heartbeat, Notification, Reason, Timer, TimerState, Unread
from incidents import lifecycle
from incidents.models import OWN_TROUBLE, EventKind, Incident, Severity
from plant.models import RoleAssignment
from tests import factories as make

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def lose_timers(*incidents: Incident) -> None:
    Timer.objects.armed().filter(incident__in=incidents).update(state=TimerState.CANCELLED)


def is_armed(incident: Incident) -> bool:
    return Timer.objects.armed().filter(incident=incident).exists()


def own() -> list[Incident]:
    return list(Incident.objects.filter(category__code=OWN_TROUBLE).order_by("number"))


def tick_for(start: datetime, *, seconds: int, every: int = 1) -> datetime:
    for passed in range(0, seconds + 1, every):
        tick(now=start + timedelta(seconds=passed))
    return start + timedelta(seconds=seconds)


@pytest.fixture
def silent(world) -> Incident:
    """A stopped line that was told about, and lost its timers."""
    found = world.raise_it("stopped")
    tick(now=world.now)
    lose_timers(found)
    return found


@pytest.fixture
def poison(world, monkeypatch) -> Incident:
    """An incident that the engine can never read."""
    bad = world.raise_it("stopped")
    real = planning.rules.wanted_timers

    def breaks(state, *asked, **also):
        if state.clocks_from == bad.clocks_from:
            raise ValueError("poison")
        return real(state, *asked, **also)

    monkeypatch.setattr(planning.rules, "wanted_timers", breaks)
    world.now += timedelta(seconds=1)
    return bad


# --- mended ---


def test_an_incident_without_a_timer_is_mended_and_recorded_within_a_minute(world, silent):
    start = world.now + timedelta(seconds=1)
    tick_for(start, seconds=59)
    assert is_armed(silent)
    (record,) = own()
    assert silent.code in record.words
    assert record.raised_at - start <= MINUTE


def test_mending_does_not_depend_on_recording(world, silent, monkeypatch, caplog):
    def breaks(*_unused):
        raise ValueError("no record today")

    monkeypatch.setattr(own_trouble, "report", breaks)
    done = tick(now=world.now + MINUTE)
    assert done.mended == 1
    assert is_armed(silent)
    assert own() == []
    assert "could not be recorded" in caplog.text


def test_a_record_that_fails_once_is_written_all_the_same(world, silent, monkeypatch):
    real, calls = own_trouble.report, []

    def stumbles(*asked):
        calls.append(asked)
        if len(calls) == 1:
            raise ValueError("a query was given up")
        real(*asked)

    monkeypatch.setattr(own_trouble, "report", stumbles)
    tick(now=world.now + MINUTE)
    assert is_armed(silent)
    assert len(own()) == 1


def test_whoever_dies_between_mending_and_recording_has_done_neither(world, silent, monkeypatch):
    """What is mended is not found again, so that its record would be lost for good."""

    class Killed(BaseException):
        pass

    def dies(*_unused):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(own_trouble, "report", dies)
        with pytest.raises(Killed):
            tick(now=world.now + MINUTE)
    assert not is_armed(silent)
    assert own() == []
    tick(now=world.now + MINUTE + audit.EVERY)
    assert is_armed(silent)
    assert len(own()) == 1


def test_a_record_that_breaks_half_way_leaves_nothing_behind(world, silent, monkeypatch):
    def breaks(*_unused, **_also):
        raise ValueError("nobody to ask")

    monkeypatch.setattr(own_trouble, "_assign", breaks)
    tick(now=world.now + MINUTE)
    assert is_armed(silent)
    assert own() == []


def test_what_is_closed_waits_for_nothing_and_that_is_right(world, silent):
    Incident.objects.filter(pk=silent.pk).update(status="closed", closed_at=world.now)
    Unread.objects.all().delete()
    assert tick(now=world.now + MINUTE).mended == 0
    assert own() == []


def test_an_incident_that_changed_a_moment_ago_is_not_silent(world):
    world.raise_it("stopped")  # noted, and not read yet
    audit.mend_silent(world.now)
    assert own() == []


# --- told ---


def test_the_it_manager_on_duty_is_asked_to_take_it_and_told_at_once(world, advance, silent):
    advance(minutes=1)
    (record,) = own()
    assert (record.assigned_to, record.raised_by) == (world["hutchins"], None)
    assert record.severity == Severity.S3
    told = Notification.objects.get(incident=record, reason=Reason.ASSIGNED)
    assert told.person == world["hutchins"]
    sms = told.deliveries.get(channel="sms")
    assert sms.sent_at is not None
    assert record.code in sms.text
    assert answer(told.token, now=world.now).notification.answer == TOOK_IT


def test_it_is_said_in_plain_words_with_the_numbers_in_the_technical_detail(world, silent):
    tick(now=world.now + MINUTE)
    (record,) = own()
    assert record.title == "OpsDesk had lost the next alert of an open problem"
    assert record.words == (
        f"Nobody would have been told of {silent.code} any more. The next alert is planned again."
    )
    assert f"no armed timer and no unread change: {silent.code}" in record.technical


def test_without_an_it_manager_it_goes_up_its_ladder_like_any_other(world, advance, told, silent):
    RoleAssignment.objects.filter(role="it_manager").delete()
    advance(minutes=1)
    (record,) = own()
    assert record.assigned_to is None
    assert told(record)[0] == (0, "vela")


def test_the_record_is_looked_after_like_any_other_incident(world, silent):
    tick(now=world.now + MINUTE)
    (record,) = own()
    assert is_armed(record)


# --- once ---


def test_there_is_never_a_second_open_one_for_a_site(world, silent):
    tick(now=world.now + MINUTE)
    other = world.raise_it("at_risk")
    tick(now=world.now + 2 * MINUTE)
    lose_timers(other)
    tick(now=world.now + 3 * MINUTE)
    (record,) = own()
    added = record.events.filter(kind=EventKind.WORDS_ADDED).latest("id")
    assert other.code in added.words
    assert other.code in record.technical


def test_the_same_incident_is_added_once_an_hour(world, silent):
    for minute in range(1, 62):
        lose_timers(silent)
        tick(now=world.now + minute * MINUTE)
    (record,) = own()
    said = record.events.filter(kind=EventKind.WORDS_ADDED)
    assert [bool(one.words) for one in said] == [False, True]


def test_a_closed_record_makes_room_for_a_new_one(world, silent):
    tick(now=world.now + MINUTE)
    (first,) = own()
    lifecycle.acknowledge(first.number, by=world["hutchins"], now=world.now + MINUTE)
    lifecycle.close(
        first.number,
        by=world["hutchins"],
        cause="A bad row",
        agreed_by=world["jimenez"],
        now=world.now + MINUTE,
    )
    tick(now=world.now + MINUTE)
    lose_timers(silent)
    tick(now=world.now + 2 * MINUTE)
    assert [one.status for one in own()] == ["closed", "raised"]


def test_every_site_hears_of_its_own(world, silent):
    floor = make.make_floor(code="OTH")
    other = make.raise_(floor, now=world.now)
    tick(now=world.now)
    lose_timers(silent, other)
    tick(now=world.now + MINUTE)
    assert {(one.site_id, silent.code in one.words, other.code in one.words) for one in own()} == {
        (world.site.pk, True, False),
        (floor.site.pk, False, True),
    }


def test_it_is_never_about_itself(world, silent):
    tick(now=world.now + MINUTE)
    (record,) = own()
    before = record.events.count()
    lose_timers(record)
    done = tick(now=world.now + 2 * MINUTE)
    assert done.mended == 1
    assert is_armed(record)
    assert own() == [record]
    assert record.events.count() == before


def test_two_auditors_at_once_find_it_once(world, silent):
    Heartbeat.objects.filter(name="audit").delete()
    assert [audit.mend_silent(world.now + MINUTE) for _unused in range(2)] == [1, 0]
    assert len(own()) == 1


# --- what the engine cannot work on ---


def test_an_incident_that_is_set_aside_is_reported_within_a_minute(world, poison):
    start = world.now
    tick_for(start, seconds=59)
    (record,) = own()
    assert record.title == "OpsDesk cannot send the next alert of an open problem"
    assert f"Nobody is told about {poison.code} until this is mended." in record.words
    assert record.raised_at - start <= MINUTE
    assert record.assigned_to == world["hutchins"]


def test_a_step_that_can_never_be_taken_is_reported_and_named_too(world, monkeypatch):
    """It can be read, so its failures are counted anew each time; but nobody is told."""
    bad, real = world.raise_it("stopped"), firing._event

    def breaks(one, now):
        if one.subject.pk == bad.pk:
            raise ValueError("poison")
        return real(one, now)

    monkeypatch.setattr(firing, "_event", breaks)
    end = tick_for(world.now, seconds=70)
    (record,) = own()
    assert f"Nobody is told about {bad.code} until this is mended." in record.words
    assert record.raised_at - world.now <= MINUTE
    sentence = watch.engine_is_ticking(end)
    assert sentence is not None
    assert f"steps are not taken when they are due ({bad.code})" in sentence


def test_many_steps_that_wait_their_turn_are_no_reason_to_report(world):
    world.raise_it("stopped")
    tick(now=world.now)
    Heartbeat.objects.filter(name="audit").delete()
    tick(now=world.now + timedelta(hours=1))  # after an outage
    assert own() == []


def test_one_bad_moment_is_no_reason_to_report(world, poison):
    tick_for(world.now, seconds=6)
    assert Unread.objects.get().failures == 2
    Heartbeat.objects.filter(name="audit").delete()
    tick(now=world.now + timedelta(seconds=7))
    assert own() == []


def test_what_stays_set_aside_is_named_where_it_is_said_that_alerts_do_not_go_out(world, poison):
    end = tick_for(world.now, seconds=70)
    sentence = watch.engine_is_ticking(end)
    assert sentence is not None
    assert f"changes cannot be read ({poison.code})" in sentence


def test_only_the_first_few_are_named(world, poison):
    others = [world.raise_it("stopped") for _unused in range(5)]
    for one in others:
        Incident.objects.filter(pk=one.pk).update(clocks_from=poison.clocks_from)
    end = tick_for(world.now, seconds=70)
    sentence = watch.engine_is_ticking(end)
    assert sentence is not None
    assert sentence.count("INC-") == watch.NAMED


def test_what_can_be_read_again_is_told_again(world, poison, monkeypatch):
    tick_for(world.now, seconds=59)
    monkeypatch.undo()
    end = tick_for(world.now + MINUTE, seconds=61)
    assert is_armed(poison)
    assert watch.engine_is_ticking(end) is None
