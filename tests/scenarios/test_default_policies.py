"""Each default policy, played through with a moved clock."""

from __future__ import annotations

import pytest

from escalation.defaults import DEFAULT_CLOCKS, with_safety_people
from escalation.models import Delivery, DeliveryState, Timer
from escalation.policies import publish
from incidents import lifecycle


def test_nobody_acknowledges_a_stopped_line(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=26)
    assert told(incident, clock="response") == [
        (0, "vela"),
        (0, "jimenez"),
        (5, "brandt"),
        (5, "kowal"),
        (10, "hutchins"),
        (10, "tillery"),
        (10, "prewitt"),
        # the ladder has ended: everybody on it is told again
        (25, "vela"),
        (25, "jimenez"),
        (25, "brandt"),
        (25, "kowal"),
        (25, "hutchins"),
        (25, "tillery"),
        (25, "prewitt"),
    ]


def test_a_stopped_line_that_is_taken_but_does_not_move(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=3)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    for _word in range(6):
        advance(minutes=30)
        world.say(incident)
    assert told(incident, clock="containment") == [
        (15, "kowal"),
        (15, "brandt"),
        (30, "hutchins"),
        (30, "tillery"),
        (30, "prewitt"),
        (60, "okafor"),
        (120, "fairbanks"),
        *[(180, n) for n in ("kowal", "brandt", "hutchins", "tillery", "prewitt", "okafor", "fairbanks")],
    ]


def test_an_owner_who_promised_word_and_gives_none(world, advance, told):
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=59)
    assert told(incident, clock="update") == [(30, "vela"), (40, "brandt"), (50, "hutchins")]


def test_word_in_time_starts_the_update_clock_anew(world, advance, told):
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=25)
    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="Labels do not print",
        actions="Moving to the spare printer",
        needs="No needs",
        now=world.now,
    )
    advance(minutes=29)
    assert told(incident, clock="update") == []
    advance(minutes=2)
    assert told(incident, clock="update") == [(55, "vela")]


def test_a_contained_line_stays_with_the_managers_until_it_is_closed(world, advance, told):
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(hours=25)
    assert told(incident) == [
        (hour * 60, name) for hour in (8, 16, 24) for name in ("hutchins", "tillery", "prewitt")
    ]


def test_something_at_risk(world, advance, told):
    incident = world.raise_it("at_risk")
    advance(minutes=61)
    assert told(incident, clock="response") == [
        (0, "vela"),
        (15, "brandt"),
        (30, "hutchins"),
        (30, "jimenez"),
        (60, "vela"),
        (60, "brandt"),
        (60, "hutchins"),
        (60, "jimenez"),
    ]


def test_something_at_risk_that_is_taken(world, advance, told):
    incident = world.raise_it("at_risk")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=119)
    world.say(incident)
    advance(minutes=122)
    assert told(incident, clock="containment") == [
        (60, "hutchins"),
        (60, "jimenez"),
        (120, "tillery"),
        (120, "prewitt"),
        (240, "okafor"),
    ]


def test_a_workaround(world, advance, told):
    incident = world.raise_it("workaround")
    advance(minutes=61)
    assert told(incident, clock="response") == [(0, "vela"), (60, "brandt")]
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=480)
    assert told(incident, clock="containment") == [(480, "hutchins")]


def test_a_minor_thing_waits_for_the_lead(world, advance, told):
    incident = world.raise_it("none")
    advance(minutes=479)
    assert told(incident) == []
    advance(minutes=2)
    assert told(incident) == [(480, "brandt")]
    assert Delivery.objects.get().channel == "email"


def test_safety_reaches_the_plant_manager_and_the_named_people_at_once(world, advance, told):
    clocks = with_safety_people(DEFAULT_CLOCKS["S1"], ["lindqvist", "oyelaran"])
    publish(by=None, severity="S1", clocks=clocks, why="Quality and safety hear of it")
    incident = world.raise_it("safety")
    advance(minutes=0)
    assert {name for _minute, name in told(incident)} == {
        "vela",
        "jimenez",
        "okafor",
        "lindqvist",
        "oyelaran",
    }


def test_safety_reaches_them_even_when_somebody_took_it_at_once(world, advance, told):
    incident = world.raise_it("safety")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=0)
    assert told(incident, clock="response") == [(0, "okafor")]
    assert Delivery.objects.filter(
        state=DeliveryState.DELIVERED, notification__person=world["okafor"]
    ).exists()


@pytest.mark.parametrize(
    ("flow", "first"), [("shipping", "prewitt"), ("receiving", "prewitt"), ("production", "tillery")]
)
def test_the_flow_decides_which_manager_is_named_first(world, advance, told, flow, first):
    incident = world.raise_it("stopped", flow=flow)
    advance(minutes=10)
    assert [name for minute, name in told(incident) if minute == 10][1] == first


def test_closing_leaves_no_timer_armed(world, advance):
    incident = world.raise_it("none")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=5)
    assert Timer.objects.armed().exists()
    lifecycle.close(
        incident.number, by=world["vela"], cause="Paper jam", agreed_by=world["jimenez"], now=world.now
    )
    advance(minutes=0)
    assert not Timer.objects.armed().exists()
