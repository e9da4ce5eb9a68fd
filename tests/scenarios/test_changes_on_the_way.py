"""What happens to the ladder when the incident changes: severity, coming back, pauses, news."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation.models import Notification, Reason, Timer
from incidents import lifecycle
from incidents.models import Severity


def test_made_worse_tells_everybody_who_should_know_by_now(world, advance, told):
    incident = world.raise_it("at_risk")
    advance(minutes=12)
    assert told(incident) == [(0, "vela")]
    lifecycle.change_severity(
        incident.number, by=world["tillery"], severity=Severity.S1, reason="Two lines now", now=world.now
    )
    advance(minutes=0)
    now = [who for minute, who in told(incident) if minute == 12]
    assert now == ["vela", "jimenez", "brandt", "kowal", "hutchins", "tillery", "prewitt"]
    assert not Notification.objects.exclude(note="").exists()
    advance(minutes=14)
    assert [minute for minute, _who in told(incident)][-1] == 12
    advance(minutes=2)
    assert [minute for minute, _who in told(incident)][-1] == 27


def test_made_less_bad_nobody_is_told_twice(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=12)
    before = told(incident)
    lifecycle.change_severity(
        incident.number, by=world["tillery"], severity=Severity.S2, reason="One of two", now=world.now
    )
    advance(minutes=2)
    assert told(incident) == before
    advance(minutes=2)
    assert told(incident)[len(before) :] == [(15, "brandt")]


def test_what_has_fired_is_kept_when_the_severity_changes(world, advance):
    incident = world.raise_it("stopped")
    advance(minutes=6)
    fired = list(Timer.objects.filter(incident=incident, state="fired").values_list("pk", flat=True))
    lifecycle.change_severity(
        incident.number, by=world["tillery"], severity=Severity.S3, reason="By hand now", now=world.now
    )
    advance(minutes=1)
    assert list(Timer.objects.filter(pk__in=fired, state="fired").values_list("pk", flat=True)) == fired
    assert {t.severity for t in Timer.objects.armed().filter(incident=incident)} == {"S3"}


def test_coming_back_starts_the_containment_ladder_anew(world, advance, told):
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=20)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(minutes=100)
    lifecycle.reopen(incident.number, by=world["jimenez"], reason="Blank again", now=world.now)
    advance(minutes=31)
    assert told(incident, clock="containment") == [
        (15, "kowal"),
        (15, "brandt"),
        (135, "kowal"),
        (135, "brandt"),
        (150, "hutchins"),
        (150, "tillery"),
        (150, "prewitt"),
    ]


def test_whoever_was_told_is_told_that_it_came_back_and_its_owner_first(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(minutes=1)
    lifecycle.reopen(incident.number, by=world["petty"], reason="Blank again", now=world.now)
    advance(minutes=0)
    assert told(incident, reason=Reason.TOLD_REOPENED) == [(2, "vela"), (2, "jimenez")]
    owner, other = Notification.objects.filter(reason=Reason.TOLD_REOPENED).order_by("id")
    assert (owner.is_urgent, other.is_urgent) == (True, False)


def test_whoever_was_told_is_told_the_end_once_and_by_the_same_way(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=11)
    everybody = {"vela", "jimenez", "brandt", "kowal", "hutchins", "tillery", "prewitt"}
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=1)
    assert {who for _m, who in told(incident, reason=Reason.TOLD_PICKED_UP)} == everybody - {"vela"}
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(minutes=1)
    moving = told(incident, reason=Reason.TOLD_MOVING)
    assert {who for _m, who in moving} == everybody - {"vela"}
    assert len(moving) == len(set(moving))
    lead = Notification.objects.get(reason=Reason.TOLD_MOVING, person=world["brandt"])
    manager = Notification.objects.get(reason=Reason.TOLD_MOVING, person=world["tillery"])
    assert sorted(lead.deliveries.values_list("channel", flat=True)) == ["sms"]
    assert sorted(manager.deliveries.values_list("channel", flat=True)) == ["email", "sms"]
    assert not lead.is_urgent


def test_several_moves_between_two_turns_of_the_engine_are_told_as_one(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    advance(minutes=0)
    assert told(incident, reason=Reason.TOLD_PICKED_UP) == []
    assert told(incident, reason=Reason.TOLD_MOVING) == [(1, "jimenez")]


def test_managers_who_were_told_read_each_update(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=11)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="No labels",
        actions="Swapping",
        needs="No needs",
        now=world.now,
    )
    advance(minutes=0)
    assert {who for _m, who in told(incident, reason=Reason.UPDATE)} == {
        "jimenez",
        "hutchins",
        "tillery",
        "prewitt",
    }


def test_who_is_asked_to_take_it_is_told_and_the_clock_goes_on(world, advance, told):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    lifecycle.assign(incident.number, by=world["brandt"], to=world["ishida"], now=world.now)
    advance(minutes=5)
    assert told(incident, reason=Reason.ASSIGNED) == [(1, "ishida")]
    assert (5, "brandt") in told(incident)


@pytest.mark.parametrize("impact", ["stopped", "at_risk", "workaround", "none"])
def test_every_open_incident_waits_for_something_at_every_moment_of_its_life(world, advance, impact):
    incident = world.raise_it(impact)

    def waits() -> bool:
        return Timer.objects.armed().filter(incident=incident).exists()

    advance(minutes=1)
    assert waits()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(hours=3)
    assert waits()
    if impact == "stopped":  # two words missed in a row: it is taken once more
        lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="By hand", now=world.now)
    advance(hours=200)
    assert waits()
    lifecycle.shelve(
        incident.number,
        by=world["tillery"],
        until=world.now + timedelta(hours=8),
        reason="Shutdown",
        now=world.now,
    )
    advance(hours=1)
    assert waits()
    lifecycle.reopen(incident.number, by=world["jimenez"], reason="Again", now=world.now)
    advance(minutes=1)
    assert waits()


def test_what_it_waits_on_is_asked_for_at_the_promised_time(world, advance):
    incident = world.raise_it("at_risk")
    advance(minutes=1)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    until = world.now + timedelta(minutes=40)
    lifecycle.wait_on(
        incident.number, by=world["vela"], on="vendor", name="Inkmarrow", until=until, now=world.now
    )
    advance(minutes=39)
    asked = Notification.objects.filter(incident=incident, clock="update")
    assert not asked.exists()
    advance(minutes=2)
    assert {one.person.username for one in asked} == {"vela"}
    assert "Inkmarrow" in asked[0].deliveries.latest("pk").text

    lifecycle.post_update(
        incident.number,
        by=world["vela"],
        conditions="Still slow",
        actions="The vendor is on the phone",
        needs="No needs",
        now=world.now,
    )
    incident.refresh_from_db()
    assert (incident.waiting_on, incident.waiting_until) == ("", None)
    advance(minutes=60)
    assert {one.person.username for one in asked} == {"vela"}
