"""A storm: one message per person per two minutes that lists what is hit; lines down and safety at once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from escalation import outbox
from escalation.engine import storms, tick
from escalation.measures import measure
from escalation.models import Delivery, DeliveryState, Notification, Reason, Storm
from incidents import lifecycle
from tests import factories as make

pytestmark = pytest.mark.django_db

SECONDS = timedelta(seconds=1)


def rain(
    world: Any, advance: Any, count: int, *, apart: float, impact: str = "at_risk", **place: Any
) -> list[Any]:
    """So many incidents, one every `apart` seconds, each on one of five lines; the clock goes with them."""
    lines = [make.make_line(area=world.area, name=f"Line {n + 1}") for n in range(5)]
    stations = [make.make_station(line=line) for line in lines]
    found = []
    for n in range(count):
        found.append(world.raise_it(impact, **({"station": stations[n % 5]} | place)))
        advance(minutes=apart / 60, turn=apart * SECONDS)
    return found


def summaries() -> Any:
    return Delivery.objects.filter(notification__data__has_key="storm")


# --- begin and end ---


def test_more_than_ten_in_five_minutes_in_one_area_open_a_storm(world, advance, sms, mail):
    rain(world, advance, 10, apart=1)
    assert not Storm.objects.exists()
    rain(world, advance, 1, apart=1)
    storm = Storm.objects.get()
    assert (storm.area, storm.ended_at) == (world.area, None)
    rain(world, advance, 5, apart=1)
    assert Storm.objects.count() == 1


def test_practice_makes_no_storm(world, advance, sms, mail):
    rain(world, advance, 15, apart=1, is_drill=True)
    assert not Storm.objects.exists()


def test_ten_in_each_of_two_areas_are_no_storm(world, advance, sms, mail):
    other = make.make_station(line=make.make_line(area=make.make_area(site=world.site)))
    rain(world, advance, 10, apart=1)
    rain(world, advance, 10, apart=1, station=other)
    assert not Storm.objects.exists()


def test_a_storm_of_a_place_without_an_area(world, advance, sms, mail):
    for _unused in range(12):
        world.raise_it("workaround", station=None, site=world.site)
    tick(now=world.now)
    assert Storm.objects.get().area is None


def test_a_storm_ends_by_itself_when_it_was_calm_for_five_minutes(world, advance, sms, mail):
    rain(world, advance, 12, apart=1)
    began = world.now
    for seconds, is_on in ((540, True), (570, True), (600, False)):
        tick(now=began + seconds * SECONDS)
        assert Storm.objects.on().exists() is is_on


def test_trouble_with_storms_keeps_nobody_from_being_told(world, sms, monkeypatch):
    def breaks(_now: object) -> None:
        raise KeyError("weather")

    monkeypatch.setattr(storms, "_begin", breaks)
    monkeypatch.setattr(storms, "_end", breaks)
    world.raise_it("stopped")
    tick(now=world.now)
    outbox.deliver_due("sms", world.now)
    assert sms.texts("vela")


# --- what people get ---


def test_the_first_message_of_a_storm_comes_at_once_and_lists_places_and_counts(world, advance, sms, mail):
    rain(world, advance, 12, apart=1)
    (text,) = [text for text in sms.texts("vela") if "MANY PROBLEMS" in text]
    assert "12 open." in text or "11 open." in text
    assert "Line 1 3" in text
    assert len(text) <= 160


def test_sixty_incidents_in_three_minutes(world, advance, sms, mail):
    """One message per person per two minutes, what stops a line at once, and nothing is lost."""
    quiet = rain(world, advance, 30, apart=3)
    stopped = world.raise_it("stopped")
    raised_at = world.now
    advance(minutes=0.01, turn=SECONDS)
    quiet += rain(world, advance, 30, apart=3)
    told = Delivery.objects.get(
        notification__incident=stopped, notification__person=world["vela"], channel="sms"
    )
    assert (told.state, told.bundled_into) == (DeliveryState.SENT, None)
    assert told.sent_at - raised_at <= 2 * SECONDS
    advance(minutes=5)

    storm = Storm.objects.get()
    for name in ("vela", "brandt", "jimenez", "hutchins"):
        mine = summaries().filter(notification__person=world[name], channel="sms", sent_at__isnull=False)
        times = sorted(mine.values_list("sent_at", flat=True))
        assert all(later - one >= timedelta(minutes=2) for one, later in pairwise(times))
    during = [one for one in sms.sent if one.sent_at >= storm.began_at]
    per_person = Counter(one.notification.person.username for one in during)
    assert per_person["vela"] <= 6  # 30 minutes' worth of text messages would be sixty
    _nothing_is_lost([*quiet, stopped])


def _nothing_is_lost(incidents: list[Any]) -> None:
    for delivery in Delivery.objects.filter(notification__incident__in=incidents).select_related(
        "bundled_into"
    ):
        assert delivery.carrier.state in (
            DeliveryState.SENT,
            DeliveryState.DELIVERED,
            DeliveryState.DROPPED,
            DeliveryState.QUEUED,
        ), delivery.carrier.state
        assert delivery.carrier.state != DeliveryState.QUEUED or delivery.carrier.attempt == 0
    assert not Notification.objects.filter(incident__in=incidents, deliveries=None).exists()


def test_nothing_waits_for_long_in_a_storm(world, advance, sms, mail):
    rain(world, advance, 40, apart=4)
    advance(minutes=3)
    assert not Delivery.objects.queued().filter(queued_at__lt=world.now - timedelta(minutes=2)).exists()


def test_another_area_is_told_as_ever(world, advance, sms, mail):
    rain(world, advance, 12, apart=1)
    other = make.make_station(line=make.make_line(area=make.make_area(site=world.site)))
    advance(minutes=11)
    elsewhere = world.raise_it("at_risk", station=other)
    advance(minutes=0.5)
    told = Delivery.objects.filter(notification__incident=elsewhere)
    assert {one.state for one in told} == {DeliveryState.SENT}


def test_what_waits_when_the_storm_ends_goes_in_its_last_message(world, advance, sms, mail):
    rain(world, advance, 12, apart=1)
    waiting = Delivery.objects.queued().filter(notification__clock="response")
    assert waiting.exists()
    Storm.objects.update(ended_at=world.now)
    ids = list(waiting.values_list("pk", flat=True))
    advance(minutes=2.5)
    carriers = {one.carrier for one in Delivery.objects.filter(pk__in=ids, state=DeliveryState.BUNDLED)}
    assert carriers
    assert all("storm" in one.notification.data for one in carriers)


def test_a_storm_all_taken_meanwhile_says_nothing_more(world, advance, sms, mail):
    found = rain(world, advance, 14, apart=1)
    for incident in found:
        lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    before = len([text for text in sms.texts("vela") if "MANY PROBLEMS" in text])
    advance(minutes=4)
    assert len([text for text in sms.texts("vela") if "MANY PROBLEMS" in text]) == before


def test_emails_of_a_storm_come_together_too(world, advance, sms, mail):
    rain(world, advance, 14, apart=1, impact="stopped")
    rain(world, advance, 14, apart=1)
    advance(minutes=35)
    subjects = [one.subject for one in mail.sent if one.notification.reason == Reason.DIGEST]
    assert all("Many problems in Final Assembly" in one or "thing" in one for one in subjects)


# --- what screens and monitors show ---


def test_the_monitors_see_a_storm(world, advance, sms, mail):
    def gauge() -> dict[str, float]:
        (found,) = [one for one in measure(world.now) if one.name == "opsdesk_storms"]
        return {sample.labels["site"]: sample.value for sample in found.samples}

    assert gauge() == {"MBK": 0.0}
    rain(world, advance, 12, apart=1)
    assert gauge() == {"MBK": 1.0}


def test_the_dashboard_and_its_incidents_say_that_messages_come_together(world, advance, client, sms, mail):
    words = "10:00: messages come together every 2 minutes."
    first, *_others = rain(world, advance, 12, apart=1)
    client.force_login(world["tillery"])
    assert words in client.get("/dashboard/").content.decode()
    assert words in client.get(first.get_absolute_url()).content.decode()
    practice = world.raise_it("workaround", is_drill=True)
    assert words not in client.get(practice.get_absolute_url()).content.decode()
    Storm.objects.update(ended_at=world.now)
    assert words not in client.get("/dashboard/").content.decode()
    assert words not in client.get(first.get_absolute_url()).content.decode()
