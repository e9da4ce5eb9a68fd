"""The outbox: every SMS and email as its reader sees it, while messages stay in the sandbox."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.models import Delivery, Notification, PushDevice
from escalation.webhooks import lifecycle as listeners
from escalation.webhooks.queue import spread
from escalation.webhooks.sending import post_due
from incidents import lifecycle
from tests import factories as make
from tests.screens.reading import poll, words

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
Advance = Callable[..., None]


def told_managers(world: Any, advance: Advance) -> Any:
    incident = world.raise_it()
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=31)
    return incident


def email_to(world: Any, name: str) -> Delivery:
    return Delivery.objects.filter(channel="email", notification__person=world[name]).latest("pk")


def test_an_empty_outbox_says_what_to_do(world: Any, as_: As) -> None:
    assert "No message yet" in words(as_("tillery").get("/outbox/"))


def test_an_sms_is_there_with_its_reader_and_a_link_to_answer(world: Any, advance: Advance, as_: As) -> None:
    incident = world.raise_it()
    advance(minutes=1)
    body = as_("tillery").get("/outbox/?person=vela&channel=sms").content.decode()
    token = Notification.objects.get(person=world["vela"]).token
    link = re.search(r'<a href="([^"]+/a/[^"]+)"', body)
    assert link and link.group(1).rstrip("/").endswith(f"/a/{token}")
    assert world["vela"].mobile in body and incident.code in body


def test_the_newest_is_on_top(world: Any, advance: Advance, as_: As) -> None:
    told_managers(world, advance)
    body = as_("tillery").get("/outbox/").content.decode()
    order = [int(pk) for pk in re.findall(r'id="m-(\d+)"', body)]
    assert order == sorted(order, reverse=True) and len(order) > 3


def test_filters_narrow_it_and_a_wrong_one_finds_nothing(world: Any, advance: Advance, as_: As) -> None:
    incident, client = told_managers(world, advance), as_("tillery")
    by_incident = client.get(f"/outbox/?incident={incident.code}").context["messages_shown"]
    assert by_incident and {one.delivery.notification.incident_id for one in by_incident} == {incident.pk}
    emails = client.get("/outbox/?channel=email").context["messages_shown"]
    assert emails and all(one.is_email for one in emails)
    assert not client.get("/outbox/?incident=nothing").context["messages_shown"]


def test_older_messages_are_on_the_next_page(
    world: Any, advance: Advance, as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("escalation.views.outbox.PAGE", 2)
    told_managers(world, advance)
    client = as_("tillery")
    first = client.get("/outbox/")
    second = client.get("/outbox/" + first.context["older"])
    pks = [one.delivery.pk for page in (first, second) for one in page.context["messages_shown"]]
    assert len(set(pks)) == 4 and pks == sorted(pks, reverse=True)


def test_the_email_is_framed_under_rules_of_its_own(world: Any, advance: Advance, as_: As) -> None:
    told_managers(world, advance)
    client, delivery = as_("tillery"), email_to(world, "tillery")
    page = client.get(f"/outbox/?mail={delivery.pk}").content.decode()
    assert f'<iframe src="/outbox/{delivery.pk}/"' in page and 'sandbox="' in page
    framed = client.get(f"/outbox/{delivery.pk}/")
    policy = framed.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "style-src 'unsafe-inline'" in policy
    assert "frame-ancestors 'self'" in policy and "script-src 'none'" in policy
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "The problem" in words(framed) and '<base target="_top">' in framed.content.decode()


def test_an_sms_has_no_frame(world: Any, advance: Advance, as_: As) -> None:
    world.raise_it()
    advance(minutes=1)
    sms = Delivery.objects.filter(channel="sms").first()
    assert sms is not None and as_("tillery").get(f"/outbox/{sms.pk}/").status_code == 404


def test_words_in_a_message_are_never_read_as_markup(world: Any, advance: Advance, as_: As) -> None:
    world.raise_it(title="<script>alert(1)</script>", words="<img src=x onerror=alert(1)>")
    advance(minutes=11)
    client = as_("tillery")
    assert "<script>alert(1)" not in client.get("/outbox/").content.decode()
    framed = client.get(f"/outbox/{email_to(world, 'tillery').pk}/").content.decode()
    assert "<script>alert" not in framed and "<img" not in framed


def test_people_see_the_messages_of_their_sites_only(world: Any, advance: Advance) -> None:
    told_managers(world, advance)
    client = Client()
    client.force_login(make.make_person("Ola Stranger", site=make.make_site("ELSE")))
    page = client.get("/outbox/", {"mail": "9" * 5000}).context
    assert not page["messages_shown"] and not page["people"]
    assert client.get(f"/outbox/{email_to(world, 'tillery').pk}/").status_code == 404


def test_without_a_sandbox_there_is_no_outbox(world: Any, advance: Advance, as_: As, settings: Any) -> None:
    told_managers(world, advance)
    settings.EMAIL_URL, settings.SMS_URL = "smtp://mail.example:25", "twilio://a:b@api.example"
    delivery = email_to(world, "tillery")
    for address in ("/outbox/", f"/outbox/{delivery.pk}/"):
        assert as_("tillery").get(address).status_code == 404


def test_an_it_manager_sees_what_really_went_out_without_the_links_that_answer(
    world: Any, advance: Advance, as_: As, settings: Any
) -> None:
    told_managers(world, advance)
    asked = Notification.objects.filter(person=world["tillery"]).latest("pk")
    Delivery.objects.filter(notification=asked, channel="sms").update(
        text=f"Kept? https://x.test/p/{asked.token}"
    )
    settings.EMAIL_URL, settings.SMS_URL = "smtp://mail.example:25", "twilio://a:b@api.example"
    client, delivery = as_("hutchins"), email_to(world, "tillery")
    pages = [client.get("/outbox/"), client.get(f"/outbox/{delivery.pk}/")]
    tokens = Notification.objects.values_list("token", flat=True)
    assert "https://x.test/p/…" in pages[0].content.decode()
    for page in pages:
        assert page.status_code == 200
        assert not [token for token in tokens if token in page.content.decode()]


def test_without_a_login_it_asks_to_sign_in(world: Any, client: Client) -> None:
    assert client.get("/outbox/").status_code == 302


def test_an_unchanged_outbox_is_answered_304(world: Any, advance: Advance, as_: As) -> None:
    client = as_("tillery")
    world.raise_it()
    first = poll(client, "/outbox/", "messages")
    assert poll(client, "/outbox/", "messages", first.headers["ETag"]).status_code == 304
    advance(minutes=0)
    assert poll(client, "/outbox/", "messages", first.headers["ETag"]).status_code == 200


def test_the_number_of_queries_does_not_grow_with_messages(world: Any, advance: Advance, as_: As) -> None:
    client = as_("tillery")
    world.raise_it()
    advance(minutes=1)
    client.get("/outbox/")
    with CaptureQueriesContext(connection) as few:
        client.get("/outbox/")
    for _n in range(10):
        world.raise_it()
    advance(minutes=11)
    with CaptureQueriesContext(connection) as many:
        client.get("/outbox/")
    assert len(many) == len(few) <= 15, [query["sql"][:100] for query in many]


def test_a_push_and_a_message_in_a_chat_room_stand_there_as_their_readers_see_them(
    world: Any, advance: Advance, as_: As
) -> None:
    tablet = {"name": "Tablet", "endpoint": "https://tablet.invalid"}
    PushDevice.objects.create(person=world["vela"], created_at=world.now, **tablet)
    room: Any = {"kind": "chat", "address": "sandbox://it", "name": "IT on duty"}
    listeners.add(site=world.site, by=world["hutchins"], now=world.now, **room)
    incident = world.raise_it()
    advance(minutes=1)
    spread(world.now)
    assert post_due("chat", world.now)
    page = as_("tillery").get("/outbox/").content.decode()
    push = Delivery.objects.get(channel="push", notification__person=world["vela"])
    assert 'class="card push"' in page and push.subject in html.unescape(page)
    assert "IT on duty" in page and f"<b>{incident.code} " in page
    rooms = as_("tillery").get("/outbox/?channel=chat").context["rows"]
    assert rooms and all(one.is_room for one in rooms)
