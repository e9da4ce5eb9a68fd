"""What is only said again, and what a policy collects, goes as one message per person and channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from escalation import outbox
from escalation.engine import tick
from escalation.models import Delivery, DeliveryState, Notification, Policy, Reason
from escalation.telling import next_morning
from incidents import lifecycle
from tests import factories as make

pytestmark = pytest.mark.django_db


def contained(world: Any, impact: str = "stopped") -> Any:
    station = make.make_station(line=make.make_line(area=world.area))
    incident = world.raise_it(impact, station=station)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    lifecycle.contain(incident.number, by=world["vela"], what="Spare printer", now=world.now)
    return incident


def test_six_reminders_of_one_time_are_one_email(world, advance, sms, mail):
    found = [contained(world) for _unused in range(6)]
    advance(hours=16.1)
    again = [
        one
        for one in mail.sent
        if one.notification.person == world["tillery"] and "still open" in one.subject
    ]
    assert [one.subject.split(":")[0] for one in again] == ["6 things still open"]
    assert all(one.code in again[0].html and one.code in again[0].text for one in found)
    assert f"/a/{again[0].notification.token}" in again[0].html


def test_a_reminder_alone_goes_as_itself_a_minute_later(world, advance, sms, mail):
    incident = contained(world)
    advance(hours=16.1)
    second = Delivery.objects.get(
        notification__person=world["tillery"], notification__clock="closure", notification__data__round=1
    )
    assert second.state == DeliveryState.SENT
    assert second.sent_at == second.queued_at + timedelta(seconds=60)
    assert incident.code in second.subject
    assert not Notification.objects.filter(reason=Reason.DIGEST).exists()


def test_the_first_reminder_is_not_held_back(world, advance, sms, mail):
    contained(world)
    contained(world)
    advance(hours=8.1)
    first = Delivery.objects.filter(notification__person=world["tillery"], notification__clock="closure")
    assert [(one.state, one.sent_at == one.queued_at) for one in first] == [("sent", True)] * 2


# --- collected for the morning ---


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        ("2025-11-04T06:59:00", "2025-11-04T07:00:00"),
        ("2025-11-04T07:00:00", "2025-11-05T07:00:00"),
        ("2025-11-04T23:10:00", "2025-11-05T07:00:00"),
        ("2025-11-01T22:00:00", "2025-11-02T07:00:00"),  # the clock goes back in that night
        ("2026-03-07T22:00:00", "2026-03-08T07:00:00"),  # and forward in that one
    ],
)
def test_the_morning_is_seven_by_the_clock_of_the_site(now: str, morning: str) -> None:
    tz = ZoneInfo("America/Detroit")
    found = next_morning(tz, datetime.fromisoformat(now).replace(tzinfo=tz).astimezone(UTC))
    assert found == datetime.fromisoformat(morning).replace(tzinfo=tz)
    assert found.astimezone(tz).hour == 7


def test_what_a_policy_collects_comes_as_one_email_in_the_morning(world, advance, sms, mail):
    """Minor things that nobody took after eight hours: their policy says `digest`."""
    found = [world.raise_it("none") for _unused in range(3)]
    advance(hours=12)
    held = Delivery.objects.filter(notification__incident__in=found, notification__person=world["brandt"])
    assert {one.state for one in held} == {DeliveryState.QUEUED}
    assert {one.not_before.astimezone(world.site.tz).hour for one in held} == {7}
    assert not mail.texts("brandt")
    advance(hours=10)
    (letter,) = [one for one in mail.sent if one.notification.person == world["brandt"]]
    assert letter.subject.startswith("3 things for you: ")
    assert letter.sent_at.astimezone(world.site.tz).strftime("%H:%M") == "07:00"


def test_what_was_taken_before_the_morning_is_not_in_it(world, advance, sms, mail):
    found = [world.raise_it("none") for _unused in range(3)]
    advance(hours=12)
    for incident in found[1:]:
        lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(hours=10)
    (letter,) = [one for one in mail.sent if one.notification.person == world["brandt"]]
    assert found[0].code in letter.subject


def test_what_is_urgent_is_never_collected(world, sms, mail):
    policy = Policy.objects.current().get(severity="S1")
    policy.clocks["response"][0]["channels"] = ["digest"]
    Policy.objects.filter(pk=policy.pk).update(clocks=policy.clocks)
    world.raise_it("stopped")
    tick(now=world.now)
    outbox.drain(world.now)
    assert mail.texts("vela")
