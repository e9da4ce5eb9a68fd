"""Web push against a service that speaks the real protocol: what is shown, what fails, and what then."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from escalation import health, outbox
from escalation.channels import push
from escalation.devices import MOST
from escalation.engine import tick
from escalation.models import Delivery, Notification, PushDevice, Reason
from escalation.outbox import sending
from incidents.models import Incident

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_down() -> None:
    sending._down_until.clear()


def raised(world: Any, impact: str = "at_risk") -> Incident:
    incident: Incident = world.raise_it(impact)
    tick(now=world.now)
    return incident


def way_of(incident: Incident, who: str) -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(notification__incident=incident, notification__person__username=who)
    return [(one.channel, str(one.state)) for one in rows.order_by("id")]


def test_a_push_reaches_the_device_signed_and_encrypted_in_plain_words(world, service, sign_up):
    browser, device = sign_up(world["vela"])
    incident = raised(world)
    assert outbox.deliver_due("push", world.now).sent == 1
    (shown,) = browser.shown
    token = incident.notifications.get(person=world["vela"]).token
    assert shown["title"].startswith("At risk now: ")
    assert shown["url"].endswith(f"/a/{token}")
    assert "http" not in shown["body"]
    assert shown["tag"] == f"incident-{incident.number}"
    (head,) = browser.heads
    assert (head["Urgency"], head["TTL"], head["Topic"]) == ("high", "3600", f"incident-{incident.number}")
    assert way_of(incident, "vela") == [("push", "sent")]
    device.refresh_from_db()
    assert device.last_used_at is not None


def test_a_push_speaks_the_readers_language(world, service, sign_up):
    world["vela"].language = "es"
    world["vela"].save()
    browser, _device = sign_up(world["vela"])
    raised(world)
    outbox.deliver_due("push", world.now)
    assert browser.shown[0]["lang"] == "es"
    assert browser.shown[0]["title"].startswith("En riesgo")
    assert browser.shown[0]["action"] != "Read more"


def test_without_a_device_a_push_is_a_text_message(world, service):
    incident = raised(world)
    assert way_of(incident, "vela") == [("sms", "queued")]


def test_where_push_and_text_are_asked_for_both_go(world, service, sign_up):
    sign_up(world["vela"])
    incident = raised(world, "stopped")
    assert way_of(incident, "vela") == [("push", "queued"), ("sms", "queued")]


def test_every_device_of_a_person_shows_it(world, service, sign_up):
    browsers = [sign_up(world["vela"])[0] for _unused in range(3)]
    raised(world)
    outbox.deliver_due("push", world.now)
    assert [len(one.shown) for one in browsers] == [1, 1, 1]
    assert service.receiver.connections == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten_and_the_person_is_texted_at_once(
    world, service, sign_up, status, settings
):
    browser, device = sign_up(world["vela"])
    browser.says = (status, {})
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    assert not PushDevice.objects.filter(pk=device.pk).exists()
    assert way_of(incident, "vela") == [("push", "failed"), ("sms", "queued")]


def test_one_device_that_is_gone_does_not_keep_the_other_from_showing_it(world, service, sign_up):
    gone, _device = sign_up(world["vela"], "Old phone")
    gone.says = (410, {})
    browser, device = sign_up(world["vela"], "New phone")
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    assert way_of(incident, "vela") == [("push", "sent")]
    assert len(browser.shown) == 1
    assert list(PushDevice.objects.all()) == [device]


def test_a_busy_service_is_asked_again_when_it_said_so(world, service, sign_up):
    browser, _device = sign_up(world["vela"])
    browser.says = (429, {"Retry-After": "30"})
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    waiting = Delivery.objects.get(notification__incident=incident, channel="push")
    assert waiting.state == "queued"
    assert waiting.not_before == world.now + timedelta(seconds=30)
    browser.says = None
    outbox.deliver_due("push", world.now + timedelta(seconds=31))
    assert len(browser.shown) == 1


def test_after_two_failures_the_person_is_texted_too_while_the_push_is_retried(world, service, sign_up):
    browser, _device = sign_up(world["vela"])
    browser.says = (503, {})
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    outbox.deliver_due("push", world.now + timedelta(minutes=1))
    assert way_of(incident, "vela") == [("push", "queued"), ("sms", "queued")]


def test_where_five_pushes_in_a_row_go_nowhere_the_it_manager_hears_of_it_otherwise_and_of_the_end(
    world, service, sign_up
):
    browser, _device = sign_up(world["vela"])
    browser.says = (503, {})
    raised(world)
    for minute in range(5):
        outbox.deliver_due("push", world.now + timedelta(minutes=2 * minute))
    told = Notification.objects.filter(reason=Reason.PROVIDER).order_by("id")
    assert [(one.person.username, one.data["is_down"]) for one in told] == [("hutchins", True)]
    assert [one.channel for one in told[0].deliveries.all()] == ["sms", "email"]
    browser.says = None
    world.now += timedelta(minutes=12)
    outbox.deliver_due("push", world.now)
    assert [one.data["is_down"] for one in told.all()] == [True, False]
    (card,) = [one for one in health.cards(world.now) if one.channel == "push"]
    assert (card.is_down, card.failures, card.sent) == (False, 0, 1)


def test_a_service_that_is_not_there_is_tried_again(world, service, sign_up, settings):
    _browser, device = sign_up(world["vela"])
    PushDevice.objects.update(endpoint="http://127.0.0.1:9/gone")
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    assert Delivery.objects.get(notification__incident=incident).error.startswith("The push service cannot")
    assert PushDevice.objects.filter(pk=device.pk).exists()


def test_a_service_that_hangs_is_given_up_on_in_time(world, service, sign_up, monkeypatch):
    monkeypatch.setattr(push, "TIMEOUT", 0.05)
    sign_up(world["vela"])
    service.receiver.held = True
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    assert way_of(incident, "vela") == [("push", "queued")]


def test_a_key_that_the_service_does_not_know_fails_for_good(world, service, sign_up):
    sign_up(world["vela"])
    service.application_key = "another"
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    assert way_of(incident, "vela") == [("push", "failed"), ("sms", "queued")]


def test_a_text_that_fails_goes_to_the_device_at_once(world, service, sign_up):
    world["vela"].urgent_channels = ["sms"]
    world["vela"].mobile = ""
    world["vela"].email = ""
    world["vela"].save()
    sign_up(world["vela"])
    incident = raised(world)
    outbox.deliver_due("sms", world.now)
    assert way_of(incident, "vela") == [("sms", "failed"), ("push", "queued")]


def test_what_was_answered_a_second_ago_is_not_pushed(world, service, sign_up):
    from incidents import lifecycle

    browser, _device = sign_up(world["vela"])
    incident = raised(world)
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    outbox.deliver_due("push", world.now)
    assert browser.shown == []


def test_in_practice_pushes_stay_here(world, settings, service, sign_up):
    browser, _device = sign_up(world["vela"])
    settings.PUSH_URL = "sandbox://"
    incident = raised(world)
    outbox.deliver_due("push", world.now)
    assert way_of(incident, "vela") == [("push", "delivered")]
    assert browser.shown == []


def test_the_preview_says_who_gets_a_push(world, service, sign_up):
    from escalation.preview import preview

    sign_up(world["vela"])
    first = preview(world.station, world.category, "at_risk", world.now)[0]
    assert {one.person.username: one.channels for one in first.people} == {"vela": ("push",)}


def test_our_key_is_made_once_and_only_its_owner_reads_it(settings, tmp_path):
    settings.OPSDESK_HOME, settings.VAPID_PRIVATE_KEY = tmp_path, ""
    first = push.public_key()
    push._own_key.cache_clear()
    assert push.public_key() == first
    assert stat.S_IMODE(Path(tmp_path, "vapid_key").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["vapid_key"]


def test_our_key_may_come_from_the_settings(settings, tmp_path):
    settings.OPSDESK_HOME, settings.VAPID_PRIVATE_KEY = tmp_path, "A" * 42 + "E"
    assert len(push.public_key()) == 87
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("Tue, 04 Nov 2025 15:01:00 GMT", 60.0), ("Tue, 04 Nov 2025 14:00:00 GMT", 0.0)],
)
def test_retry_after_is_a_number_or_a_date(value, seconds):
    assert push.retry_after(value, datetime(2025, 11, 4, 15, 0, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-5"])
def test_a_retry_after_that_cannot_be_read_is_none(value):
    assert push.retry_after(value) is None


def test_the_most_devices_fit_into_the_time_of_one_send():
    one = (push.TIMEOUT.read or 0) + (push.TIMEOUT.connect or 0)
    assert one * MOST * 0.9 <= sending.LONGEST_SEND.total_seconds()
