"""Somebody watches the watcher."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation import outbox, watch
from escalation.engine import tick
from escalation.engine.reconcile import reconcile_batch
from escalation.models import Heartbeat, Policy
from plant.models import Role
from tests.factories import make_person, make_site

pytestmark = pytest.mark.django_db


def test_an_engine_that_ticks_is_fine(world):
    tick(now=world.now)
    assert watch.engine_is_ticking(world.now + timedelta(seconds=20)) is None


def test_an_engine_that_never_ticked_is_not():
    assert watch.engine_is_ticking() is not None


def test_silence_is_said_with_its_time(world):
    tick(now=world.now)
    said = watch.engine_is_ticking(world.now + timedelta(seconds=21))
    assert said is not None
    assert "Alerts are not going out since" in said
    assert watch.silent_since(world.now + timedelta(seconds=21)) == world.now


def test_a_timer_that_is_late_for_a_minute_is_said_too(world):
    world.raise_it("stopped")
    reconcile_batch(world.now)
    later = world.now + timedelta(seconds=61)
    watch.beat(later)
    assert watch.silent_since(later) == world.now


def ticking(now, *, seconds: int):
    """An engine that ticks every second for so long; returns the moment after."""
    for _n in range(seconds):
        tick(now=now)
        now += timedelta(seconds=1)
    return now


def test_an_incident_that_cannot_be_read_is_said_within_a_minute_though_the_engine_ticks(world):
    Policy.objects.filter(severity="S1").update(clocks={"nonsense": []})
    incident = world.raise_it("stopped")
    now = ticking(world.now, seconds=62)
    assert not incident.timers.exists()
    assert watch.silent_since(now) == world.now


def test_messages_that_no_sender_takes_are_said_though_the_engine_ticks(world):
    world.raise_it("stopped")
    tick(now=world.now)
    now = ticking(world.now + timedelta(seconds=119), seconds=3)
    assert watch.silent_since(now) == world.now


def test_messages_that_were_handed_over_or_can_wait_are_no_reason_for_the_band(world):
    world.raise_it("stopped")
    world.raise_it("none")
    tick(now=world.now)
    outbox.deliver_due("sms", world.now)
    outbox.deliver_due("email", world.now)
    world.raise_it("none")
    now = ticking(world.now + timedelta(seconds=119), seconds=3)
    assert watch.silent_since(now) is None


def test_a_heartbeat_does_not_go_back_in_time(world):
    watch.beat(world.now)
    watch.beat(world.now - timedelta(minutes=5))
    assert Heartbeat.objects.get(name=watch.ENGINE).at == world.now


def test_a_task_is_for_one_caller_in_each_stretch_of_time(world):
    every = timedelta(seconds=30)
    assert watch.is_time_for("x", world.now, every=every)
    assert not watch.is_time_for("x", world.now + timedelta(seconds=29), every=every)
    assert watch.is_time_for("x", world.now + timedelta(seconds=30), every=every)


def test_the_band_takes_one_query_and_none_where_no_page_asks(world, rf):
    tick()
    request = rf.get("/")
    request.user = world["vela"]
    with CaptureQueriesContext(connection) as seen:
        band = watch.alerts_band(request)["alerts_down"]
    assert len(seen) == 0
    with CaptureQueriesContext(connection) as seen:
        assert not band
    assert len(seen) == 1


def test_the_band_names_the_moment_and_the_number_to_call(world, rf):
    world.site.it_phone = "+1-313-555-0100"
    world.site.save()
    watch.beat(world.now)
    request = rf.get("/")
    request.user = world["vela"]
    world["vela"].site = world.site
    band = watch.alerts_band(request)["alerts_down"]
    assert (band.since, band.phone) == (world.now, "+1-313-555-0100")


@pytest.fixture
def silent(world):
    """The engine has not ticked since the world's now, and the site has a number to call."""
    world.site.it_phone = "+1-313-555-0100"
    world.site.save()
    watch.beat(world.now)
    return world


@pytest.mark.parametrize("address", ["/raise/", "/login/", "/alerts/"])
def test_a_tablet_at_a_station_reads_the_number_of_its_site_without_signing_in(client, silent, address):
    client.get(f"/q/{silent.station.code}")
    page = client.get(address).content.decode()
    assert "Alerts are not going out since" in page and "IT: +1-313-555-0100" in page


def test_the_sign_in_page_says_so_too_and_keeps_asking(client, silent):
    page = client.get("/login/").content.decode()
    assert "call people yourself" in page and "+1-313-555-0100" not in page  # nobody knows whose phone it is
    assert re.search(r'id="alerts"[^>]*hx-trigger="every \d+s"', page)


def test_somebody_of_all_sites_reads_the_number_of_each(client, silent):
    make_site("LKS", name="Lakeside", it_phone="+1-616-555-0300")
    make_site("OFF", name="Office")
    director = make_person("Director", roles=[Role.IT_DIRECTOR], corporate=True)
    client.force_login(director)
    page = client.get("/alerts/").content.decode()
    assert "IT: Lakeside +1-616-555-0300, Millbrook Plant +1-313-555-0100" in page


def test_an_open_screen_says_so_within_30_seconds_of_the_engine_stopping(client, world):
    """Rule 7: found out after so long, and asked for by every screen so often."""
    client.force_login(world["vela"])
    page = client.get("/work/").content.decode()
    asks = re.search(r'id="alerts"[^>]*hx-trigger="every (\d+)s"', page)
    assert asks is not None
    assert watch.SILENT_AFTER + timedelta(seconds=int(asks[1])) <= timedelta(seconds=27)
