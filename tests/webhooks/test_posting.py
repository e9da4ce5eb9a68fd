"""Programs and rooms against receivers over loopback: what arrives, in which order, and what failure does."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from django.db import connection, transaction

from escalation import measures
from escalation.drills import running
from escalation.engine import tick
from escalation.messages import render
from escalation.models import Listener, Notification, Post, Reason, Unposted
from escalation.watcher import Watcher
from escalation.webhooks import calling, queue, sending
from escalation.webhooks.forgetting import forget_old
from incidents import lifecycle
from incidents.models import Event, EventKind
from tests import factories as make
from tests.emulators.receiver import Receiver, Request, running_receiver

pytestmark = pytest.mark.django_db


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in receiver.requests]


def states(listener: Listener) -> list[str]:
    return [str(one.state) for one in Post.objects.filter(listener=listener).order_by("id")]


def verified(request: Request, secret: str) -> bool:
    """As docs/integrations.md tells a receiver to."""
    parts = dict(part.split("=", 1) for part in request.headers["OpsDesk-Signature"].split(","))
    made = hmac.new(secret.encode(), f"{parts['t']}.".encode() + request.body, sha256).hexdigest()
    return hmac.compare_digest(made, parts["v1"])


def test_a_program_gets_every_event_signed_and_in_order_over_one_connection(world, receiver, add):
    _listener, secret = add("webhooks", f"{receiver.url}/hook")
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    sending.post_due("webhooks", world.now)
    events = list(Event.objects.filter(incident=incident).order_by("id"))
    assert [one["id"] for one in bodies(receiver)] == [event.pk for event in events]
    assert [one["kind"] for one in bodies(receiver)][:1] == ["raised"]
    assert bodies(receiver)[-1]["incident"]["number"] == incident.number
    assert bodies(receiver)[-1]["by"] == "vela"
    assert [one.headers["OpsDesk-Event-Id"] for one in receiver.requests] == [
        str(event.pk) for event in events
    ]
    assert all(verified(one, secret) for one in receiver.requests)
    assert not verified(receiver.requests[0], "another secret")
    assert receiver.connections == 1


def test_an_event_is_posted_once(world, receiver, add):
    listener, _secret = add("webhooks", receiver.url)
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    count = len(receiver.requests)
    assert count == len(states(listener)) > 0
    for event in Event.objects.all():
        Unposted.objects.create(event=event)
    sending.post_due("webhooks", world.now)
    assert len(receiver.requests) == count


def test_nothing_is_noted_while_nobody_listens(world):
    world.raise_it("stopped")
    assert not Unposted.objects.exists()


def test_an_event_that_is_rolled_back_was_never_noted(world, receiver, add):
    add("webhooks", receiver.url)
    with transaction.atomic():
        world.raise_it("stopped")
        transaction.set_rollback(True)
    assert not Unposted.objects.exists()


def test_steps_written_by_copy_are_noted_too(world, receiver, add):
    add("webhooks", receiver.url, kinds=["told"])
    world.raise_it("stopped")
    tick(now=world.now)
    sending.post_due("webhooks", world.now)
    (told,) = bodies(receiver)
    assert {one["name"] for one in told["data"]["people"]} == {"Vela", "Jimenez"}


@pytest.mark.parametrize(
    ("fields", "count"),
    [({"severities": ["S1"]}, 0), ({"severities": ["S2"]}, 1), ({"kinds": ["closed"]}, 0), ({}, 1)],
)
def test_a_program_hears_only_what_it_asked_for(world, receiver, add, fields, count):
    add("webhooks", receiver.url, **fields)
    world.raise_it("at_risk")
    sending.post_due("webhooks", world.now)
    assert len([one for one in bodies(receiver) if one["kind"] == "raised"]) == count


def test_another_site_and_another_area_are_not_heard(world, receiver, add):
    area = make.make_area("MBK-PNT", site=world.site)
    add("webhooks", receiver.url, area=area)
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    assert receiver.requests == []


def test_practice_is_heard_by_nobody(world, receiver, add):
    add("webhooks", receiver.url)
    running.start(world.site, by=world["hutchins"], severity="S1", area=world.area, now=world.now)
    sending.post_due("webhooks", world.now)
    assert receiver.requests == []


# --- failure ---


def test_a_failure_is_tried_again_later_and_later_for_a_day(world, receiver, add):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised"])
    receiver.answers(500)
    world.raise_it("stopped")
    now, waits = world.now, []
    for _unused in range(6):
        sending.post_due("webhooks", now)
        post = Post.objects.get()
        waits.append((post.not_before - now).total_seconds())
        now = post.not_before
    for n, wait in enumerate(waits):
        assert 0.8 * 10 * 2**n <= wait <= 1.2 * 10 * 2**n
    receiver.answers(200)
    sending.post_due("webhooks", now)
    assert states(listener) == ["sent"]
    listener.refresh_from_db()
    assert (listener.failures, listener.failing_since, listener.last_error) == (0, None, "")


def test_retry_after_is_honoured(world, receiver, add):
    add("webhooks", receiver.url, kinds=["raised"])
    receiver.answers(429, {"Retry-After": "300"})
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    assert Post.objects.get().not_before == world.now + timedelta(seconds=300)
    sending.post_due("webhooks", world.now + timedelta(seconds=299))
    assert len(receiver.requests) == 1
    sending.post_due("webhooks", world.now + timedelta(seconds=300))
    assert len(receiver.requests) == 2


def test_one_event_that_is_refused_does_not_hold_up_the_next(world, receiver, add):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised", "acknowledged"])
    receiver.answer = lambda request: (400 if b'"kind": "raised"' in request.body else 200, {})
    incident = world.raise_it("stopped")
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    sending.post_due("webhooks", world.now)
    assert states(listener) == ["queued", "sent"]


def test_a_program_that_hangs_is_left_alone_and_holds_up_no_other(world, receiver, add, monkeypatch):
    monkeypatch.setattr(calling, "TIMEOUT", httpx.Timeout(0.1))
    hanging, _secret = add("webhooks", f"{receiver.url}/hangs")
    receiver.held = True
    with running_receiver() as other:
        well, _secret = add("webhooks", other.url)
        for _unused in range(3):
            world.raise_it("stopped")
        sending.post_due("webhooks", world.now)
        assert len(receiver.requests) == 1, "asked once, then left alone"
        assert set(states(well)) == {"sent"}
        assert set(states(hanging)) == {"queued"}
    hanging.refresh_from_db()
    assert hanging.paused_until is not None
    assert hanging.paused_until > world.now


def test_a_program_that_is_gone_is_switched_off_and_the_it_manager_hears_of_it(world, receiver, add):
    listener, _secret = add("webhooks", receiver.url)
    receiver.answers(410)
    world.raise_it("stopped")
    tick(now=world.now)
    sending.post_due("webhooks", world.now)
    listener.refresh_from_db()
    assert (listener.is_active, listener.switched_off_at) == (False, world.now)
    assert set(states(listener)) == {"failed"}
    told = Notification.objects.get(reason=Reason.LISTENER_OFF)
    assert told.person == world["hutchins"]
    assert [one.channel for one in told.deliveries.all()] == ["email"]


def test_after_a_day_without_success_it_is_switched_off(world, receiver, add, advance):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised"])
    receiver.answers(500)
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    sending.post_due("webhooks", world.now + timedelta(hours=23))
    listener.refresh_from_db()
    assert listener.is_active
    sending.post_due("webhooks", world.now + timedelta(hours=25))
    listener.refresh_from_db()
    assert not listener.is_active
    letter = Notification.objects.get(reason=Reason.LISTENER_OFF).deliveries.get()
    said = render(letter, now=world.now)
    assert said.subject == "Program “Other end” is switched off"
    assert "It answered 500." in said.text


def test_who_dies_in_the_middle_sends_twice_and_never_zero_times(world, receiver, add, monkeypatch):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised"])
    world.raise_it("stopped")

    def dies(*_unused: object) -> None:
        raise SystemExit("killed after the call, before the mark")

    with monkeypatch.context() as broken:
        broken.setattr(sending, "_mark", dies)
        with pytest.raises(SystemExit):
            sending.post_due("webhooks", world.now)
    assert states(listener) == ["sending"]
    sending.post_due("webhooks", world.now + queue.LEASE + timedelta(seconds=1))
    assert states(listener) == ["sent"]
    first, second = (one.headers["OpsDesk-Event-Id"] for one in receiver.requests)
    assert first == second


def test_nothing_is_called_inside_a_transaction(world, receiver, add):
    depth, seen = len(connection.savepoint_ids), []
    add("webhooks", receiver.url, kinds=["raised"])
    world.raise_it("stopped")
    original = calling.call_program

    def call(*given: Any) -> Any:
        seen.append(len(connection.savepoint_ids))
        return original(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(calling, "call_program", call)
        sending.post_due("webhooks", world.now)
    assert seen == [depth]


def test_a_listener_sealed_with_another_key_says_so(world, receiver, add, settings):
    add("webhooks", receiver.url, kinds=["raised"])
    settings.SECRET_KEY = "another"
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    assert "SECRET_KEY was changed" in Post.objects.get().error


def test_redirects_are_not_followed(world, receiver, add):
    add("webhooks", receiver.url, kinds=["raised"])
    receiver.answers(302, {"Location": f"{receiver.url}/elsewhere"})
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    assert len(receiver.requests) == 1
    assert Post.objects.get().error == "It answered 302."


# --- rooms ---


def room(receiver: Receiver) -> str:
    """A room as Apprise reaches it: its generic JSON, over loopback."""
    return receiver.url.replace("http://", "json://") + "/room"


def test_a_room_reads_each_step_and_each_piece_of_news_once_in_plain_words(world, receiver, add, advance):
    add("chat", room(receiver))
    incident = world.raise_it("stopped")
    advance(minutes=1)
    sending.post_due("chat", world.now)
    assert len(Notification.objects.filter(incident=incident)) == 2, "two people, one line in the room"
    raised, told = bodies(receiver)
    assert raised["title"] == f"INC-{incident.number} Line down: {incident.where}"
    assert "Told now: Vela and Jimenez." in told["message"]
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=1)
    sending.post_due("chat", world.now)
    assert "Vela has it." in bodies(receiver)[2]["message"]
    assert len(receiver.requests) == 3


def test_a_room_reads_its_own_language(world, receiver, add):
    add("chat", room(receiver), language="es")
    world.raise_it("stopped")
    sending.post_due("chat", world.now)
    assert "Línea parada" in bodies(receiver)[0]["title"]


def test_a_step_that_is_overtaken_is_not_said_in_the_room(world, receiver, add):
    listener, _secret = add("chat", room(receiver))
    incident = world.raise_it("stopped")
    tick(now=world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    sending.post_due("chat", world.now)
    kinds = list(Post.objects.filter(listener=listener).order_by("id").values_list("event__kind", "state"))
    assert (EventKind.TOLD, "dropped") in kinds
    assert not any("Told now" in one["message"] for one in bodies(receiver))


def test_a_step_that_names_chat_reaches_rooms_of_any_severity(world, receiver, add):
    add("chat", room(receiver), severities=["S4"])
    incident = world.raise_it("stopped")
    event = Event.objects.create(
        incident=incident,
        at=world.now,
        kind=EventKind.TOLD,
        version=incident.version,
        data={"clock": "response", "step": 0, "round": 0, "chat": True, "people": []},
    )
    sending.post_due("chat", world.now)
    assert [one.event_id for one in Post.objects.all()] == [event.pk]


def test_a_room_of_a_role_hears_what_they_are_told_and_how_that_goes_on(world, receiver, add, advance):
    given = {"language": "en", "roles": ["it_manager"]}
    add("chat", receiver.url.replace("http://", "json://"), **given)
    quiet = world.raise_it("at_risk")
    incident = world.raise_it("stopped")
    tick(now=world.now)
    lifecycle.acknowledge(quiet.number, by=world["vela"], now=world.now)
    sending.post_due("chat", world.now)
    assert bodies(receiver) == [], "no IT manager was told yet"
    advance(minutes=11)
    sending.post_due("chat", world.now)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    sending.post_due("chat", world.now)
    told, picked_up = bodies(receiver)
    assert "Told now: " in told["message"]
    assert "Hutchins" in told["message"]
    assert picked_up["message"].startswith("Vela has it.")
    assert all(incident.code in one["title"] for one in (told, picked_up))


def test_a_room_that_refuses_is_tried_again(world, receiver, add):
    listener, _secret = add("chat", room(receiver), kinds=["raised"])
    receiver.answers(500)
    world.raise_it("stopped")
    sending.post_due("chat", world.now)
    assert states(listener) == ["queued"]
    receiver.answers(200)
    sending.post_due("chat", world.now + timedelta(minutes=1))
    assert states(listener) == ["sent"]


def test_a_room_in_the_sandbox_stays_here(world, add):
    listener, _secret = add("chat", "sandbox://it-room", kinds=["raised"])
    world.raise_it("stopped")
    sending.post_due("chat", world.now)
    assert states(listener) == ["sent"]
    assert Post.objects.get().text.startswith("INC-")


def test_no_address_and_no_secret_is_ever_logged_or_kept_readable(world, receiver, add, caplog):
    listener, secret = add("webhooks", f"{receiver.url}/very-secret-path")
    receiver.answers(500)
    world.raise_it("stopped")
    with caplog.at_level("INFO"):
        sending.post_due("webhooks", world.now)
    assert "very-secret-path" not in caplog.text
    listener.refresh_from_db()
    kept = f"{listener.address} {listener.secret} {listener.last_error}"
    assert "very-secret-path" not in kept
    assert secret not in kept


def test_the_watcher_stands_in_while_the_workers_are_away(world, receiver, add):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised"])
    world.raise_it("stopped")
    hand = Watcher(world.now).hands["webhooks"]
    hand._job()
    assert states(listener) == ["sent"]


def test_what_was_posted_long_ago_is_forgotten_once_a_day_and_what_waits_is_not(world, receiver, add):
    listener, _secret = add("webhooks", receiver.url)
    world.raise_it("stopped")
    world.raise_it("at_risk")
    sending.post_due("webhooks", world.now)
    kept = Post.objects.filter(listener=listener).latest("pk")
    Post.objects.filter(pk=kept.pk).update(state="queued", sent_at=None)
    later = world.now + timedelta(days=30)
    assert forget_old(later) == 0, "not yet"
    assert forget_old(later + timedelta(hours=23)) == 0, "asked once a day"
    assert Post.objects.count() > 1
    assert forget_old(later + timedelta(days=1, seconds=1)) > 0
    assert list(Post.objects.all()) == [kept]


def test_metrics_say_how_long_the_oldest_post_waits(world, receiver, add):
    add("webhooks", receiver.url, kinds=["raised"])
    world.raise_it("stopped")
    queue.spread(world.now)
    measured = measures.measure(world.now + timedelta(seconds=30))
    (ages,) = [one for one in measured if one.name == "opsdesk_queue_age_seconds"]
    found = {sample.labels["channel"]: sample.value for sample in ages.samples}
    assert (found["webhooks"], found["chat"], found["push"]) == (30.0, 0.0, 0.0)
