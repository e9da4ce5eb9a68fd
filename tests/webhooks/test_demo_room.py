"""The demo plant has a room, so that what a room reads can be seen without an account."""

from __future__ import annotations

import pytest
from django.utils import timezone

from escalation.demo import seed
from escalation.demo.story import load
from escalation.models import Post
from escalation.webhooks import sending
from incidents import lifecycle
from incidents.models import Category, Impact
from plant.models import Person, Station
from plant.seed import seed_plant

pytestmark = pytest.mark.django_db


def test_the_demo_has_a_room_that_stays_here_and_hears_the_plant_from_now_on():
    now = timezone.now()
    seed_plant(load(), now=now)
    seed._open_a_room(now)
    lifecycle.raise_incident(
        by=Person.objects.get(username="petty"),
        category=Category.objects.get(code="label_print"),
        impact=Impact.STOPPED,
        station=Station.objects.select_related("line__area__site").get(code="ASM-D1-060"),
        title="Box labels come out blank",
    )
    sending.post_due("chat", now)
    post = Post.objects.get()
    assert post.state == "sent"
    assert "Box labels come out blank" in post.text
