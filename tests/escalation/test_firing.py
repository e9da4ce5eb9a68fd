"""Firing: once, at least once, never after the condition is met, and never in a storm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from escalation import outbox
from escalation.engine import fire as firing
from escalation.engine import tick
from escalation.engine.fire import fire_batch
from escalation.engine.reconcile import reconcile_batch
from escalation.models import Notification, Run, Timer, TimerState, Unread
from incidents import lifecycle
from incidents.models import EventKind, Incident
from plant.duty import DutyBook
from plant.models import Person, Roster, Site
from tests import factories as make

pytestmark = pytest.mark.django_db


def fire(world, minutes: float = 0):
    at = world.now + timedelta(minutes=minutes)
    return fire_batch(at, DutyBook.load(at))


def test_a_due_step_fires_once(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    assert fire(world).fired == 1
    assert fire(world).fired == 0
    assert Notification.objects.filter(incident=incident).count() == 2
    assert Timer.objects.filter(incident=incident, state=TimerState.FIRED).count() == 1


def test_a_second_notification_for_the_same_firing_is_impossible(world):
    world.raise_it("stopped")
    tick(now=world.now)
    first = Notification.objects.all()[0]
    first.pk, first.token = None, "ANOTHERONE"
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


def test_an_acknowledgement_wins_over_a_step_that_is_due_already(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    assert fire(world).fired == 0
    assert not incident.notifications.exists()


def test_the_rules_are_asked_again_even_if_the_change_was_not_noted(world):
    incident = world.raise_it("stopped")
    reconcile_batch(world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    Unread.objects.all().delete()
    assert fire(world).fired == 0
    run = Run.objects.get(incident=incident)
    run.incident_version = Incident.objects.get(pk=incident.pk).version
    run.save()
    Unread.objects.all().delete()
    assert fire(world).fired == 0
    assert Unread.objects.filter(incident=incident).exists()


def test_firing_writes_one_line_of_the_timeline_and_keeps_the_version(world):
    incident = world.raise_it("stopped")
    tick(now=world.now)
    events = incident.events.filter(kind=EventKind.TOLD)
    assert [one.data["clock"] for one in events] == ["response"]
    assert [person["name"] for person in events[0].data["people"]] == ["Vela", "Jimenez"]
    assert Incident.objects.get(pk=incident.pk).version == incident.version


def test_what_goes_out_late_says_how_late(world, advance):
    incident = world.raise_it("stopped")
    raised = world.now
    world.now += timedelta(minutes=42)
    advance(minutes=0)
    assert "42 min late" in Notification.objects.filter(incident=incident)[0].note
    assert "10:00" in Notification.objects.filter(incident=incident)[0].note
    assert incident.events.get(kind=EventKind.TOLD).data["late_s"] == 42 * 60
    assert Notification.objects.all()[0].due_at == raised


def test_after_an_outage_the_steps_keep_their_distance(world, advance, told):
    incident = world.raise_it("stopped")
    world.now += timedelta(hours=3)
    advance(minutes=4)
    assert [minute for minute, _who in told(incident)] == [180, 180]
    advance(minutes=7)
    assert [minute for minute, _who in told(incident)] == [180, 180, 185, 185, 190, 190, 190]


def test_missed_reminders_become_one(world, advance, told):
    incident = world.raise_it("none")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=1)
    world.now += timedelta(days=40)
    advance(minutes=1)
    assert [who for _minute, who in told(incident, clock="closure")] == ["brandt"]


def test_a_level_without_anybody_on_shift_goes_up_now_and_says_so(world, advance, told):
    Roster.objects.filter(person__username="vela").delete()
    incident = world.raise_it("at_risk")
    advance(minutes=0)
    assert told(incident) == [(0, "ishida"), (0, "sorensen"), (0, "vela"), (0, "brandt")]
    off_shift = Notification.objects.get(person=world["vela"])
    assert "Nobody on shift as IT technician" in off_shift.note
    lead = Notification.objects.get(person=world["brandt"])
    assert "goes up now" in lead.note
    assert incident.events.filter(kind=EventKind.TOLD).first().data["missing"] == ["it_tech"]
    advance(minutes=31)
    assert [who for minute, who in told(incident) if minute == 30] == ["hutchins", "jimenez"]


def test_nobody_who_could_take_it_is_as_bad_as_nobody(world, advance, told):
    Roster.objects.filter(person__username="vela").delete()
    incident = world.raise_it("stopped")
    advance(minutes=0)
    assert {"jimenez", "brandt", "kowal"} <= {who for minute, who in told(incident) if minute == 0}


def test_with_nobody_in_the_plant_the_last_resort_hears(world, advance, told):
    Roster.objects.all().delete()
    Person.objects.exclude(username__in=["hutchins", "petty"]).update(is_active=False)
    incident = world.raise_it("stopped")
    advance(minutes=0)
    assert {who for _minute, who in told(incident)} == {"hutchins"}
    assert "Nobody can be found" in incident.notifications.all()[0].note


def test_a_step_whose_people_have_all_left_tells_the_it_manager_and_goes_up(world, advance, told):
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    Person.objects.filter(username="vela").update(is_active=False)
    advance(minutes=31)
    assert told(incident, clock="update") == [(30, "hutchins"), (30, "brandt")]


def test_the_person_on_duty_when_it_fires_is_told_not_when_it_was_armed(world, advance, told):
    world.now = world.at("13:55")
    incident = world.raise_it("none")
    advance(hours=8, minutes=1)
    assert [who for _minute, who in told(incident)] == ["brandt"]


def test_one_bad_row_does_not_stop_the_others(world, monkeypatch):
    incidents = [world.raise_it("stopped") for _unused in range(7)]
    reconcile_batch(world.now)
    real = firing._event

    def breaks(one, now):
        if one.subject.pk == incidents[3].pk:
            raise ValueError("poison")
        return real(one, now)

    monkeypatch.setattr(firing, "_event", breaks)
    assert fire(world).fired == 6
    assert Unread.objects.get().incident == incidents[3]
    assert not Notification.objects.filter(incident=incidents[3]).exists()
    monkeypatch.undo()
    tick(now=world.now + timedelta(seconds=6))
    assert Notification.objects.filter(incident=incidents[3]).count() == 2


def test_a_person_is_told_once_by_all_channels_of_the_step(world, advance):
    incident = world.raise_it("stopped")
    advance(minutes=10)
    manager = incident.notifications.get(person=world["tillery"])
    assert sorted(manager.deliveries.values_list("channel", flat=True)) == ["email", "sms"]


def test_a_persons_own_choice_of_channel_counts(world, advance):
    world["vela"].urgent_channels = ["email"]
    world["vela"].save()
    incident = world.raise_it("stopped")
    advance(minutes=0)
    assert incident.notifications.get(person=world["vela"]).deliveries.get().channel == "email"


def test_without_a_mobile_the_email_is_used(world, advance):
    Person.objects.filter(username="vela").update(mobile="")
    incident = world.raise_it("stopped")
    advance(minutes=0)
    assert incident.notifications.get(person=world["vela"]).deliveries.get().channel == "email"


def test_firing_a_batch_takes_the_same_queries_for_many_as_for_few(world):
    def queries() -> int:
        reconcile_batch(world.now)
        book = DutyBook.load(world.now)
        with CaptureQueriesContext(connection) as seen:
            fire_batch(world.now, book)
        return len(seen)

    for _unused in range(2):
        world.raise_it("stopped")
    few = queries()
    for _unused in range(30):
        world.raise_it("stopped")
    assert queries() == few


def test_a_lost_message_of_the_broker_loses_nothing(world, advance, told):
    """No tick for ten minutes, then one: the incident is found, its people are told."""
    incident = world.raise_it("stopped")
    world.now += timedelta(minutes=10)
    tick(now=world.now)
    outbox.drain(now=world.now)
    assert told(incident)


def test_a_site_with_a_time_zone_that_does_not_exist_does_not_stop_the_others(world, advance, told):
    broken = make.make_site()
    Site.objects.filter(pk=broken.pk).update(timezone="Mars/Base")
    incident = world.raise_it("stopped")
    advance(minutes=0)
    assert told(incident) == [(0, "vela"), (0, "jimenez")]
