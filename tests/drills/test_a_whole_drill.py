"""A practice from its first message to its report, with the real engine and outbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from escalation import answering, pace
from escalation.channels import PermanentFailure
from escalation.channels.sandbox import Sandbox
from escalation.drills import running
from escalation.models import Delivery, Drill, Notification, Rank, Reason, Timer
from incidents import lifecycle
from incidents.models import Downtime, Event, EventKind, Impact, Status
from opsdesk.errors import NotAllowed, Refused
from plant.models import Person
from tests.factories import make_cover


@pytest.fixture
def drill(world: Any) -> Drill:
    return running.start(world.site, by=world["hutchins"], severity="S1", area=world.area, now=world.now)


def fresh(drill: Drill) -> Drill:
    return Drill.objects.select_related("incident").get(pk=drill.pk)


def everybody_answers(world: Any, drill: Drill, *but: str) -> None:
    """Whoever was asked and has not said so presses the button of their newest message."""
    waiting = Notification.objects.filter(incident=drill.incident, answered_at=None, wants_answer=True)
    for one in waiting.exclude(person__username__in=but).order_by("pk"):
        answering.answer(one.token, now=world.now)


def row(drill: Drill, person: Person) -> dict[str, Any]:
    return next(one for one in fresh(drill).report["people"] if one["id"] == person.pk)


def test_every_level_of_both_ladders_is_told_within_a_quarter_of_an_hour(
    world: Any, drill: Drill, advance: Callable[..., None], told: Callable[..., Any]
) -> None:
    advance(minutes=16)
    ended = fresh(drill)
    assert ended.ended_at is not None and ended.ended_at - ended.started_at <= pace.LONGEST
    assert {name for _minute, name in told(drill.incident, clock="response")} == {
        *("vela", "jimenez", "brandt", "kowal", "hutchins", "tillery", "prewitt")
    }
    assert {name for _minute, name in told(drill.incident, clock="containment")} == {
        *("brandt", "kowal", "hutchins", "tillery", "prewitt", "okafor", "fairbanks")
    }
    assert all(level["told_s"] is not None for level in ended.report["levels"])


def test_who_pressed_the_button_was_reached_and_who_did_not_was_not(
    world: Any, drill: Drill, advance: Callable[..., None]
) -> None:
    world["brandt"].mobile_verified_at = world.now
    world["brandt"].save(update_fields=["mobile_verified_at"])
    for _turn in range(30):
        advance(seconds=20)
        if fresh(drill).ended_at is None:
            everybody_answers(world, drill, "brandt", "kowal")
    advance(minutes=5)
    report = fresh(drill).report
    assert (report["missed"], report["asked"]) == (2, 9)
    assert row(drill, world["vela"])["reached"] and row(drill, world["vela"])["answered_s"] <= 40
    assert row(drill, world["brandt"])["why"] == "no_answer"
    assert row(drill, world["kowal"])["why"] == "unverified"


def test_the_it_manager_gets_the_report_once(world: Any, drill: Drill, advance: Callable[..., None]) -> None:
    advance(minutes=20)
    sent = Notification.objects.filter(reason=Reason.DRILL_REPORT)
    assert [one.person.username for one in sent] == ["hutchins"]
    texts = {one.channel: one.text for one in Delivery.objects.filter(notification__in=sent)}
    assert texts["sms"].startswith("PRACTICE Final Assembly: 9 of 9 would not have been reached.")
    assert f"/drills/{drill.pk}/" in texts["sms"] and len(texts["sms"]) <= 160
    assert "Vela (IT technician): did not answer" in texts["email"]


def test_everybody_who_was_told_hears_once_that_it_is_over(
    world: Any, drill: Drill, advance: Callable[..., None]
) -> None:
    advance(minutes=20)
    asked = Notification.objects.filter(incident=drill.incident, reason=Reason.STEP)
    ends = Notification.objects.filter(incident=drill.incident, reason=Reason.TOLD_CLOSED)
    assert sorted(one.person_id for one in ends) == sorted({one.person_id for one in asked})
    assert not Notification.objects.filter(incident=drill.incident, reason=Reason.TOLD_PICKED_UP).exists()
    assert "This was practice. Nothing was wrong." in Delivery.objects.filter(notification__in=ends)[0].text


def test_every_message_says_that_it_is_practice_and_asks_for_the_button(
    world: Any, drill: Drill, advance: Callable[..., None]
) -> None:
    advance(minutes=8)
    sent = Delivery.objects.filter(notification__incident=drill.incident, channel="sms").exclude(text="")
    assert sent.count() > 5
    for one in sent:
        assert "PRACTICE: " in one.text and "I've seen it" in one.text and len(one.text) <= 160


def test_it_goes_the_urgent_way_but_behind_everything_real(
    world: Any, drill: Drill, advance: Callable[..., None]
) -> None:
    world["vela"].urgent_channels, world["vela"].normal_channels = ["sms"], ["email"]
    world["vela"].save(update_fields=["urgent_channels", "normal_channels"])
    advance(seconds=10)
    mine = Delivery.objects.filter(notification__incident=drill.incident, notification__person=world["vela"])
    assert [(one.channel, one.rank) for one in mine] == [("sms", Rank.QUIET)]
    assert mine[0].notification.is_urgent


def test_a_wrong_number_fails_over_and_is_reported(
    world: Any, drill: Drill, advance: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Sandbox.send

    def send(self: Any, delivery: Delivery) -> Any:
        if delivery.notification.person == world["tillery"]:
            raise PermanentFailure("unknown number")
        return right(self, delivery)

    monkeypatch.setattr(Sandbox, "send", send)
    advance(minutes=16)
    found = row(drill, world["tillery"])
    assert found["why"] == "failed"
    assert {way["channel"] for way in found["ways"]} == {"sms", "email"}
    assert {way["error"] for way in found["ways"]} == {"unknown number"}


def test_who_has_no_number_and_no_address_is_named(world: Any, advance: Callable[..., None]) -> None:
    Person.objects.filter(pk=world["kowal"].pk).update(mobile="", email="")
    Person.objects.filter(pk=world["brandt"].pk).update(mobile="")
    drill = running.start(world.site, by=None, severity="S1", area=world.area, now=world.now)
    advance(minutes=16)
    assert row(drill, world["kowal"])["why"] == "no_address"
    assert row(drill, world["brandt"])["why"] == "no_number"


def test_a_level_with_nobody_on_shift_goes_up_at_once_and_is_reported(
    world: Any, advance: Callable[..., None]
) -> None:
    for name in ("brandt", "kowal"):
        make_cover(world[name], starts_at=world.now - timedelta(hours=1))
    drill = running.start(world.site, by=None, severity="S1", area=world.area, now=world.now)
    advance(minutes=16)
    level = fresh(drill).report["levels"][1]
    assert set(level["missing"]) == {"it_lead", "it_specialist"}
    sent = Notification.objects.get(reason=Reason.DRILL_REPORT)
    assert set(sent.data["empty"]) == {"it_lead", "it_specialist"}


def test_nobody_is_reached_and_it_says_so(world: Any, advance: Callable[..., None]) -> None:
    Person.objects.exclude(username="hutchins").update(mobile="", email="")
    drill = running.start(world.site, by=None, severity="S2", area=world.area, now=world.now)
    advance(minutes=20)
    report = fresh(drill).report
    assert report["missed"] == report["asked"] > 4


# --- while it runs ---


def test_taking_it_is_thanked_and_breaks_nothing(
    world: Any, drill: Drill, advance: Callable[..., None], told: Callable[..., Any]
) -> None:
    advance(seconds=5)
    lifecycle.acknowledge(drill.incident.number, by=world["vela"], now=world.now)
    lifecycle.acknowledge(drill.incident.number, by=world["vela"], now=world.now)
    assert fresh(drill).incident.status == Status.RAISED
    assert Event.objects.filter(incident=drill.incident, kind=EventKind.SEEN).count() == 1
    advance(seconds=100)
    assert fresh(drill).incident.owner == world["vela"]
    advance(minutes=15)
    assert ("fairbanks") in {name for _minute, name in told(drill.incident)}
    found = row(drill, world["vela"])
    assert (found["reached"], found["answer"]) == (True, "took_it")


def test_nobody_can_work_on_it_close_it_or_open_it_again(world: Any, drill: Drill) -> None:
    number, tech = drill.incident.number, world["vela"]
    with pytest.raises(NotAllowed, match="This is practice"):
        lifecycle.contain(number, by=tech, what="Spare printer", now=world.now)
    with pytest.raises(NotAllowed, match="This is practice"):
        lifecycle.arrive(number, by=tech, now=world.now)
    with pytest.raises(NotAllowed, match="This is practice"):
        lifecycle.shelve(
            number, by=world["tillery"], until=world.now + timedelta(hours=1), reason="Noise", now=world.now
        )
    with pytest.raises(NotAllowed, match="This is practice"):
        lifecycle.stop_line(number, by=tech, line=world.line, now=world.now)
    running.stop(drill.pk, by=world["hutchins"], now=world.now)
    with pytest.raises(NotAllowed, match="This is practice"):
        lifecycle.reopen(number, by=world["jimenez"], reason="Again", now=world.now)


def test_no_line_counts_as_down(world: Any, drill: Drill, advance: Callable[..., None]) -> None:
    lifecycle.raise_incident(
        by=None, category=world.category, impact=Impact.STOPPED, line=world.line, is_drill=True, now=world.now
    )
    advance(minutes=16)
    assert not Downtime.objects.exists()


def test_a_real_stop_ends_it_at_once(world: Any, drill: Drill, advance: Callable[..., None]) -> None:
    advance(seconds=30)
    real = world.raise_it("stopped")
    advance(seconds=10)
    alarm = Delivery.objects.get(notification__incident=real, notification__person=world["vela"])
    assert (alarm.state, alarm.rank) == ("delivered", Rank.URGENT)
    ended = fresh(drill)
    assert ended.ended_at is not None
    assert (ended.report["why"], ended.report["real"]) == ("real", real.code)
    assert ended.incident.status == Status.CLOSED
    assert not Timer.objects.armed().filter(incident=drill.incident).exists()
    before = Notification.objects.filter(incident=drill.incident, reason=Reason.STEP).count()
    advance(minutes=16)
    assert Notification.objects.filter(incident=drill.incident, reason=Reason.STEP).count() == before


def test_who_had_no_time_to_answer_is_not_blamed(
    world: Any, drill: Drill, advance: Callable[..., None]
) -> None:
    advance(seconds=30)
    everybody_answers(world, drill, "jimenez")
    running.stop(drill.pk, by=world["tillery"], now=world.now)
    report = fresh(drill).report
    assert report["missed"] == 0 and report["by"] == "Tillery"
    assert row(drill, world["jimenez"])["why"] == "no_time"


def test_a_small_real_thing_does_not_stop_it(world: Any, drill: Drill, advance: Callable[..., None]) -> None:
    world.raise_it("workaround")
    advance(seconds=30)
    assert fresh(drill).ended_at is None


def test_one_that_nobody_moved_on_is_ended_and_reported_by_the_next_look(world: Any, drill: Drill) -> None:
    world.now += running.GIVE_UP + timedelta(minutes=1)
    running.look(now=world.now)
    running.look(now=world.now)
    ended = fresh(drill)
    assert ended.report["why"] == "unfinished"
    assert Notification.objects.filter(reason=Reason.DRILL_REPORT).count() == 1


def test_looking_late_leaves_nobody_out(
    world: Any, drill: Drill, advance: Callable[..., None], told: Callable[..., Any]
) -> None:
    advance(minutes=12, turn=100)
    assert "fairbanks" in {name for _minute, name in told(drill.incident)}


# --- who may ---


def test_only_it_managers_practise_and_managers_stop(world: Any, drill: Drill) -> None:
    with pytest.raises(NotAllowed, match="Only an IT manager"):
        running.start(world.site, by=world["brandt"], severity="S1", now=world.now)
    with pytest.raises(NotAllowed):
        running.stop(drill.pk, by=world["vela"], now=world.now)
    running.stop(drill.pk, by=world["okafor"], now=world.now)
    assert fresh(drill).report["by"] == "Okafor"


def test_nobody_practises_beside_a_real_stop_or_another_practice(world: Any, drill: Drill) -> None:
    with pytest.raises(Refused, match="Another practice is running"):
        running.start(world.site, by=world["hutchins"], severity="S1", now=world.now)
    running.stop(drill.pk, by=world["hutchins"], now=world.now)
    real = world.raise_it("stopped")
    with pytest.raises(Refused, match=real.code):
        running.start(world.site, by=world["hutchins"], severity="S1", now=world.now)
