"""Promises are asked about before, at and after their date, so that nobody has to nag a friend."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from countermeasures import lifecycle as fixes
from countermeasures.models import Countermeasure, Promise
from countermeasures.promises.models import PromiseKind
from escalation import outbox, watch
from escalation.chasing import turn as chasing
from escalation.chasing.turn import silent
from escalation.engine import tick
from escalation.gsm7 import septets
from escalation.models import (
    Chase,
    ChaseRule,
    Delivery,
    DeliveryState,
    Notification,
    Reason,
    Timer,
    TimerState,
)
from escalation.resending import resend
from incidents import lifecycle
from incidents.models import OWN_TROUBLE, Incident
from opsdesk.errors import Refused
from plant.models import CoverKind
from tests import factories as make
from tests.scenarios.world import World

DAY = timedelta(days=1)


@pytest.fixture
def fix(world: World) -> Countermeasure:
    """Promised by Vela for Friday 14 November: over at midnight, asked about on Saturday at eight."""
    incident = world.raise_it("workaround")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    return fixes.add(
        incident.number,
        by=world["vela"],
        kind="permanent",
        what="Pin the driver of the print server",
        owner=world["vela"],
        due_on=world.now.date() + 10 * DAY,
        strength="prevent",
        now=world.now,
    )


def promise_of(fix: Countermeasure) -> Promise:
    return Promise.objects.get(countermeasure=fix, kind=PromiseKind.FIX)


def at(world: World, day: int, hour: int = 8, minute: int = 0) -> datetime:
    """In November, by the plant's clock."""
    return datetime(2025, 11, day, hour, minute, tzinfo=world.site.tz)


def go(moment: datetime) -> set[str]:
    """A turn of the engine at that moment; returns the logins of who was asked about a promise by it."""
    before = set(Notification.objects.values_list("pk", flat=True))
    tick(now=moment)
    new = Notification.objects.filter(reason=Reason.PROMISE).exclude(pk__in=before)
    return set(new.values_list("person__username", flat=True))


def test_before_at_and_after_the_date_it_goes_up_one_by_one(world: World, fix: Countermeasure) -> None:
    assert go(world.now) == set()
    assert go(at(world, 13, 7, 59)) == set()
    assert go(at(world, 13)) == {"vela"}
    assert go(at(world, 14)) == set()
    assert go(at(world, 15)) == {"vela"}
    assert go(at(world, 16)) == {"vela", "brandt"}
    assert go(at(world, 18)) == {"brandt", "hutchins"}
    assert go(at(world, 22)) == {"hutchins", "tillery"}
    assert go(at(world, 29)) == {"hutchins", "tillery"}


def test_asking_twice_at_the_same_moment_asks_once(world: World, fix: Countermeasure) -> None:
    go(world.now)
    assert go(at(world, 13)) == {"vela"}
    assert go(at(world, 13)) == set()


def test_a_new_date_before_it_is_due_starts_anew(world: World, fix: Countermeasure) -> None:
    go(world.now)
    fixes.start(fix.pk, by=world["vela"], due_on=at(world, 24).date(), reason="No part", now=at(world, 12))
    assert go(at(world, 15)) == set()
    assert go(at(world, 23)) == {"vela"}


def test_kept_in_the_last_minute_nobody_is_asked(world: World, fix: Countermeasure) -> None:
    go(world.now)
    end = promise_of(fix)
    Promise.objects.filter(pk=end.pk).update(outcome="kept", ended_at=at(world, 12), is_unread=False)
    assert go(at(world, 15)) == set()
    assert not Chase.objects.filter(state=TimerState.ARMED, promise=end).exists()


def test_what_is_given_up_is_not_asked_about(world: World, fix: Countermeasure) -> None:
    go(world.now)
    fixes.withdraw(fix.pk, by=world["vela"], reason="Another way", now=at(world, 12))
    assert go(at(world, 15)) == set()


def test_another_owner_is_asked_instead(world: World, fix: Countermeasure) -> None:
    go(world.now)
    fixes.start(fix.pk, by=world["brandt"], owner=world["kowal"], due_on=fix.due_on, now=at(world, 6))
    assert go(at(world, 13)) == {"kowal"}


def test_who_stands_in_is_asked_instead_of_who_is_away(world: World, fix: Countermeasure) -> None:
    away: dict[str, Any] = {"starts_at": at(world, 12), "ends_at": at(world, 14), "kind": CoverKind.HOLIDAY}
    make.make_cover(world["vela"], stand_in=world["kowal"], **away)
    go(world.now)
    assert go(at(world, 13)) == {"kowal"}


def test_after_an_outage_one_question_is_asked_and_not_three(world: World, fix: Countermeasure) -> None:
    go(world.now)
    assert go(at(world, 20)) == {"vela"}
    assert go(at(world, 20, 8, 1)) == set()
    assert go(at(world, 21)) == {"vela", "brandt"}


def test_it_lives_on_when_the_incident_is_closed(world: World, fix: Countermeasure) -> None:
    go(world.now)
    number = fix.incident.number
    lifecycle.contain(number, by=world["vela"], what="Spare", expires_on=at(world, 10).date(), now=world.now)
    asked: dict[str, Any] = {"reason": "Old line", "review_on": at(world, 28).date(), "now": world.now}
    lifecycle.accept_no_fix(number, by=world["tillery"], **asked)
    go(world.now)
    assert not Timer.objects.armed().filter(incident=fix.incident).exists()
    fixes.take_off(fix.incident.countermeasures.exclude(pk=fix.pk).get().pk, by=world["vela"], now=world.now)
    assert go(at(world, 13)) == {"vela"}


def test_an_it_manager_may_change_when_people_are_asked(world: World, fix: Countermeasure) -> None:
    ChaseRule.objects.create(site=world.site, before=24)
    go(world.now)
    assert go(at(world, 13)) == set()
    assert go(at(world, 14)) == {"vela"}


def test_no_open_promise_is_without_a_question(world: World, fix: Countermeasure) -> None:
    go(world.now)
    assert silent() == []
    Chase.objects.update(state=TimerState.CANCELLED)
    assert silent() == [promise_of(fix).pk]
    go(world.now + timedelta(minutes=1))
    assert silent() == []
    (record,) = Incident.objects.filter(category__code=OWN_TROUBLE)
    assert record.title == "OpsDesk had lost the next question about an open promise"
    assert "asked about “Pin the driver of the print server” (Vela) any more" in record.words
    assert record.assigned_to == world["hutchins"]
    assert "without an armed question: “Pin" in record.technical


def band(now: datetime) -> list[str]:
    """What the red band says while the engine ticks."""
    watch.beat(now)
    return [one.kind.value for one in watch.diagnose(watch.look(), now)]


def test_a_question_that_is_late_for_a_minute_is_said_in_the_red_band(
    world: World, fix: Countermeasure
) -> None:
    go(world.now)
    lifecycle.contain(fix.incident.number, by=world["vela"], what="Spare", now=world.now)
    Timer.objects.all().delete()  # only about the promise
    due = at(world, 13)
    assert band(due + timedelta(seconds=60)) == []
    assert band(due + timedelta(seconds=61)) == ["unasked"]
    go(due + timedelta(seconds=62))
    assert band(due + timedelta(seconds=62)) == []


def test_a_question_that_fails_again_and_again_is_said_until_it_is_asked(
    world: World, fix: Countermeasure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is set aside for a minute each time, which must not look as if it were not due yet."""
    go(world.now)

    def breaks(*_unused: object) -> None:
        raise ValueError("nobody to ask")

    due = at(world, 13)
    with monkeypatch.context() as patch:
        patch.setattr(chasing, "who_is_asked", breaks)
        for minute in range(3):
            assert go(due + timedelta(minutes=minute)) == set()
    assert "unasked" in band(due + timedelta(minutes=2))
    assert go(due + timedelta(minutes=3)) == {"vela"}
    assert "unasked" not in band(due + timedelta(minutes=3))


def test_the_words_are_neutral_and_fit_into_one_text(world: World, fix: Countermeasure) -> None:
    go(world.now)
    for day in (13, 15, 16):
        go(at(world, day))
        outbox.drain(now=at(world, day))
    said = Delivery.objects.filter(notification__reason=Reason.PROMISE).exclude(text="")
    texts = [one.text for one in said if one.channel == "sms"]
    assert any(text.startswith("Your promise has passed: Pin the driver") for text in texts)
    assert all(septets(text) <= 160 for text in texts)
    to_lead = said.get(notification__person=world["brandt"])
    assert "Vela’s date has passed" in to_lead.text
    assert "overdue" not in " ".join(one.text for one in said).lower()


def test_a_question_that_waits_is_dropped_when_the_promise_is_kept(world: World, fix: Countermeasure) -> None:
    go(world.now)
    go(at(world, 13))
    fixes.withdraw(fix.pk, by=world["vela"], reason="Another way", now=at(world, 13, 8, 1))
    outbox.drain(now=at(world, 13, 8, 2))
    asked = Delivery.objects.filter(notification__reason=Reason.PROMISE)
    assert {one.state for one in asked} == {DeliveryState.DROPPED}
    with pytest.raises(Refused, match="not needed any more"):
        resend(asked[0].pk, by=world["hutchins"], now=at(world, 13, 8, 3))


def test_a_bandage_that_ends_is_asked_about_and_goes_up(world: World) -> None:
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    go(world.now)
    bandage = Promise.objects.get(kind=PromiseKind.BANDAGE)
    ends = bandage.due_at + timedelta(hours=8)
    assert go(ends - 2 * DAY) == {"vela"}
    assert go(ends) == {"vela"}
    assert go(ends + DAY) == {"vela", "brandt"}
