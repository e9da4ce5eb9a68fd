"""Normal messages wait for a person's working hours; urgent ones go through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest

from escalation.models import Delivery, DeliveryState
from incidents import lifecycle

pytestmark = pytest.mark.django_db


def give_hours(world: Any, name: str, starts: int, ends: int) -> None:
    person = world[name]
    person.works_from, person.works_until = time(starts), time(ends)
    person.save(update_fields=["works_from", "works_until"])


def test_the_urgent_goes_at_any_hour_and_the_quiet_waits_until_the_hours_begin(
    world: Any, advance: Callable[..., None]
) -> None:
    give_hours(world, "vela", 14, 22)  # it is 10:00
    incident = world.raise_it()
    advance(minutes=1)
    urgent = list(Delivery.objects.filter(notification__person=world["vela"]))
    assert urgent and all(one.state == DeliveryState.DELIVERED for one in urgent)
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    advance(minutes=1)
    news = Delivery.objects.exclude(pk__in=[one.pk for one in urgent]).get(notification__person=world["vela"])
    assert news.state == DeliveryState.QUEUED
    assert news.not_before == world.at("14:00")


def test_who_is_within_their_hours_hears_at_once(world: Any, advance: Callable[..., None]) -> None:
    give_hours(world, "vela", 9, 17)
    incident = world.raise_it()
    advance(minutes=1)
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    advance(minutes=1)
    waiting = Delivery.objects.filter(notification__person=world["vela"], state=DeliveryState.QUEUED)
    assert not waiting
