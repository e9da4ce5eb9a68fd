"""The page of one's devices, the files that make OpsDesk an app, and the same for programs."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from escalation.models import PushDevice
from tests.emulators.push import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(floor) -> Client:
    client = Client()
    client.force_login(floor.tech)
    return client


def keys(n: int = 1) -> dict[str, str]:
    endpoint = f"https://fcm.googleapis.com/fcm/send/{n}"
    return {"endpoint": endpoint, "name": "Phone", **Browser(endpoint).keys}


def test_a_device_is_signed_up_shown_and_removed(floor, signed_in):
    answer = signed_in.post(reverse("devices"), keys(), follow=True)
    said = answer.content.decode()
    assert "“Phone” shows your alerts from now on." in said
    assert "No alert yet" in said
    device = PushDevice.objects.get(person=floor.tech)
    gone = signed_in.post(reverse("device-remove", args=[device.pk]), follow=True).content.decode()
    assert "No device yet" in gone
    assert not PushDevice.objects.exists()


def test_an_address_that_is_no_push_service_is_refused_in_words(signed_in):
    answer = signed_in.post(reverse("devices"), keys() | {"endpoint": "http://10.0.0.1/"})
    assert answer.status_code == 400
    assert "push service is not known here" in answer.content.decode()


def test_somebody_elses_device_is_not_there(floor, signed_in):
    other = APIClient()
    other.force_authenticate(floor.supervisor)
    made = other.post("/api/v1/push-devices/", keys()).json()
    assert signed_in.post(reverse("device-remove", args=[made["id"]])).status_code == 404
    assert "No device yet" in signed_in.get(reverse("devices")).content.decode()


def test_the_profile_leads_to_the_devices(signed_in):
    assert reverse("devices") in signed_in.get(reverse("profile")).content.decode()


def test_a_program_does_the_same(floor):
    program = APIClient()
    program.force_authenticate(floor.tech)
    assert len(program.get("/api/v1/push-devices/key/").json()["key"]) == 87
    assert program.post("/api/v1/push-devices/", keys()).status_code == 201
    assert program.post("/api/v1/push-devices/", keys() | {"auth": "no"}).status_code == 400
    (row,) = program.get("/api/v1/push-devices/").json()["results"]
    assert set(row) == {"id", "name", "created_at", "last_used_at"}, "the address is a secret of the browser"
    assert program.delete(f"/api/v1/push-devices/{row['id']}/").status_code == 204
    assert program.delete(f"/api/v1/push-devices/{row['id']}/").status_code == 404


def test_the_service_worker_looks_after_every_page(client):
    answer = client.get("/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    said = b"".join(answer.streaming_content).decode()
    assert "notificationclick" in said
    assert "fetch(" not in said, "a tap answers nothing by itself"


def test_a_phone_can_install_opsdesk(client):
    said = client.get("/manifest.webmanifest").json()
    assert said["start_url"] == said["scope"] == "/"
    assert {icon["sizes"] for icon in said["icons"]} == {"192x192", "512x512"}
    assert 'rel="manifest"' in client.get("/login/").content.decode()
