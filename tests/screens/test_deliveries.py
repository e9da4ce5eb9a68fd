"""The delivery log: how far every message got, with filters, for IT managers and leads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation import health, outbox
from escalation.contact import proving
from escalation.models import Delivery, DeliveryState, Notification
from incidents import lifecycle
from tests import factories as make
from tests.screens.reading import words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
LOG = "/setup/deliveries/"


def rows(client: Client, **asked: str) -> list[Delivery]:
    return [one.delivery for one in client.get(LOG, asked).context["rows"]]


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


def test_what_would_only_be_refused_is_not_offered_to_be_sent_again(
    world: Any, advance: Callable[..., None], as_: As
) -> None:
    incident, client = world.raise_it(), as_("hutchins")
    advance(minutes=1)
    proving.send_test(world["vela"], "sms", by=world["vela"], now=world.now)
    outbox.drain(world.now)

    def offered() -> set[str]:
        return {
            one.delivery.notification.reason for one in client.get(LOG).context["rows"] if one.may_go_again
        }

    assert offered() == {"step"}, "a test counts once"
    lifecycle.take_back(incident.number, by=incident.raised_by, now=world.now)
    assert offered() <= {"told_closed"}


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
    assert len({one.delivery.pk for page in (first, second) for one in page.context["rows"]}) == 4


def test_it_narrows_by_time_and_a_wrong_time_finds_nothing(
    world: Any, advance: Callable[..., None], as_: As
) -> None:
    world.raise_it()
    advance(minutes=1)
    client, queued = as_("hutchins"), Delivery.objects.values_list("queued_at", flat=True)
    first, last = min(queued), max(queued)
    assert len(rows(client, since=first.isoformat(), until=last.isoformat())) == len(queued)
    assert not rows(client, since=(last + timedelta(seconds=1)).isoformat())
    assert not rows(client, until=(first - timedelta(seconds=1)).isoformat())
    assert not rows(client, since="yesterday") and not rows(client, until="2026-13-45T99:00")


def test_a_card_counts_the_messages_of_the_readers_site_only(
    world: Any, advance: Callable[..., None], as_: As
) -> None:
    world.raise_it()
    advance(minutes=1)
    there = make.make_person("Ola", roles=[make.Role.IT_MANAGER], site=make.make_site("ELSE"))
    here, elsewhere = as_("hutchins"), Client()
    elsewhere.force_login(there)
    counts = [
        {card.channel: card.sent for _way, card in client.get(LOG).context["cards"]}["sms"]
        for client in (here, elsewhere)
    ]
    assert counts[0] == Delivery.objects.filter(channel="sms", sent_at__isnull=False).count() > 0
    assert counts[1] == 0


def test_the_cards_of_a_site_ask_the_same_whatever_there_is(
    world: Any, advance: Any, django_assert_num_queries: Any
) -> None:
    world.raise_it()
    advance(minutes=1)
    with django_assert_num_queries(3):
        health.cards(world.now, sites=[world.site.pk])


def test_each_provider_has_a_card(as_: As, world: Any) -> None:
    page = words(as_("hutchins").get(LOG))
    assert "Practice: nothing goes out" in page and "Nothing waits" in page


def test_one_press_sends_again_and_the_log_and_the_timeline_say_who_did(
    world: Any, advance: Callable[..., None], as_: As
) -> None:
    incident = world.raise_it()
    advance(minutes=1)
    client, (sent, *_others) = as_("hutchins"), rows(as_("hutchins"), person="vela")
    page = words(client.post(f"{LOG}{sent.pk}/resend/", follow=True))
    assert f"It goes to {world['vela'].name} again now" in page
    assert f"Sent again by {world['hutchins'].name}" in page
    timeline = words(client.get(incident.get_absolute_url()))
    assert f"sent the message to {world['vela'].name} again, by SMS." in timeline
    assert client.post(f"{LOG}{sent.pk}/resend/").status_code == 409
