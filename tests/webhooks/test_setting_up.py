"""Rooms and programs on their screens and for programs: added, tested, changed, switched, sent again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from escalation.models import Listener, Post
from escalation.webhooks import sending
from escalation.webhooks.sealed import unseal
from tests.screens.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(world: Any) -> Client:
    client = Client()
    client.force_login(world["hutchins"])
    return client


@pytest.fixture
def program(world: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(world["hutchins"])
    return client


def new(kind: str) -> str:
    return f"{reverse('listener-new', args=[kind])}?site=MBK"


def test_a_program_is_added_and_its_secret_shown_once(world, manager, receiver):
    answer = manager.post(new("webhooks"), {"name": "Ticket system", "address": f"{receiver.url}/hook"})
    listener = Listener.objects.get()
    assert unseal(listener.secret) in answer.content.decode()
    later = manager.get(reverse("listener", args=[listener.pk])).content.decode()
    assert unseal(listener.secret) not in later
    assert "/hook" not in later


def test_a_room_is_added_and_tested_with_what_came_of_it(world, manager, receiver):
    address = receiver.url.replace("http://", "json://")
    given = {"name": "IT room", "address": address, "language": "en", "severities": ["S1"]}
    assert "It hears what happens from now on." in words(manager.post(new("chat"), given, follow=True))
    listener = Listener.objects.get()
    test = reverse("listener-test", args=[listener.pk])
    assert "The test got through." in words(manager.post(test, follow=True))
    receiver.answers(500)
    assert "The test did not get through. The room did not take it." in words(manager.post(test, follow=True))
    assert Post.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhooks", "ftp://files.plant.example/x"),
        ("webhooks", "file:///etc/passwd"),
        ("webhooks", "https://user:password@host.example/"),
        ("webhooks", "https://[broken"),
        ("chat", "nothing that Apprise knows"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_beside_its_field(world, manager, kind, address):
    answer = manager.post(new(kind), {"name": "X", "address": address, "language": "en"})
    assert answer.status_code == 400
    assert "address" in words(answer).lower()
    assert not Listener.objects.exists()


def test_a_form_sent_twice_makes_one_room_and_says_which(world, manager, receiver):
    given = {"name": "IT room", "address": receiver.url.replace("http://", "json://"), "language": "en"}
    manager.post(new("chat"), given)
    again = manager.post(new("chat"), given | {"name": "The same"})
    assert again.status_code == 409
    assert "“IT room” has this address and hears of the same place already." in words(again)
    assert Listener.objects.count() == 1
    for other in ({"area": "MBK-ASM"}, {"roles": ["it_lead"]}):
        assert manager.post(new("chat"), given | other).status_code == 302
    last = reverse("listener", args=[Listener.objects.latest("pk").pk])
    assert manager.post(last, given).status_code == 409
    assert manager.post(last, given | {"address": ""}).status_code == 409, "nor with the one that it keeps"


def test_the_address_of_a_form_leads_back_to_its_page(world, manager, receiver, add):
    listener, _secret = add("webhooks", receiver.url)
    page = reverse("listener", args=[listener.pk])
    assert manager.get(reverse("listener-secret", args=[listener.pk])).headers["Location"] == page
    assert manager.get(f"{reverse('calendar-settings')}?site=MBK").headers["Location"].endswith("?site=MBK")


def test_changing_what_it_hears_keeps_the_address(world, manager, receiver, add):
    listener, _secret = add("webhooks", receiver.url)
    page = reverse("listener", args=[listener.pk])
    given = {"name": "Renamed", "severities": ["S1"], "kinds": ["closed"], "roles": ["it_lead"]}
    manager.post(page, given | {"area": "MBK-ASM"})
    listener.refresh_from_db()
    assert listener.roles == ["it_lead"]
    assert (listener.name, listener.severities, listener.kinds) == ("Renamed", ["S1"], ["closed"])
    assert listener.area == world.area
    assert unseal(listener.address) == receiver.url


def test_switched_off_it_hears_nothing_and_on_again_only_what_is_new(world, manager, receiver, add):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised"])
    world.raise_it("stopped")
    sending.queue.spread(world.now)
    switch = reverse("listener-switch", args=[listener.pk])
    assert "It hears nothing more." in words(manager.post(switch, {"on": "0"}, follow=True))
    world.raise_it("stopped")
    manager.post(switch, {"on": "1"})
    third = world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    sent = Post.objects.filter(state="sent")
    assert list(sent.values_list("event__incident", flat=True)) == [third.pk]


def test_what_was_posted_is_sent_again_with_the_same_id(world, manager, receiver, add):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised"])
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    post = Post.objects.get()
    again = reverse("listener-resend", args=[listener.pk, post.pk])
    assert "It goes out once more." in words(manager.post(again, follow=True))
    sending.post_due("webhooks")
    first, second = (one.headers["OpsDesk-Event-Id"] for one in receiver.requests)
    assert first == second


def test_only_the_it_manager_of_the_site_sees_and_changes_them(world, receiver, add):
    listener, _secret = add("webhooks", receiver.url)
    client = Client()
    client.force_login(world["brandt"])
    assert client.get(reverse("listeners")).status_code == 403
    assert client.get(reverse("listener", args=[listener.pk])).status_code == 403
    for name in ("listener-test", "listener-switch", "listener-secret"):
        assert client.post(reverse(name, args=[listener.pk])).status_code == 403
    assert receiver.requests == []


def test_the_list_says_how_each_is_doing_in_a_fixed_number_of_queries(
    world, manager, receiver, add, django_assert_max_num_queries
):
    for n in range(8):
        add("webhooks", f"{receiver.url}/{n}")
    add("chat", "sandbox://room")
    with django_assert_max_num_queries(15):
        said = words(manager.get(f"{reverse('listeners')}?site=MBK"))
    assert said.count("Nothing posted yet") == 9


def test_a_program_sets_up_the_same(world, program, receiver):
    given = {"site": "MBK", "name": "Ticket system", "address": receiver.url, "severities": ["S1"]}
    made = program.post("/api/v1/webhooks/", given)
    assert made.status_code == 201
    row = made.json()
    assert len(row["secret"]) > 30
    assert "address" not in row
    (listed,) = program.get("/api/v1/webhooks/").json()["results"]
    assert "secret" not in listed
    path = f"/api/v1/webhooks/{row['id']}/"
    assert program.post(f"{path}test/").json()["state"] == "sent"
    changed = program.put(path, {"name": "Other", "kinds": ["closed"], "roles": ["it_lead"]}).json()
    assert (changed["kinds"], changed["roles"]) == (["closed"], ["it_lead"])
    assert program.put(path, {"name": "Other", "roles": ["king"]}).status_code == 400
    assert program.post(f"{path}switch-off/").json()["is_active"] is False
    assert program.post(f"{path}switch-on/").json()["is_active"] is True
    assert program.post(f"{path}new-secret/").json()["secret"] != row["secret"]
    assert len(program.get(f"{path}posts/").json()["results"]) == 1
    assert program.get(f"/api/v1/chat-rooms/{row['id']}/").status_code == 404


def test_a_program_sends_again_and_is_refused_in_words(world, program, receiver, add):
    listener, _secret = add("webhooks", receiver.url, kinds=["raised"])
    world.raise_it("stopped")
    sending.post_due("webhooks", world.now)
    path = f"/api/v1/webhooks/{listener.pk}/posts/{Post.objects.get().pk}/resend/"
    assert program.post(path).json()["state"] == "queued"
    program.post(f"/api/v1/webhooks/{listener.pk}/switch-off/")
    refused = program.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "switched_off")


def test_a_program_of_somebody_else_is_refused(world, receiver):
    other = APIClient()
    other.force_authenticate(world["vela"])
    given = {"site": "MBK", "name": "X", "address": receiver.url}
    assert other.post("/api/v1/webhooks/", given).status_code == 403
    assert other.get("/api/v1/webhooks/").json()["results"] == []
