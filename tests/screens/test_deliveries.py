"""The delivery log: how far every message got, with filters, for IT managers and leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.models import Delivery, DeliveryState, Notification
from tests import factories as make
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
LOG = "/setup/deliveries/"


def rows(client: Client, **asked: str) -> list[Delivery]:
    return list(client.get(LOG, asked).context["rows"])


def test_it_says_how_far_each_message_got_and_why_one_failed(
    world: Any, advance: Callable[..., None], as_: As
) -> None:
    world.raise_it()
    advance(minutes=1)
    Delivery.objects.filter(notification__person=world["vela"]).update(
        state=DeliveryState.FAILED, failed_at=world.now, error="No such number"
    )
    page = words(as_("hutchins").get(LOG))
    assert "delivered 10:00" in page and "No such number" in page


def test_filters_narrow_it_and_a_wrong_one_finds_nothing(
    world: Any, advance: Callable[..., None], as_: As
) -> None:
    incident, client = world.raise_it(), as_("hutchins")
    advance(minutes=1)
    assert {one.notification.person for one in rows(client, person="vela")} == {world["vela"]}
    assert {one.channel for one in rows(client, channel="sms")} == {"sms"}
    assert rows(client, incident=incident.code, provider="sandbox", state="delivered")
    for wrong in ({"state": "odd"}, {"incident": "nothing"}, {"provider": "other"}, {"person": "nobody"}):
        assert not rows(client, **wrong)
    for odd in ("²", "9" * 39, "-1"):
        assert client.get(LOG, {"before": odd}).status_code == 200


def test_it_never_shows_a_link_that_answers(world: Any, advance: Callable[..., None], as_: As) -> None:
    world.raise_it()
    advance(minutes=11)
    body = as_("hutchins").get(LOG).content.decode()
    assert not [one for one in Notification.objects.values_list("token", flat=True) if one in body]


def test_only_who_looks_after_it_reads_it_and_only_of_their_site(
    world: Any, advance: Callable[..., None], as_: As
) -> None:
    world.raise_it()
    advance(minutes=1)
    assert rows(as_("brandt"))
    for name in ("vela", "tillery"):
        assert as_(name).get(LOG).status_code == 403
    elsewhere = make.make_person("Ola", roles=[make.Role.IT_MANAGER], site=make.make_site("ELSE"))
    client = Client()
    client.force_login(elsewhere)
    assert not rows(client)


def test_older_ones_are_on_the_next_page_and_queries_do_not_grow(
    world: Any, advance: Callable[..., None], as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_("hutchins")
    world.raise_it()
    advance(minutes=1)
    client.get(LOG)
    with CaptureQueriesContext(connection) as few:
        client.get(LOG)
    for _n in range(4):
        world.raise_it()
    advance(minutes=11)
    with CaptureQueriesContext(connection) as many:
        client.get(LOG)
    assert len(many) == len(few)
    monkeypatch.setattr("escalation.views.deliveries.PAGE", 2)
    first = client.get(LOG)
    second = client.get(LOG + first.context["older"])
    assert len({one.pk for page in (first, second) for one in page.context["rows"]}) == 4
