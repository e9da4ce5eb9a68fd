"""The page behind the link of a digest: what is open, one button each, and only the buttons answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from escalation import outbox
from escalation.digest import SHOWN
from escalation.engine import tick
from escalation.models import Delivery, Notification, Reason, Timer
from escalation.views.answer import GUESSED, OPENED
from incidents import lifecycle
from incidents.models import Event, Incident, Status
from plant.models import RoleAssignment
from tests import factories as make
from tests.screens.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lasting_links")]


@pytest.fixture
def phone() -> Client:
    """A phone that keeps no cookies and belongs to nobody."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture(autouse=True)
def no_brake() -> None:
    from django.core.cache import cache

    cache.clear()


def digest(world: Any, count: int = 3, name: str = "vela") -> tuple[str, list[Incident]]:
    """So many at-risk incidents that went to this person in one text message; its link."""
    found = []
    for n in range(count):
        station = make.make_station(line=make.make_line(area=world.area, name=f"Line {n}"))
        found.append(world.raise_it("at_risk", station=station, words=f"Labels are blank, case {n}"))
    tick(now=world.now)
    outbox.deliver_due("sms", world.now)
    one = Notification.objects.filter(reason=Reason.DIGEST, person=world[name]).latest("pk")
    return f"/a/{one.token}/", found


def nonces(page: str) -> list[str]:
    return re.findall(r'name="nonce" value="([^"]+)"', page)


def everything() -> list[object]:
    tables = (Incident, Event, Notification, Delivery, Timer)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_opening_it_changes_nothing_and_shows_each_with_its_readings(world, phone, sms):
    link, found = digest(world)
    before = everything()
    for method in (phone.get, phone.head):
        assert method(link).status_code == 200
    assert everything() == before
    page = phone.get(link)
    for n, one in enumerate(found):
        assert one.code in page.content.decode()
        assert f"case {n}" in words(page)
    assert words(page).count("The problem") == words(page).count("Progress") == 3
    assert len(nonces(page.content.decode())) == 3
    assert page["Cache-Control"] == "no-store, private"
    assert page["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page["X-Robots-Tag"]


def test_each_button_answers_for_its_own_incident_only(world, phone, sms):
    link, found = digest(world)
    asked = nonces(phone.get(link).content.decode())
    assert phone.post(link, {"nonce": asked[1]}).status_code == 302
    states = [Incident.objects.get(pk=one.pk).status for one in found]
    assert states.count(Status.ACKNOWLEDGED) == 1
    assert "You have it since" in words(phone.get(link))
    assert len(nonces(phone.get(link).content.decode())) == 2


def test_whoever_may_not_take_it_says_seen(world, phone, sms):
    link, _found = digest(world)
    RoleAssignment.objects.filter(person=world["vela"]).delete()
    page = phone.get(link).content.decode()
    assert "I’ve seen it" in page and "I’ll take it" not in page
    phone.post(link, {"nonce": nonces(page)[0]})
    assert Incident.objects.filter(status=Status.RAISED).count() == 3
    assert "Seen " in words(phone.get(link))


@pytest.mark.parametrize("change", ["", "x", "other"])
def test_a_button_that_was_not_made_for_this_page_answers_nothing(world, phone, sms, change):
    link, _found = digest(world)
    nonce = nonces(phone.get(link).content.decode())[0]
    given = {"": "", "x": nonce[:-1] + ("A" if nonce[-1] != "A" else "B"), "other": _nonce_of_another(world)}
    before = everything()
    response = phone.post(link, {"nonce": given[change]})
    assert response.status_code == 403
    assert "Press the button once more" in words(response)
    assert everything() == before


def _nonce_of_another(world: Any) -> str:
    from escalation import answering
    from escalation.views.answer import nonce

    world.raise_it("stopped")
    tick(now=world.now)
    other = Notification.objects.filter(incident__severity="S1").latest("pk")
    return nonce(answering.open_link(other.token))


@pytest.mark.parametrize("path", ["/a/XXXXXXXXXX/", "/a/é/", "/a/a'b/", f"/a/{'Z' * 40}/"])
def test_an_altered_link_gives_nothing_away(world, phone, path):
    GUESSED.release("127.0.0.1")
    response = phone.get(path)
    assert response.status_code == 404
    assert "INC-" not in response.content.decode()


def test_the_link_of_somebody_who_left_opens_nothing(world, phone, sms):
    link, _found = digest(world)
    world["vela"].is_active = False
    world["vela"].save(update_fields=["is_active"])
    assert phone.get(link).status_code == 404


def test_what_is_closed_asks_nothing_any_more(world, phone, sms):
    link, found = digest(world)
    for one in found:
        lifecycle.take_back(one.number, by=world["petty"], now=world.now)
    page = phone.get(link)
    assert "Nothing is needed from you." in words(page)
    assert nonces(page.content.decode()) == []


def test_it_is_in_the_language_of_its_reader(world, phone, sms):
    world["vela"].language = "es"
    world["vela"].save(update_fields=["language"])
    link, _found = digest(world)
    assert '<html lang="es">' in phone.get(link).content.decode()


def test_many_things_stay_a_small_page(world, phone, sms):
    link, _found = digest(world, 40)
    page = phone.get(link)
    assert len(nonces(page.content.decode())) == SHOWN
    assert "28 more" in words(page)
    assert len(page.content) < 30_000


def test_too_many_openings_are_slowed_down(world, phone, sms):
    link, _found = digest(world)
    for _unused in range(OPENED.tries):
        phone.get(link)
    assert phone.get(link).status_code == 429


# --- where else it shows ---


def test_the_incident_page_says_what_it_went_together_with(world, client, sms):
    _link, found = digest(world)
    client.force_login(world["tillery"])
    page = client.get(found[0].get_absolute_url())
    assert "in a message with 2 others" in words(page)


def test_the_outbox_shows_the_one_message_and_finds_it_by_each_incident(world, client, sms):
    _link, found = digest(world)
    client.force_login(world["hutchins"])
    page = client.get("/outbox/", {"incident": found[1].code})
    assert "3 things: " in words(page)
    assert all(one.code in page.content.decode() for one in found)


def test_a_program_reads_a_bundled_one_as_sent_and_no_words_about_other_things(world, client, sms):
    _link, found = digest(world)
    client.force_login(world["hutchins"])
    told = client.get(f"/api/v1/incidents/{found[0].number}/notifications/").json()["results"]
    (mine,) = [one for one in told if one["person"]["username"] == "vela"]
    (delivery,) = mine["deliveries"]
    assert (delivery["state"], delivery["others"]) == ("sent", 2)
    assert (delivery["subject"], delivery["text"]) == ("", "")
    assert delivery["sent_at"] is not None
