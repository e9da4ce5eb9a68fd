"""Each manager answers for themselves: who has not is asked again, and said not to have answered."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.answering import SEEN, TOOK_IT, answer, see
from escalation.asks import AGAIN, ASK_AGAIN_AFTER
from escalation.defaults import DEFAULT_CLOCKS
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState, Notification, Reason, Timer, Unread
from escalation.policies import publish
from incidents import lifecycle
from incidents.models import Event, EventKind, Incident, Severity
from plant.models import Person

pytestmark = pytest.mark.django_db

BOTH = ["tillery", "prewitt"]


def ask(severity: str, clock: str, n: int, **also: Any) -> None:
    """Let the n-th step of a default ladder ask its people for an answer."""
    clocks = deepcopy(DEFAULT_CLOCKS[severity])
    clocks[clock][n] |= {"answer": True, **also}
    publish(by=None, severity=severity, clocks=clocks, why="Each answers for themselves")


@pytest.fixture
def incident(world, advance) -> Incident:
    """A stopped line, 10 minutes old: the three managers were told, and asked to answer."""
    ask("S1", "response", 2, repeat=60)
    found = world.raise_it("stopped")
    advance(minutes=10)
    return found


def asked(incident: Incident, name: str) -> list[int]:
    """Minutes after it was raised at which this person was asked again."""
    rows = Notification.objects.filter(incident=incident, reason=Reason.ASKED_AGAIN, person__username=name)
    return [int((one.created_at - incident.raised_at).total_seconds() // 60) for one in rows]


def newest(incident: Incident, name: str) -> Notification:
    return Notification.objects.filter(incident=incident, person__username=name).latest("id")


def not_answered(incident: Incident) -> list[dict[str, Any]]:
    return list(incident.events.filter(kind=EventKind.NOT_ANSWERED).values_list("data", flat=True))


# --- asked again ---


def test_who_has_not_answered_is_asked_again_three_times(world, advance, incident):
    advance(minutes=45)
    assert asked(incident, "tillery") == [15, 20, 25]
    assert asked(incident, "prewitt") == [15, 20, 25]
    assert asked(incident, "vela") == []  # told by a step that asks nobody to answer


def test_one_managers_answer_does_not_silence_the_others_phone(world, advance, incident):
    answer(newest(incident, "tillery").token, now=world.now)
    advance(minutes=20)
    assert asked(incident, "tillery") == []
    assert asked(incident, "prewitt") == [15, 20, 25]


def test_asking_again_goes_by_the_same_way_with_the_same_weight(world, advance, incident):
    first = newest(incident, "tillery")
    advance(minutes=5)
    again = newest(incident, "tillery")
    same = ("clock", "timer_id", "role", "is_urgent", "wants_answer")
    assert [getattr(again, name) for name in same] == [getattr(first, name) for name in same]
    ways = [list(one.deliveries.values_list("channel", "rank").order_by("channel")) for one in (first, again)]
    assert ways[0] == ways[1] != []
    assert (again.reason, again.times_asked) == (Reason.ASKED_AGAIN, 2)
    first.refresh_from_db()
    assert (first.ask_again_at, again.ask_again_at) == (None, world.now + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("impact", "clock", "n", "told_at"),
    [("stopped", "response", 2, 10), ("at_risk", "response", 2, 30), ("workaround", "response", 1, 60)],
)
def test_how_soon_depends_on_how_bad_it_is(world, advance, impact, clock, n, told_at):
    severity = {"stopped": "S1", "at_risk": "S2", "workaround": "S3"}[impact]
    ask(severity, clock, n, roles=["it_manager"], repeat={"S1": 60, "S2": 240, "S3": 1440}[severity])
    incident = world.raise_it(impact)
    every = int(ASK_AGAIN_AFTER[severity].total_seconds() // 60)
    advance(minutes=told_at + 3 * every + 1)
    assert asked(incident, "hutchins") == [told_at + every * n for n in (1, 2, 3)]


def test_the_message_says_that_it_asks_again(world, advance, incident):
    advance(minutes=5)
    sms = newest(incident, "tillery").deliveries.get(channel="sms")
    assert "Asked 2 times, no answer." in sms.text
    letter = newest(incident, "tillery").deliveries.get(channel="email")
    assert "because you have not answered yet" in letter.text


def test_asking_again_is_in_the_timeline(world, advance, incident):
    advance(minutes=5)
    told = incident.events.filter(kind=EventKind.TOLD).latest("id")
    assert told.data["asked_again"] is True
    assert {one["name"] for one in told.data["people"]} == {"Hutchins", "Tillery", "Prewitt"}
    assert told.version == incident.version


# --- until when ---


def test_whoever_answers_any_of_the_messages_has_answered_all(world, advance, incident):
    first = newest(incident, "tillery")
    advance(minutes=6)
    answer(first.token, now=world.now)
    waiting = Notification.objects.filter(person=world["tillery"])
    assert not waiting.filter(answered_at=None).exists()
    assert not waiting.exclude(ask_again_at=None).exists()
    advance(minutes=30)
    assert asked(incident, "tillery") == [15]


def test_seen_on_a_screen_answers_too(world, advance, incident):
    see(incident, by=world["tillery"], now=world.now)
    advance(minutes=20)
    assert asked(incident, "tillery") == []


def test_taking_it_on_a_screen_answers_what_its_owner_was_asked(world, advance):
    ask("S1", "containment", 0)  # the specialist and the lead
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=16)
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    advance(minutes=6)
    mine = Notification.objects.get(incident=incident, person=world["brandt"], wants_answer=True)
    assert (mine.answer, mine.answered_by_channel) == (TOOK_IT, "screen")
    assert asked(incident, "brandt") == []
    assert asked(incident, "kowal") == [20]


def test_whoever_does_something_about_it_has_seen_it(world, advance, incident):
    lifecycle.add_words(incident.number, by=world["tillery"], words="Use line D2", now=world.now)
    advance(minutes=6)
    mine = Notification.objects.get(incident=incident, person=world["tillery"], wants_answer=True)
    assert (mine.answer, asked(incident, "tillery")) == (SEEN, [])


def test_a_condition_met_stops_the_asking(world, advance, incident):
    advance(minutes=6)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=15)
    assert asked(incident, "tillery") == [15]
    assert not Notification.objects.exclude(ask_again_at=None).exists()
    assert not_answered(incident) == []


def test_the_condition_is_asked_again_even_if_the_change_was_not_noted(world, incident):
    Incident.objects.filter(pk=incident.pk).update(
        status="acknowledged", owner=world["vela"], acknowledged_at=world.now
    )
    Unread.objects.all().delete()
    tick(now=world.now + timedelta(minutes=6))
    assert asked(incident, "tillery") == []


def test_nobody_is_asked_again_while_the_alerts_are_paused(world, advance, incident):
    until = world.now + timedelta(minutes=50)
    lifecycle.shelve(
        incident.number, by=world["okafor"], until=until, reason="Line is being cleaned", now=world.now
    )
    advance(minutes=49)
    assert asked(incident, "tillery") == []
    assert newest(incident, "tillery").ask_again_at == until
    advance(minutes=2)
    assert asked(incident, "tillery") == [60]
    assert "late" not in newest(incident, "tillery").note


def test_when_a_pause_is_lifted_they_are_asked_within_the_usual_time(world, advance, incident):
    until = world.now + timedelta(minutes=60)
    lifecycle.shelve(incident.number, by=world["okafor"], until=until, reason="Cleaning", now=world.now)
    advance(minutes=10)
    lifecycle.unshelve(incident.number, by=world["okafor"], now=world.now)
    advance(minutes=6)
    assert asked(incident, "tillery") == [25]


def test_made_worse_they_are_asked_sooner(world, advance):
    ask("S2", "response", 2)
    incident = world.raise_it("at_risk")
    advance(minutes=31)
    assert newest(incident, "jimenez").ask_again_at == incident.raised_at + timedelta(minutes=40)
    lifecycle.change_severity(
        incident.number, by=world["tillery"], severity=Severity.S1, reason="Two lines", now=world.now
    )
    advance(minutes=0)
    due = Notification.objects.filter(person=world["jimenez"]).exclude(ask_again_at=None).get().ask_again_at
    assert due == world.now + timedelta(minutes=5)


def test_somebody_who_left_is_not_asked(world, advance, incident):
    world["tillery"].is_active = False
    world["tillery"].save()
    advance(minutes=6)
    assert asked(incident, "tillery") == []


def test_a_re_ask_that_was_answered_a_second_ago_is_not_sent(world, incident):
    tick(now=world.now + timedelta(minutes=5))
    again = newest(incident, "tillery")
    answer(again.token, now=world.now + timedelta(minutes=5))
    from escalation import outbox

    outbox.drain(now=world.now + timedelta(minutes=5))
    assert set(again.deliveries.values_list("state", flat=True)) == {DeliveryState.DROPPED}


# --- once, and without a storm ---


def test_an_outage_ends_in_one_re_ask_that_says_it_was_late(world, advance, incident):
    world.now += timedelta(minutes=17)  # nothing ticked
    advance(minutes=0)
    assert asked(incident, "tillery") == [27]
    again = newest(incident, "tillery")
    assert "goes out 12 min late" in again.note
    assert again.ask_again_at == world.now + timedelta(minutes=5)
    told = incident.events.filter(kind=EventKind.TOLD, data__asked_again=True).get()
    assert told.data["late_s"] == 12 * 60


def test_the_same_time_never_asks_twice_however_often_the_engine_looks(world, incident):
    at = world.now + timedelta(minutes=5)
    for _unused in range(3):
        tick(now=at)
    assert asked(incident, "tillery") == [15]


def test_nobody_is_asked_again_for_what_has_not_gone_out(world):
    ask("S1", "response", 2, repeat=60)
    incident = world.raise_it("stopped")
    tick(now=world.now)
    tick(now=world.now + timedelta(minutes=10))  # queued, and no sender takes it
    for minutes in (15, 20, 25, 30, 35):
        tick(now=world.now + timedelta(minutes=minutes))
    assert asked(incident, "tillery") == []
    assert not_answered(incident) == []


def test_being_told_again_by_the_ladder_counts_as_being_asked(world, advance):
    ask("S1", "response", 2, repeat=12)
    incident = world.raise_it("stopped")
    advance(minutes=23)  # asked at 10, 15, 20, and at 22 by the ladder
    mine = Notification.objects.filter(person=world["tillery"], wants_answer=True)
    assert mine.exclude(ask_again_at=None).count() == 1
    advance(minutes=7)
    assert [one["times"] for one in not_answered(incident)] == [4, 4, 4]
    assert asked(incident, "tillery") == [15, 20]


def test_who_did_not_answer_is_told_again_by_the_ladder_but_not_asked_in_between(world, advance, incident):
    advance(minutes=50)
    assert len(not_answered(incident)) == 3
    advance(minutes=40)  # the ladder told everybody again at 70
    assert asked(incident, "tillery") == [15, 20, 25]
    assert len(not_answered(incident)) == 3


def test_a_new_clock_asks_anew(world, advance, incident):
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    advance(minutes=25)
    assert len(not_answered(incident)) == 3
    ask("S1", "containment", 1)
    other = world.raise_it("stopped")
    lifecycle.acknowledge(other.number, by=world["vela"], now=world.now)
    advance(minutes=36)
    assert asked(other, "tillery") == [35]
    assert clocks


@pytest.mark.parametrize("minutes", [15, 40])
def test_whom_two_clocks_ask_at_one_moment_is_asked_again_once(world, advance, minutes):
    """Containment and closure ask the same managers in one turn: on time, and after an outage."""
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    clocks["closure"][0] |= {"answer": True, "after": 15}
    clocks["containment"][0] |= {"answer": True, "roles": clocks["closure"][0]["roles"]}
    publish(by=None, severity="S1", clocks=clocks, why="Each answers for themselves")
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    tick(now=world.now)
    world.now += timedelta(minutes=minutes)
    advance(minutes=0)
    mine = Notification.objects.filter(incident=incident, person=world["tillery"])
    assert {one.clock for one in mine} == {"containment", "closure"}
    last = newest(incident, "tillery")
    assert (last.clock, last.is_urgent, last.ask_again_at) == (
        "containment",
        True,
        world.now + timedelta(minutes=5),
    )
    advance(minutes=16)
    assert asked(incident, "tillery") == asked(incident, "prewitt") == [minutes + n for n in (5, 10, 15)]


def test_whoever_stands_in_is_asked_by_one_message_alone(world, advance):
    """The lead was asked at 5, and stands in for the managers, of whom none can be reached, at 10."""
    clocks = deepcopy(DEFAULT_CLOCKS["S1"])
    for step in clocks["response"][1:]:
        step["answer"] = True
    publish(by=None, severity="S1", clocks=clocks, why="Each answers for themselves")
    incident = world.raise_it("stopped")
    advance(minutes=9)
    Person.objects.filter(username="prewitt").update(mobile="", email="")
    advance(minutes=1)
    mine = Notification.objects.filter(incident=incident, person=world["brandt"])
    assert mine.filter(reason=Reason.FALLBACK).exists()
    assert mine.exclude(ask_again_at=None).count() == 1


def test_one_bad_row_does_not_keep_the_others_from_being_asked(world, advance, monkeypatch):
    from escalation.engine import asking

    ask("S1", "response", 2, repeat=60)
    good, bad = world.raise_it("stopped"), world.raise_it("stopped")
    advance(minutes=10)
    real = asking._decide

    def breaks(plan, one, subject, now):
        if subject.pk == bad.pk:
            raise ValueError("poison")
        real(plan, one, subject, now)

    monkeypatch.setattr(asking, "_decide", breaks)
    tick(now=world.now + timedelta(minutes=5))
    assert (asked(good, "tillery"), asked(bad, "tillery")) == ([15], [])
    assert Unread.objects.get().incident == bad


def test_asking_many_takes_the_same_queries_as_asking_few(world, advance):
    from escalation.engine.asking import ask_again_batch

    def queries(count: int) -> int:
        for _unused in range(count):
            world.raise_it("stopped")
        advance(minutes=10)
        with CaptureQueriesContext(connection) as seen:
            ask_again_batch(world.now + timedelta(minutes=5))
        return len(seen)

    ask("S1", "response", 2, repeat=60)
    assert queries(2) == queries(8)


# --- in the end ---


def test_after_three_times_the_timeline_says_who_did_not_answer(world, advance, incident):
    see(incident, by=world["hutchins"], now=world.now)
    advance(minutes=21)
    said = not_answered(incident)
    assert [(one["name"], one["times"]) for one in said] == [("Tillery", 1 + AGAIN), ("Prewitt", 1 + AGAIN)]
    assert said[0]["since"] == (incident.raised_at + timedelta(minutes=10)).isoformat()
    event = incident.events.filter(kind=EventKind.NOT_ANSWERED).latest("id")
    assert event.at == incident.raised_at + timedelta(minutes=30)
    assert newest(incident, "tillery").ask_again_at is None


def test_who_does_not_answer_brings_the_next_level_forward(world, advance, told):
    ask("S1", "containment", 1)
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=51)
    assert (50, "okafor") in told(incident, clock="containment")  # planned for minute 60
    assert newest(incident, "okafor").note.endswith("has not answered, so this goes up now.")
    assert not_answered(incident)[0]["instead"] == "level"
    following = Timer.objects.armed().get(incident=incident, clock="containment")
    assert following.due_at == incident.raised_at + timedelta(minutes=120)  # which keeps its own time


def test_a_level_that_was_told_already_is_not_passed_over(world, advance, told):
    ask("S1", "containment", 0)  # the specialist and the lead, at 15: given up at 35, after level 30
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=40)
    assert not_answered(incident)[0]["instead"] == ""
    assert not Timer.objects.exclude(goes_up_from="").exists()
    assert (60, "okafor") not in told(incident)


def test_of_whom_nothing_ever_reached_nobody_says_that_they_kept_silent(world, advance, incident):
    gone = Delivery.objects.filter(notification__person=world["prewitt"])
    gone.update(state=DeliveryState.FAILED, sent_at=None, delivered_at=None, failed_at=world.now)
    for minutes in (5, 10, 15, 20):
        tick(now=world.now + timedelta(minutes=minutes))
        Delivery.objects.filter(state="queued", notification__person=world["prewitt"]).update(state="failed")
        Delivery.objects.filter(state="queued").update(state="sent", sent_at=world.now)
    assert [one["name"] for one in not_answered(incident)] == ["Hutchins", "Tillery"]


def test_what_is_asked_is_written_once_for_each_person_and_time(world, advance, incident):
    advance(minutes=30)
    again = Notification.objects.filter(reason=Reason.ASKED_AGAIN)
    assert again.count() == 9
    assert Event.objects.filter(kind=EventKind.TOLD, data__asked_again=True).count() == 3
