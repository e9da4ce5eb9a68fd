"""The admin pages of the engine can be read and nothing can be changed there."""

from __future__ import annotations

import pytest
from django.urls import reverse

from escalation.models import Delivery, Notification, Policy, Timer
from plant.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db

PAGES = ["policy", "run", "timer", "notification", "delivery", "unread", "heartbeat"]


@pytest.fixture
def boss(client):
    person = make.make_person("Admin", is_staff=True, is_superuser=True)
    client.force_login(person)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_each_list_can_be_read(world, advance, boss, page):
    world.raise_it("stopped")
    advance(minutes=1)
    assert boss.get(reverse(f"admin:escalation_{page}_changelist")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_nothing_can_be_added(boss, page):
    assert boss.get(reverse(f"admin:escalation_{page}_add")).status_code == 403


@pytest.mark.parametrize("model", [Policy, Timer, Notification, Delivery])
def test_nothing_can_be_changed_and_no_link_that_answers_is_shown(world, advance, boss, model):
    world.raise_it("stopped")
    advance(minutes=1)
    row = model.objects.all()[0]
    url = reverse(f"admin:escalation_{model._meta.model_name}_change", args=[row.pk])
    page = boss.get(url)
    assert page.status_code == 200
    assert not any(
        token in page.content.decode() for token in Notification.objects.values_list("token", flat=True)
    )
    assert boss.post(url, {}).status_code == 403
    assert boss.post(url.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_an_it_manager_sees_the_engine_of_their_own_site_only(world, advance, client):
    incident = world.raise_it("stopped")
    advance(minutes=1)
    manager = world["hutchins"]
    manager.is_staff = True
    manager.save()
    client.force_login(manager)
    page = client.get(reverse("admin:escalation_timer_changelist"))
    assert incident.code in page.content.decode()
    other = make.make_person("Elsewhere", roles=[Role.IT_MANAGER], site=make.make_site(), is_staff=True)
    client.force_login(other)
    page = client.get(reverse("admin:escalation_timer_changelist"))
    assert page.status_code == 200
    assert incident.code not in page.content.decode()
