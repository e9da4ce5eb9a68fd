"""The page behind the link in a message: no login, no script, one button, and only the button answers."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as conf
from django.test import Client

from escalation import answering
from escalation.answering import CLOSED_LINK_LASTS, LINK_LASTS
from escalation.models import Delivery, Notification, Timer
from escalation.views.answer import GUESSED, OPENED
from incidents import lifecycle
from incidents.models import Event, Incident, Status
from tests.factories import fresh
from tests.screens.reading import labels, words

pytestmark = pytest.mark.django_db

Advance = Callable[..., None]


@pytest.fixture
def phone() -> Client:
    """A phone that keeps no cookies and belongs to nobody."""
    return Client(enforce_csrf_checks=True)


def link_of(world: Any, name: str) -> str:
    return f"/a/{Notification.objects.filter(person=world[name]).latest('pk').token}/"


def press(phone: Client, link: str, **asked: str) -> Any:
    nonce = re.search(r'name="nonce" value="([^"]+)"', phone.get(link).content.decode())
    assert nonce
    return phone.post(link, {"nonce": nonce.group(1), **asked})


def everything(world: Any) -> list[object]:
    """Every row that an answer could touch."""
    tables = (Incident, Event, Notification, Delivery, Timer)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def raised(world: Any, advance: Advance, minutes: int = 1) -> Incident:
    incident = world.raise_it(words="No labels come out")
    advance(minutes=minutes)
    return incident


# -- opening


def test_opening_any_link_changes_nothing(world: Any, advance: Advance, phone: Client) -> None:
    raised(world, advance, minutes=11)
    links = [f"/a/{token}" for token in Notification.objects.values_list("token", flat=True)]
    before = everything(world)
    for link in links:
        for address in (link, f"{link}/", f"{link}/?utm=1", f"{link.lower()}/"):
            assert phone.get(address).status_code == 200
            assert phone.head(address).status_code == 200
    assert everything(world) == before
    assert not phone.cookies


def test_nothing_but_get_head_and_post_is_answered(world: Any, advance: Advance, phone: Client) -> None:
    raised(world, advance)
    link, before = link_of(world, "vela"), everything(world)
    for method in ("put", "patch", "delete", "options"):
        assert getattr(phone, method)(link).status_code == 405
    assert everything(world) == before


def test_it_shows_the_three_readings_the_clock_and_one_big_button(
    world: Any, advance: Advance, phone: Client
) -> None:
    incident = raised(world, advance)
    lifecycle.acknowledge(incident.number, by=world["vela"], now=world.now)
    advance(minutes=30)
    response = phone.get(link_of(world, "tillery"))
    text = words(response)
    assert f"{incident.code}, for Tillery" in text and "Line down 31 min" in text
    assert "The problem No labels come out. What we’re doing Vela has it since 10:01." in text
    assert re.search(r"\d+:\d\d until .+ told", text)
    assert labels(response) == ["I’ve seen it", "Call Vela", f"Open {incident.code}"]
    assert f'href="tel:{world["vela"].mobile}"' in response.content.decode()


def test_page_and_style_stay_under_15_kilobytes_and_need_no_script(
    world: Any, advance: Advance, phone: Client
) -> None:
    raised(world, advance, minutes=11)
    style = (Path(conf.BASE_DIR) / "static" / "answer.css").read_bytes()
    for name in ("vela", "tillery"):
        link = link_of(world, name)
        pages = [phone.get(link).content, press(phone, link) and phone.get(link).content]
        for page in pages:
            assert b"<script" not in page and b' style="' not in page
            assert len(page) + len(style) < 15 * 1024
            assert len(gzip.compress(page)) < 5 * 1024


def test_it_says_that_alerts_do_not_go_out_and_whom_to_call(
    world: Any, advance: Advance, phone: Client
) -> None:
    world.site.it_phone = "+1-313-555-0100"
    world.site.save()
    raised(world, advance)
    link = link_of(world, "vela")
    assert "Alerts are not going out" not in words(phone.get(link))
    world.now += timedelta(seconds=90)
    text = words(phone.get(link))
    assert "Alerts are not going out since 10:01" in text and "IT: +1-313-555-0100" in text


def test_nobody_keeps_it_or_finds_it_and_the_address_goes_nowhere(
    world: Any, advance: Advance, phone: Client
) -> None:
    raised(world, advance)
    for response in (phone.get(link_of(world, "vela")), phone.get("/a/ZZZZZZZZZZ/")):
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in response.headers["Cache-Control"]
        assert "noindex" in response.headers["X-Robots-Tag"]


def test_a_wrong_link_says_nothing_about_what_exists(world: Any, advance: Advance, phone: Client) -> None:
    incident = raised(world, advance)
    for token in ("ZZZZZZZZZZ", "2", "x" * 60, "..%2f..", str(incident.number)):
        response = phone.get(f"/a/{token}/")
        assert response.status_code == 404
        assert incident.title not in response.content.decode()
        assert phone.post(f"/a/{token}/", {"nonce": "x"}).status_code == 404


def test_it_speaks_the_readers_language(world: Any, advance: Advance, phone: Client) -> None:
    world["tillery"].language = "es"
    world["tillery"].save(update_fields=["language"])
    raised(world, advance, minutes=11)
    assert b'<html lang="es">' in phone.get(link_of(world, "tillery")).content


# -- answering


def test_whoever_may_take_it_takes_it(world: Any, advance: Advance, phone: Client) -> None:
    incident = raised(world, advance)
    link = link_of(world, "vela")
    assert labels(phone.get(link))[0] == "I’ll take it"
    response = press(phone, link)
    assert response.status_code == 302 and response.headers["Location"] == link
    after = fresh(incident)
    assert (after.status, after.owner) == (Status.ACKNOWLEDGED, world["vela"])
    text = words(phone.get(link))
    assert "Thanks, Vela. You have it since 10:01." in text
    assert "If no product" not in text and "You 10:00" in text


def test_a_manager_says_seen_which_stops_nothing(world: Any, advance: Advance, phone: Client) -> None:
    incident = raised(world, advance, minutes=11)
    link = link_of(world, "tillery")
    before = list(Timer.objects.armed().order_by("pk").values("pk", "due_at"))
    press(phone, link)
    assert fresh(incident).status == Status.RAISED
    assert list(Timer.objects.armed().order_by("pk").values("pk", "due_at")) == before
    response = phone.get(link)
    assert "Thanks, Tillery. Seen 10:11. Nobody has it yet." in words(response)
    assert "I’ve seen it" not in labels(response)
    notification = Notification.objects.filter(person=world["tillery"]).latest("pk")
    assert (notification.answer, notification.answered_by_channel) == ("seen", "link")


def test_pressing_twice_answers_once(world: Any, advance: Advance, phone: Client) -> None:
    incident = raised(world, advance)
    link = link_of(world, "jimenez")
    nonce = re.search(r'name="nonce" value="([^"]+)"', phone.get(link).content.decode())
    assert nonce
    for _press in range(2):
        assert phone.post(link, {"nonce": nonce.group(1)}).status_code == 302
    assert Event.objects.filter(incident=incident, kind="seen").count() == 1


def test_a_post_that_did_not_come_from_the_page_answers_nothing(
    world: Any, advance: Advance, phone: Client
) -> None:
    raised(world, advance, minutes=11)
    link, before = link_of(world, "vela"), everything(world)
    other = re.search(r'name="nonce" value="([^"]+)"', phone.get(link_of(world, "tillery")).content.decode())
    assert other
    for nonce in ("", "forged", other.group(1)):
        response = phone.post(link, {"nonce": nonce})
        assert response.status_code == 403 and "Press the button once more" in words(response)
    assert everything(world) == before


def test_a_page_that_was_open_for_days_asks_to_press_again(
    world: Any, advance: Advance, phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = raised(world, advance)
    link = link_of(world, "vela")
    nonce = re.search(r'name="nonce" value="([^"]+)"', phone.get(link).content.decode())
    assert nonce
    monkeypatch.setattr("django.core.signing.time.time", lambda: 4_000_000_000.0)
    assert phone.post(link, {"nonce": nonce.group(1)}).status_code == 403
    assert fresh(incident).status == Status.RAISED


def test_when_somebody_else_took_it_the_button_says_seen(world: Any, advance: Advance, phone: Client) -> None:
    incident = raised(world, advance)
    link = link_of(world, "vela")
    lifecycle.acknowledge(incident.number, by=world["brandt"], now=world.now)
    response = phone.get(link)
    assert labels(response)[0] == "I’ve seen it" and "Brandt has it since" in words(response)
    press(phone, link)
    assert fresh(incident).owner == world["brandt"]


def test_after_it_is_closed_the_link_says_when_and_answers_nothing(
    world: Any, advance: Advance, phone: Client
) -> None:
    incident = raised(world, advance)
    link = link_of(world, "vela")
    nonce = re.search(r'name="nonce" value="([^"]+)"', phone.get(link).content.decode())
    assert nonce
    lifecycle.take_back(incident.number, by=world["petty"], now=world.now)
    before = everything(world)
    response = phone.get(link)
    assert "Closed 10:01. Nothing is needed from you." in words(response) and not labels(response)
    assert phone.post(link, {"nonce": nonce.group(1)}).status_code == 409
    assert everything(world) == before


def test_somebody_who_left_has_no_link_any_more(world: Any, advance: Advance, phone: Client) -> None:
    raised(world, advance)
    link = link_of(world, "vela")
    world["vela"].is_active = False
    world["vela"].save(update_fields=["is_active"])
    assert phone.get(link).status_code == 404


def test_somebody_else_signed_in_on_the_phone_answers_as_the_owner_of_the_link(
    world: Any, advance: Advance
) -> None:
    incident = raised(world, advance)
    borrowed = Client()
    borrowed.force_login(world["tillery"])
    press(borrowed, link_of(world, "vela"))
    assert fresh(incident).owner == world["vela"]


# -- brakes


def test_guessing_links_is_braked(world: Any, phone: Client) -> None:
    for _n in range(GUESSED.tries):
        assert phone.get("/a/ZZZZZZZZZZ/").status_code == 404
    response = phone.get("/a/ZZZZZZZZZZ/")
    assert response.status_code == 429 and response.headers["Retry-After"] == "60"


def test_opening_without_end_is_braked_per_link_and_locks_nobody_else_out(
    world: Any, advance: Advance, phone: Client
) -> None:
    raised(world, advance)
    link = link_of(world, "vela")
    for _n in range(OPENED.tries):
        OPENED.allows(str(Notification.objects.filter(person=world["vela"]).latest("pk").pk))
    for _n in range(GUESSED.tries + 1):
        phone.head("/a/ZZZZZZZZZZ/")
    assert phone.get(link).status_code == 429
    assert phone.get(link_of(world, "jimenez")).status_code == 200


def test_an_old_link_gives_the_plain_page_and_answers_nothing(
    world: Any, advance: Advance, phone: Client
) -> None:
    raised(world, advance)
    link = link_of(world, "vela")
    nonce = re.search(r'name="nonce" value="([^"]+)"', phone.get(link).content.decode())
    assert nonce
    world.now += LINK_LASTS + timedelta(minutes=1)
    before = everything(world)
    response = phone.get(link)
    assert response.status_code == 404 and "This link does not work" in words(response)
    assert "INC-" not in words(response)
    assert phone.post(link, {"nonce": nonce.group(1)}).status_code == 404
    assert everything(world) == before


def test_a_week_after_it_is_closed_the_link_says_nothing_any_more(
    world: Any, advance: Advance, phone: Client
) -> None:
    incident = raised(world, advance)
    link = link_of(world, "vela")
    lifecycle.take_back(incident.number, by=world["petty"], now=world.now)
    world.now += CLOSED_LINK_LASTS
    assert "Closed" in words(phone.get(link))
    world.now += timedelta(minutes=1)
    assert phone.get(link).status_code == 404


def test_who_texts_the_number_of_an_old_incident_answers_it_all_the_same(
    world: Any, advance: Advance
) -> None:
    incident = raised(world, advance)
    late = world.now + LINK_LASTS + timedelta(days=1)
    answering.answer_about(incident.number, by=world["vela"], channel="sms", now=late)
    assert fresh(incident).owner == world["vela"]
