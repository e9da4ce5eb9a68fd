"""Whose messages a browser shows: signing up, off, and off from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from escalation import devices
from escalation.models import PushDevice
from opsdesk.errors import Invalid, Missing
from tests.emulators.push import Browser

pytestmark = pytest.mark.django_db

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"


def sign_up(person, endpoint: str = ENDPOINT, **changes: str) -> PushDevice:
    given: dict[str, Any] = {"name": "Phone", **Browser(endpoint).keys, **changes}
    return devices.subscribe(by=person, endpoint=endpoint, **given)


def test_a_browser_that_signs_up_again_is_one_device(floor):
    first = sign_up(floor.tech)
    again = sign_up(floor.tech, name="  My   new phone ")
    assert (again.pk, again.name) == (first.pk, "My new phone")


def test_a_shared_tablet_shows_the_messages_of_who_signed_up_last(floor):
    sign_up(floor.tech)
    device = sign_up(floor.supervisor)
    assert PushDevice.objects.get() == device
    assert device.person == floor.supervisor
    assert devices.with_device([floor.tech.pk, floor.supervisor.pk]) == {floor.supervisor.pk}


def test_of_too_many_devices_the_oldest_goes(floor):
    made = [sign_up(floor.tech, f"{ENDPOINT}{n}") for n in range(devices.MOST + 1)]
    assert set(PushDevice.objects.all()) == set(made[1:])


def test_signing_off_twice_is_harmless(floor):
    sign_up(floor.tech)
    devices.unsubscribe(by=floor.tech, endpoint=ENDPOINT)
    devices.unsubscribe(by=floor.tech, endpoint=ENDPOINT)
    assert not PushDevice.objects.exists()


def test_nobody_takes_somebody_elses_device_off(floor):
    device = sign_up(floor.tech)
    with pytest.raises(Missing):
        devices.remove(device.pk, by=floor.supervisor)
    devices.unsubscribe(by=floor.supervisor, endpoint=ENDPOINT)
    assert PushDevice.objects.get() == device


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://intranet.plant.example/x",
        "https://evilpush.apple.com.example/x",
        "https://127.0.0.1/x",
        "ftp://fcm.googleapis.com/x",
        "not an address",
        "https://[broken",
        "",
    ],
)
def test_only_the_push_services_of_browsers_are_ever_called(floor, endpoint):
    with pytest.raises(Invalid):
        sign_up(floor.tech, endpoint)


@pytest.mark.parametrize("keys", [{"auth": "short"}, {"p256dh": "A" * 87}, {"auth": "ü"}, {"p256dh": ""}])
def test_keys_that_cannot_encrypt_are_refused(floor, keys):
    with pytest.raises(Invalid):
        sign_up(floor.tech, **keys)
